"""Decodes hexadecimal and base64 texts of equal length, thousands at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from search_spaces.table_errors import RowError

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PAD = ord("=")
_INVALID, _PADDED = 0x8000, 0x4000

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


def take(text: bytes, starts: Ints, length: int) -> Bytes:
    """Substrings of equal, positive length: places of shape (n,) to bytes of shape (n, length)."""
    windows: npt.NDArray[np.void] = np.ndarray(
        shape=(len(text) - length + 1,), dtype=f"V{length}", buffer=text, strides=(1,)
    )
    taken: Bytes = windows[starts].view(np.uint8)
    return taken.reshape(len(starts), length)


def _nibble_table() -> Bytes:
    table = np.full(256, 255, np.uint8)
    for value, digit in enumerate(b"0123456789abcdef"):
        table[digit] = value
    return table


def _pair_table() -> npt.NDArray[np.uint16]:
    """The 12 bits that two base64 characters stand for, by the characters as a little-endian u16.

    `_INVALID` is set for characters that cannot stand there, `_PADDED` where "=" ends the text.
    """
    table = np.full(1 << 16, _INVALID, np.uint16)
    for high, first in enumerate(_BASE64):
        table[first | _PAD << 8] = _PADDED | high << 6
        for low, second in enumerate(_BASE64):
            table[first | second << 8] = high << 6 | low
    table[_PAD | _PAD << 8] = _PADDED
    return table


_NIBBLES = _nibble_table()
_PAIRS = _pair_table()


def decode_hashes(text: bytes, starts: Ints) -> Bytes:
    """Module hashes that start at the given places, shape (n,) to (n, 16).

    Raises:
        RowError: for the first that is not made of 32 lower-case hexadecimal digits.
    """
    nibbles = _NIBBLES[take(text, starts, 32)]
    wrong = (nibbles > 15).any(axis=1)
    if wrong.any():
        index = int(np.flatnonzero(wrong)[0])
        name = text[starts[index] : starts[index] + 32].decode(errors="replace")
        raise RowError(index, f"module hash {name!r} is not 32 hexadecimal digits")
    hashes: Bytes = nibbles[:, 0::2] * np.uint8(16) + nibbles[:, 1::2]
    return hashes


def decode_base64(characters: Bytes, padding: int) -> Bytes:
    """Decodes base64 texts of equal length and padding.

    Args:
        characters: shape (n, length), the length a positive multiple of 4.
        padding: how many of the last characters of each text are "=".

    Returns:
        Shape (n, decoded length).

    Raises:
        RowError: for the first text with other characters, or "=" elsewhere.
    """
    length = characters.shape[1]
    pairs = _PAIRS[characters.view("<u2")]
    flags = pairs & (_INVALID | _PADDED)
    wrong = flags[:, :-1].any(axis=1) | (flags[:, -1] != (_PADDED if padding else 0))
    if wrong.any():
        raise RowError(int(np.flatnonzero(wrong)[0]), "the metrics are no base64 text")
    pairs &= 0xFFF
    words = pairs[:, 0::2].astype(">u4") << 12 | pairs[:, 1::2]
    quads = words.astype(">u4").view(np.uint8).reshape(len(words), length // 4, 4)
    decoded = np.ascontiguousarray(quads[:, :, 1:]).reshape(len(words), -1)
    return decoded[:, : decoded.shape[1] - padding]
