"""CIFAR-10 from Parquet files in the layout of the Hugging Face data set `cifar10`."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from raynas.images._cifar10 import RECORD_BYTES, WAY_OUT, Cifar10, Records
from raynas.images._source import ImageError, Part

#: First and last image of each part among the training or test images.
_ROWS: dict[Part, tuple[int, int]] = {
    "search": (0, 40_000),
    "validation": (40_000, 50_000),
    "test": (0, 10_000),
}
_BATCH = 1_000


@dataclass(frozen=True)
class Cifar10Parquet(Cifar10):
    """`train*.parquet` and `test*.parquet` of a folder.

    Columns: `img`, a struct with the encoded image in `bytes`, and `label`. The training images
    must be in the original order. Images may be in any lossless format that Pillow reads.
    """

    layout: ClassVar[str] = "Parquet files"

    def files(self, part: Part) -> Sequence[Path]:
        """See `Cifar10.files`."""
        stem = "test" if part == "test" else "train"
        files = sorted(self.path.glob(f"{stem}*.parquet"), key=_shard)
        if not files:
            raise ImageError(f"{self.path} lacks {stem}*.parquet; {WAY_OUT}")
        named = {int(found[1]): found[2] for file in files if (found := _numbered(file))}
        total = int(next(iter(named.values()), "0"))
        if missing := [number for number in range(total) if number not in named]:
            names = ", ".join(f"{stem}-{number:05}-of-{total:05}.parquet" for number in missing)
            raise ImageError(f"{self.path} lacks {names}; {WAY_OUT}")
        return files

    def decode(self, part: Part) -> Records:
        """Read no row beyond the part's last one; see `Cifar10.decode`."""
        start, end = _ROWS[part]
        self._check_rows(part)
        records = np.empty((end - start, RECORD_BYTES), np.uint8)
        done = 0
        for name, image, label in self._encoded(part, start, end):
            records[done, 0] = label
            records[done, 1:] = _pixels(name, image)
            done += 1
        return records[:done]

    def _check_rows(self, part: Part) -> None:
        import pyarrow.parquet as pq

        files = self.files(part)
        rows = sum(pq.read_metadata(file).num_rows for file in files)
        expected = 10_000 if part == "test" else 50_000
        if rows != expected:
            names = ", ".join(file.name for file in files)
            raise ImageError(
                f"{self.path} has {rows:,} of {expected:,} images in {names}: a file is missing or "
                f"cut short; {WAY_OUT}"
            )

    def _encoded(self, part: Part, start: int, end: int) -> Iterator[tuple[str, bytes, int]]:
        """File name, encoded image and label of the rows start..end-1."""
        offset = 0
        for file in self.files(part):
            for batch in _batches(file):
                inside = batch.slice(max(start - offset, 0), max(end - max(start, offset), 0))
                offset += batch.num_rows
                images = inside.column("img").field("bytes").to_pylist()
                labels = inside.column("label").to_pylist()
                for image, label in zip(images, labels, strict=True):
                    yield file.name, image, label
                if offset >= end:
                    return


def _batches(file: Path) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(file)
        if missing := {"img.bytes", "label"} - {column.path for column in opened.schema}:
            raise pa.ArrowInvalid(f"it lacks {', '.join(sorted(missing))}")
        yield from opened.iter_batches(_BATCH, columns=["img.bytes", "label"])
    except pa.ArrowException as error:
        raise ImageError(
            f"{file} is not CIFAR-10 in Parquet (columns img.bytes and label): {error}; {WAY_OUT}"
        ) from error


def _pixels(name: str, image: bytes) -> Records:
    """Pixels of one image, channel after channel, shape (3072,)."""
    from PIL import Image, UnidentifiedImageError

    try:
        decoded = np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))
    except (UnidentifiedImageError, OSError, TypeError) as error:
        raise ImageError(f"{name} holds an image that cannot be decoded: {error}") from error
    if decoded.shape != (32, 32, 3):
        raise ImageError(f"{name} holds an image of shape {decoded.shape}, not (32, 32, 3)")
    return decoded.transpose(2, 0, 1).reshape(-1)


def _numbered(file: Path) -> re.Match[str] | None:
    return re.search(r"-(\d+)-of-(\d+)", file.stem)


def _shard(file: Path) -> tuple[int, str]:
    """Sort by number, so that `train-10` comes after `train-9`."""
    found = re.search(r"-(\d+)", file.stem)
    return (int(found[1]) if found else 0, file.name)
