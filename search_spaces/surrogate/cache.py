"""Expands the shipped file once per machine and maps the result into memory."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from search_spaces.benchmark import Benchmark, BenchmarkError, write_store
from search_spaces.data_directory import data_directory
from search_spaces.surrogate.expansion import expand
from search_spaces.surrogate.keys import union_hashes
from search_spaces.surrogate.shipped import GENERATOR, file_sha256, read_shipped, shipped_path

NAME = "raynas surrogate of NAS-Bench-101"

_TRY_ELSEWHERE = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOTDIR,
)


def open_surrogate(path: Path | None = None) -> Benchmark:
    """The surrogate as a benchmark; its metadata tell how faithful it is.

    The first call on a machine writes the store (about 6 MB) to `cache` in the data directory,
    or to a temporary folder if that is not writable; later calls map it.

    Args:
        path: a file written by `python -m search_spaces.surrogate fit`; by default the one that
            comes with the package.

    Raises:
        SurrogateError: if the file is unreadable or belongs to other spaces.
        OSError: if the store can be written nowhere.
    """
    source = shipped_path() if path is None else path
    name = f"surrogate-{_key(source)}.arrow"
    preferred, fallback = _folders()
    try:
        return _open_or_expand(source, preferred / name)
    except OSError as error:
        if error.errno not in _TRY_ELSEWHERE:
            raise
    return _open_or_expand(source, fallback / name)


def _key(source: Path) -> str:
    return f"{file_sha256(source)[:16]}-{GENERATOR}"


def _folders() -> tuple[Path, Path]:
    user = f"raynas-{os.getuid()}" if hasattr(os, "getuid") else "raynas"
    return data_directory() / "cache", Path(tempfile.gettempdir()) / user


def _open_or_expand(source: Path, store: Path) -> Benchmark:
    if store.is_file():
        try:
            return Benchmark.open(store)
        except BenchmarkError:
            store.unlink()  # damaged, or of an older layout: write it again
    store.parent.mkdir(parents=True, exist_ok=True)
    shipped = read_shipped(source)
    metadata = {key: value for key, value in shipped.metadata.items() if key != "noise"}
    write_store(
        store, expand(shipped, union_hashes()), name=NAME, kind="surrogate", metadata=metadata
    )
    return Benchmark.open(store)
