"""Reads TFRecord files, every checksum verified, without TensorFlow.

A record is a little-endian u64 length, the masked CRC-32C of these eight bytes, the payload, and
the masked CRC-32C of the payload.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import google_crc32c
import numpy as np
import numpy.typing as npt

from search_spaces.errors import UserError
from search_spaces.table_errors import TableFileError

_HEADER = struct.Struct("<QI")
_CHECK = struct.Struct("<I")
_LENGTH = struct.Struct("<Q")
_BLOCK_BYTES = 1 << 20  # larger blocks fall out of the processor's cache
#: A longer record is taken for a foreign file; NAS-Bench-101's rows have some 400 bytes.
_MAX_PAYLOAD = 1 << 20


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive records of a file, their checksums verified.

    Attributes:
        first_row: number of the first record, counted from 0.
        payloads: n payloads.
        offsets: where each record begins in the file, shape (n,), in bytes.
    """

    first_row: int
    payloads: list[bytes]
    offsets: npt.NDArray[np.int64]


def masked_crc(data: bytes) -> int:
    """CRC-32C of `data`, rotated and shifted as TFRecord files store it."""
    crc = int(google_crc32c.value(data))
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def read_blocks(
    path: Path,
    *,
    observe: Callable[[bytes], object] = lambda _: None,
    block_bytes: int = _BLOCK_BYTES,
) -> Iterator[Block]:
    """Reads a file block by block, in constant memory.

    Args:
        path: a TFRecord file.
        observe: called with all bytes of the file, piece after piece (for a checksum or a
            progress bar).
        block_bytes: how much is read at once.

    Raises:
        TableFileError: at the first record that is damaged, cut off, or none at all.
    """
    row = 0
    offset = 0
    with _open(path) as file:
        rest = b""
        while piece := file.read(block_bytes):
            observe(piece)
            buffer = rest + piece
            starts, payloads = _scan(buffer, path, row, offset)
            used = starts.pop()
            if payloads:
                _verify(buffer, starts, payloads, path, row, offset)
                yield Block(row, payloads, np.array(starts, np.int64) + offset)
            row += len(payloads)
            offset += used
            rest = buffer[used:]
    if rest:
        reason = (
            f"the file ends inside this record, after {len(rest)} of its bytes; "
            "it is truncated, download or copy it again"
        )
        raise TableFileError.at(path, row, offset, reason)
    if row == 0:
        raise TableFileError.at(path, 0, 0, "the file is empty; download or copy it again")


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror}; name a readable .tfrecord file"
        ) from error


def _scan(buffer: bytes, path: Path, row: int, offset: int) -> tuple[list[int], list[bytes]]:
    """Cuts a buffer into records.

    Returns:
        The start of every complete record and the end of the last one, and the payloads.
    """
    header, size, end = _HEADER.unpack_from, _HEADER.size, len(buffer)
    seen: dict[int, int] = {}
    starts, payloads = [0], list[bytes]()
    position = 0
    while position + size <= end:
        length, check = header(buffer, position)
        if seen.get(length) != check:
            place = (path, row + len(payloads), offset + position)
            seen[length] = _checked_length(length, check, place)
        stop = position + size + length
        if stop + 4 > end:
            break
        payloads.append(buffer[position + size : stop])
        position = stop + 4
        starts.append(position)
    return starts, payloads


def _checked_length(length: int, check: int, place: tuple[Path, int, int]) -> int:
    if check != masked_crc(_LENGTH.pack(length)):
        if place[1] == 0:
            reason = "the checksum of the length is wrong; this is no TFRecord file"
        else:
            reason = "the checksum of the length is wrong; the file is damaged, get it again"
        raise TableFileError.at(*place, reason)
    if length > _MAX_PAYLOAD:
        reason = f"a record of {length} bytes is too long for NAS-Bench-101; this is another file"
        raise TableFileError.at(*place, reason)
    return check


def _verify(
    buffer: bytes, starts: list[int], payloads: list[bytes], path: Path, row: int, offset: int
) -> None:
    """Compares the payloads' checksums with the stored ones."""
    computed = np.fromiter(map(google_crc32c.value, payloads), np.uint32, len(payloads))
    masked = (computed >> 15 | computed << 17) + np.uint32(0xA282EAD8)
    ends = np.array(starts, np.int64) + np.fromiter(map(len, payloads), np.int64) + _HEADER.size
    words: npt.NDArray[np.uint32] = np.ndarray(
        shape=(len(buffer) - 3,), dtype="<u4", buffer=buffer, strides=(1,)
    )
    wrong = np.flatnonzero(words[ends] != masked)
    if wrong.size:
        first = int(wrong[0])
        reason = "the checksum of the payload is wrong; the file is damaged, get it again"
        raise TableFileError.at(path, row + first, offset + starts[first], reason)
