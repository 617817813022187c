from __future__ import annotations

from pathlib import Path

import pytest

from raynas.report import build_report
from search_spaces.spaces import load_space
from search_spaces.table import Table
from tests.support.benchmarks import synthetic_benchmark
from tests.support.studies import random_log, write_study

METHODS = {"rs": 0.0, "re": 6.0, "hb": 1.0, "tpe": 4.0}


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Table]:
    folder = tmp_path_factory.mktemp("benchmarks")
    spaces = {name: load_space(name) for name in ("1", "2")}
    return {
        name: synthetic_benchmark(folder / f"{name}.arrow", space, seed=1).table(space)
        for name, space in spaces.items()
    }


@pytest.fixture(scope="session")
def study(tables: dict[str, Table], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four methods on space 1, some evaluations failed; built once, with its report."""
    log = random_log(tables["1"], METHODS, seeds=5, evaluations=30, failing=0.02)
    path = write_study(tmp_path_factory.mktemp("studies") / "first", {"1": tables["1"]}, [log])
    build_report([path], path)
    return path


@pytest.fixture(scope="session")
def two_spaces(tables: dict[str, Table], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two methods on spaces 1 and 2, without a report."""
    logs = [
        random_log(table, {"rs": 0.0, "ls": 5.0}, seeds=3, evaluations=20, seed=9)
        for table in tables.values()
    ]
    return write_study(tmp_path_factory.mktemp("studies") / "second", tables, logs)
