"""CIFAR-10, whichever files it comes from."""

from __future__ import annotations

import hashlib
import logging
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raynas.images._source import ImageError, Images, ImageSource, Part
from search_spaces.data_directory import data_directory, write_atomically

#: Rows of 3,073 bytes: the label, then 32x32 red, green and blue pixels (the official layout).
Records = npt.NDArray[np.uint8]
RECORD_BYTES = 1 + 3 * 32 * 32

WAY_OUT = "fetch the official archive with `python -m search_spaces.fetch cifar10`"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cifar10(ImageSource):
    """60,000 colour images of 32x32 pixels (Krizhevsky 2009).

    NAS-Bench-101 trained on the first 40,000 training images, validated on the last 10,000 (the
    fifth batch) and tested on the test set (Ying et al. 2019): these are the parts.

    The decoded records are kept in `cache/` of the data directory, and mapped from there.

    Attributes:
        path: the archive or folder.
        layout: what the images are read from, in words; where it is says nothing about results.
    """

    path: Path

    layout: ClassVar[str]

    name: ClassVar[str] = "cifar10"
    shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    classes: ClassVar[int] = 10
    mirrored: ClassVar[bool] = True
    sizes: ClassVar[dict[Part, int]] = {"search": 40_000, "validation": 10_000, "test": 10_000}

    @property
    def title(self) -> str:
        """One line for consoles and reports."""
        return f"CIFAR-10 ({self.layout})"

    @abstractmethod
    def files(self, part: Part) -> Sequence[Path]:
        """See `ImageSource.files`."""

    @abstractmethod
    def decode(self, part: Part) -> Records:
        """Read the records of a part from its files."""

    def read(self, part: Part) -> Images:
        """See `ImageSource.read`."""
        try:
            records = self._cached(part)
        except OSError as error:
            raise ImageError(f"cannot read {error.filename or self.path}: {error}") from error
        return Images(records[:, 1:].reshape(-1, *self.shape), records[:, 0])

    def _cached(self, part: Part) -> Records:
        stats = [(str(file.resolve()), file.stat()) for file in self.files(part)]
        key = repr([part, *((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)])
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        path = data_directory() / "cache" / f"cifar10-{part}-{digest}.npy"
        if path.exists() and (kept := self._mapped(path, part)) is not None:
            return kept
        records = self._checked(self.decode(part), part)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, lambda temporary: _save(temporary, records))
        except OSError as error:
            _logger.warning("decoded images are not kept for the next run: %s", error)
        return records

    def _mapped(self, path: Path, part: Part) -> Records | None:
        """The kept records; None if the file is not what this version writes."""
        try:
            records: Records = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError):
            return None
        right = records.dtype == np.uint8 and records.shape == (self.sizes[part], RECORD_BYTES)
        return records if right else None

    def _checked(self, records: Records, part: Part) -> Records:
        if len(records) != self.sizes[part]:
            raise ImageError(
                f"{self.path} has {len(records):,} of the {self.sizes[part]:,} images of the "
                f"{part} part of CIFAR-10; {WAY_OUT}"
            )
        if len(records) and records[:, 0].max() >= self.classes:
            raise ImageError(f"{self.path} has the label {records[:, 0].max()}, not 0 to 9")
        return records


def _save(path: Path, records: Records) -> None:
    with path.open("wb") as file:
        np.save(file, records, allow_pickle=False)
