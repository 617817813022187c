"""Finds the benchmark that a user means."""

from __future__ import annotations

from pathlib import Path

from search_spaces.benchmark import Benchmark, BenchmarkError
from search_spaces.data_directory import official_store


def open_benchmark(source: str = "auto") -> Benchmark:
    """Open a benchmark by name or path.

    Args:
        source: "surrogate" for the embedded one; a path of a store; or "auto": the official table
            if the data directory has it, else the surrogate.

    Raises:
        BenchmarkError: if the path is no store.
    """
    official = official_store()
    if source == "auto" and official.exists():
        return Benchmark.open(official)
    if source in ("auto", "surrogate"):
        from search_spaces.surrogate import open_surrogate

        return open_surrogate()
    if Path(source).suffix == ".tfrecord":
        raise BenchmarkError(
            f"{source} is an official file, not yet a store; convert it with "
            f"`python -m search_spaces.convert {source}`, then give the store that it names"
        )
    return Benchmark.open(source)
