"""CIFAR-10's files with made-up pixels."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np

BATCHES = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]


def batch_bytes(number: int) -> bytes:
    """10,000 records; the first byte of each image tells the batch, the second the image."""
    records = np.zeros((10_000, 3073), np.uint8)
    records[:, 0] = np.arange(10_000) % 10
    records[:, 1] = number
    records[:, 2] = np.arange(10_000) % 251
    return records.tobytes()


def write_archive(path: Path, contents: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path
