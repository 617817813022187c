"""CIFAR-10 from the official binary files, packed or unpacked."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from raynas.images._cifar10 import RECORD_BYTES, WAY_OUT, Cifar10, Records
from raynas.images._source import ImageError, Part

ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"

#: The binary files of each part.
MEMBERS: dict[Part, tuple[str, ...]] = {
    "search": tuple(f"data_batch_{number}.bin" for number in range(1, 5)),
    "validation": ("data_batch_5.bin",),
    "test": ("test_batch.bin",),
}
_FILE_BYTES = 10_000 * RECORD_BYTES


@dataclass(frozen=True)
class Cifar10Folder(Cifar10):
    """The six unpacked files `data_batch_1.bin` to `test_batch.bin` of a folder."""

    layout: ClassVar[str] = "official binary files"

    def files(self, part: Part) -> Sequence[Path]:
        """See `Cifar10.files`."""
        files = [self.path / name for name in MEMBERS[part]]
        if missing := [file.name for file in files if not file.is_file()]:
            raise ImageError(f"{self.path} lacks {', '.join(missing)}; {WAY_OUT}")
        return files

    def decode(self, part: Part) -> Records:
        """See `Cifar10.decode`."""
        return _records([(file.name, file.read_bytes()) for file in self.files(part)], self.path)


@dataclass(frozen=True)
class Cifar10Archive(Cifar10):
    """`cifar-10-binary.tar.gz` as it was downloaded."""

    layout: ClassVar[str] = "official binary archive"

    def files(self, part: Part) -> Sequence[Path]:  # noqa: ARG002
        """See `Cifar10.files`."""
        return [self.path]

    def decode(self, part: Part) -> Records:
        """Extract only the files of the part; see `Cifar10.decode`."""
        wanted = MEMBERS[part]
        try:
            found = self._extract(wanted)
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise ImageError(f"{self.path} is broken ({error}); remove it and {WAY_OUT}") from error
        if missing := [name for name in wanted if name not in found]:
            raise ImageError(f"{self.path} lacks {', '.join(missing)}; {WAY_OUT}")
        return _records([(name, found[name]) for name in wanted], self.path)

    def _extract(self, wanted: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        with tarfile.open(self.path, "r|gz") as archive:
            for member in archive:
                name = Path(member.name).name
                stream = archive.extractfile(member) if name in wanted else None
                if stream is not None:
                    found[name] = stream.read(_FILE_BYTES + 1)
                if len(found) == len(wanted):
                    break
        return found


def _records(contents: list[tuple[str, bytes]], place: Path) -> Records:
    for name, content in contents:
        if len(content) != _FILE_BYTES:
            raise ImageError(
                f"{name} in {place} is not a CIFAR-10 batch of {_FILE_BYTES:,} bytes; {WAY_OUT}"
            )
    joined = b"".join(content for _, content in contents)
    return np.frombuffer(joined, np.uint8).reshape(-1, RECORD_BYTES)
