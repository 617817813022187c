"""Finds the images that a user means."""

from __future__ import annotations

from pathlib import Path

from raynas.images._cifar10 import WAY_OUT
from raynas.images._cifar10_binary import ARCHIVE, FOLDER, Cifar10Archive, Cifar10Folder
from raynas.images._cifar10_parquet import Cifar10Parquet
from raynas.images._digits import Digits
from raynas.images._source import ImageError, ImageSource
from search_spaces.data_directory import data_directory


def find_images(source: str | Path = "auto") -> ImageSource:
    """Find images by name or path; nothing is decoded yet.

    Args:
        source: "cifar10": the archive in the data directory; "digits": scikit-learn's digits;
            "auto": the former if it was fetched, else the latter; or a path: the official binary
            archive, a folder with its unpacked files, or a folder with Parquet files.

    Raises:
        ImageError: there is no such thing; it says where to get it.
    """
    if source == "digits":
        return Digits()
    if source in ("auto", "cifar10"):
        archive = data_directory() / ARCHIVE
        if archive.exists():
            return Cifar10Archive(archive)
        if source == "auto":
            return Digits()
        raise ImageError(f"{archive} does not exist; {WAY_OUT}, or name the folder that has it")
    return _at(Path(source).expanduser())


def _at(path: Path) -> ImageSource:
    if path.is_file():
        if path.name.endswith((".tar.gz", ".tgz")) and "python" not in path.name:
            return Cifar10Archive(path)
        raise ImageError(f"{path} is not {ARCHIVE} (pickled files are never read); {WAY_OUT}")
    if not path.is_dir():
        raise ImageError(
            f"unknown images {str(path)!r}: neither auto, cifar10, digits nor a path that exists",
            exit_code=2,
        )
    if (path / ARCHIVE).is_file():
        return Cifar10Archive(path / ARCHIVE)
    for folder in (path, path / FOLDER):
        if any(folder.glob("data_batch_*.bin")) or (folder / "test_batch.bin").is_file():
            return Cifar10Folder(folder)
    for folder in (path, path / "plain_text", path / "data"):
        if any(folder.glob("train*.parquet")) or any(folder.glob("test*.parquet")):
            return Cifar10Parquet(folder)
    raise ImageError(
        f"{path} has neither {ARCHIVE}, data_batch_1.bin to data_batch_5.bin, nor train*.parquet; "
        f"{WAY_OUT}"
    )
