from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from raynas.report import build_report
from search_spaces.spaces import load_space
from search_spaces.table import Table
from tests.support.benchmarks import synthetic_benchmark
from tests.support.browser import start_browser
from tests.support.searches_study import FinishedSearch, real_search, walking_search, write_searches
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


@pytest.fixture(scope="session")
def found(tables: dict[str, Table]) -> list[FinishedSearch]:
    """Three methods on space 1, two with real supernets; one search ended early."""
    table = tables["1"]
    failure = "darts on space 1 diverged in epoch 4 of 5: <weights> not finite"
    return [
        real_search("darts", table, 0, 5),
        real_search("darts", table, 1, 3, failure),
        *(real_search("gdas", table, seed, 5) for seed in range(2)),
        *(walking_search("random_ws", table, seed, 5) for seed in range(2)),
    ]


@pytest.fixture(scope="session")
def both_families(
    study: Path, found: list[FinishedSearch], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The first study with searches beside the black-box methods; built, with its report."""
    path = tmp_path_factory.mktemp("studies") / "both"
    shutil.copytree(study, path, ignore=shutil.ignore_patterns("figures", "report.html"))
    write_searches(path, found)
    build_report([path], path)
    return path


@pytest.fixture(scope="session")
def searches_only(found: list[FinishedSearch], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing but searches, without a report."""
    return write_searches(tmp_path_factory.mktemp("studies") / "searches", found)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    yield from start_browser(tmp_path_factory.mktemp("profile"))
