"""A space, a synthetic table, and plans that use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raynas.execution import Plan
from search_spaces.benchmark import Benchmark
from search_spaces.space import Space
from search_spaces.spaces import load_space
from search_spaces.table import Table
from tests.support.benchmarks import synthetic_benchmark

MakePlan = Callable[..., Plan]


@pytest.fixture(scope="session")
def space() -> Space:
    return load_space("1")


@pytest.fixture(scope="session")
def benchmark(tmp_path_factory: pytest.TempPathFactory, space: Space) -> Benchmark:
    return synthetic_benchmark(tmp_path_factory.mktemp("benchmark") / "one.arrow", space)


@pytest.fixture(scope="session")
def table(benchmark: Benchmark, space: Space) -> Table:
    return benchmark.table(space)


@pytest.fixture(scope="session")
def make_plan(benchmark: Benchmark) -> MakePlan:
    def make(**changes: Any) -> Plan:
        plan: dict[str, Any] = {
            "spaces": ("1",),
            "methods": ("rs", "re"),
            "seeds": (0, 1, 2),
            "evaluations": 20,
            "benchmark": Path(benchmark.path),
            "sha256": benchmark.sha256,
        }
        return Plan(**plan | changes)

    return make
