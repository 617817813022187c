"""What is read of studies whose runs are not all what they seem."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from raynas.analysis.random_policy.reading import read_inputs
from search_spaces import load_space
from search_spaces.table import Table
from tests.support.benchmarks import synthetic_benchmark
from tests.support.searches_study import walking_search, write_searches


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    space = load_space(1)
    path = tmp_path_factory.mktemp("store") / "space1.arrow"
    return synthetic_benchmark(path, space).table(space)


def test_searches_that_failed_ended_with_no_cell(table: Table, tmp_path: Path) -> None:
    whole, failed, short, late = (walking_search("darts", table, s, 3) for s in range(4))
    failed = replace(failed, records=failed.records[:1], failure="out of memory")
    short = replace(short, records=short.records[:2])
    late = replace(late, failure="the last checkpoint could not be written")
    study = write_searches(tmp_path / "study", [whole, failed, short, late])
    [found] = read_inputs([study]).finals
    assert found.ended.tolist() == [True, False, False, False]
