"""The benchmark file on the node where a worker runs."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raynas.execution.files import write_atomically, writing
from search_spaces.benchmark import Benchmark, BenchmarkError

Fetch = Callable[[], npt.NDArray[np.uint8]]


def benchmark_on_node(
    path: Path, sha256: str, fetch: Fetch, cache: Path | None = None
) -> Benchmark:
    """Map the benchmark with a given checksum, fetching it once per node if it is not there.

    Args:
        path: where the driver's machine has it; this node may have it there, too.
        sha256: checksum of the content, as recorded in the file's header.
        fetch: the file's bytes, from the driver's machine.
        cache: folder for fetched files; by default the user's cache folder.

    Raises:
        UserError: what was fetched cannot be kept, or is no such benchmark.
    """
    here = _open_if_same(path, sha256)
    if here is not None:
        return here
    cache = cache or cache_directory()
    kept = cache / f"{sha256}.arrow"
    with writing(kept):
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / f"{sha256}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _open_if_same(kept, sha256) is None:
                write_atomically(kept, lambda temporary: fetch().tofile(temporary))
    fetched = _open_if_same(kept, sha256)
    if fetched is not None:
        fetched.verify()
    if fetched is None:
        raise BenchmarkError(f"{path} is not the benchmark with sha256 {sha256[:12]} any more")
    return fetched


def cache_directory() -> Path:
    """Where this node keeps fetched benchmarks."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "raynas" / "benchmarks"


def _open_if_same(path: Path, sha256: str) -> Benchmark | None:
    try:
        benchmark = Benchmark.open(path)
    except BenchmarkError:
        return None
    return benchmark if benchmark.sha256 == sha256 else None
