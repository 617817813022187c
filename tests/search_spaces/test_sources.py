"""Which benchmark a user gets by which word."""

from __future__ import annotations

from pathlib import Path

import pytest

from search_spaces import load_space
from search_spaces.data_directory import official_store
from search_spaces.sources import open_benchmark
from tests.support.benchmarks import synthetic_benchmark


def test_the_fetched_table_goes_before_the_surrogate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path))
    assert open_benchmark().kind == open_benchmark("auto").kind == "surrogate"
    fetched = synthetic_benchmark(official_store(), load_space(1))
    assert open_benchmark().sha256 == open_benchmark("auto").sha256 == fetched.sha256
    assert open_benchmark("surrogate").kind == "surrogate"
    other = synthetic_benchmark(tmp_path / "other.arrow", load_space(2))
    assert open_benchmark(str(other.path)).sha256 == other.sha256
