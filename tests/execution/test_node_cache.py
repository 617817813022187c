from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from raynas.execution.node_cache import benchmark_on_node
from search_spaces.benchmark import Benchmark
from search_spaces.errors import UserError


def refuse() -> npt.NDArray[np.uint8]:
    raise AssertionError("nothing has to be fetched")


def test_the_driver_s_file_is_used_where_it_is(benchmark: Benchmark, tmp_path: Path) -> None:
    found = benchmark_on_node(benchmark.path, benchmark.sha256, refuse, tmp_path)
    assert found.path == benchmark.path and list(tmp_path.iterdir()) == []


def test_fetched_once_where_it_is_not(benchmark: Benchmark, tmp_path: Path) -> None:
    def fetch() -> npt.NDArray[np.uint8]:
        return np.fromfile(benchmark.path, np.uint8)

    absent, cache = tmp_path / "absent.arrow", tmp_path / "cache"
    first = benchmark_on_node(absent, benchmark.sha256, fetch, cache)
    again = benchmark_on_node(absent, benchmark.sha256, refuse, cache)
    assert first.path == again.path == cache / f"{benchmark.sha256}.arrow"
    assert again.sha256 == benchmark.sha256
    first.path.write_bytes(b"damaged")
    assert benchmark_on_node(absent, benchmark.sha256, fetch, cache).sha256 == benchmark.sha256


def test_another_file_under_the_same_name_is_not_used(benchmark: Benchmark, tmp_path: Path) -> None:
    def fetch() -> npt.NDArray[np.uint8]:
        return np.fromfile(benchmark.path, np.uint8)

    with pytest.raises(UserError, match="is not the benchmark with sha256 000000000000 any more"):
        benchmark_on_node(benchmark.path, "0" * 64, fetch, tmp_path)
