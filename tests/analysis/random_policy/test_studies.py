"""What is read of studies whose runs are not all what they seem."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from raynas.analysis.random_policy import EQUAL_BUDGET, RIVALS, WITHOUT_SHARING, judge, wording
from raynas.analysis.random_policy.reading import read_inputs
from search_spaces import load_space
from search_spaces.space import hash_texts
from search_spaces.table import Table
from tests.support.benchmarks import synthetic_benchmark
from tests.support.searches_study import walking_search, write_searches
from tests.support.studies import random_log, write_study


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


def test_rivals_have_the_time_of_the_searches_that_ended(table: Table, tmp_path: Path) -> None:
    log = random_log(table, {"rs": 0.0}, seeds=3, evaluations=15)
    study = write_study(tmp_path / "study", {"1": table}, [log])
    long = float(np.max(log.column("simulated_seconds").to_numpy()))
    whole = walking_search("darts", table, 0, 3)
    slow = [replace(record, seconds=3 * long) for record in whole.records]
    failed = replace(walking_search("darts", table, 1, 1), failure="out of memory")
    write_searches(study, [replace(whole, records=slow), failed])
    rs, darts = read_inputs([study]).finals
    assert darts.rivals is not None and darts.rivals.tolist() == rs.rows.tolist()
    write_study(tmp_path / "other", {"1": table}, [log])
    lost = [replace(record, seconds=long) for record in failed.records]
    write_searches(tmp_path / "other", [whole, replace(failed, records=lost)])
    [_, darts] = read_inputs([tmp_path / "other"]).finals
    assert darts.rivals is not None and (darts.rivals == -1).all()  # before its first evaluation


def test_cells_chosen_by_test_error_are_said_to_be(table: Table, tmp_path: Path) -> None:
    log = random_log(table, {"rs": 0.0, "re": 20.0}, seeds=4, evaluations=15)
    study = write_study(tmp_path / "chosen", {"1": table}, [log], incumbent="oracle")
    write_searches(study, [walking_search("random_ws", table, s, 3) for s in range(3)])
    inputs = read_inputs([study])
    [space] = judge(inputs.finals, inputs.tables)
    methods = {method.finals.method: method for method in space.methods}
    for name in ("rs", "re"):
        said = str(methods[name].comparisons[EQUAL_BUDGET].superiority)
        assert "chosen by test error" in said
    assert {RIVALS, WITHOUT_SHARING}.isdisjoint(methods["random_ws"].comparisons)
    assert any("rs, re were chosen by their test errors" in note for note in space.notes)
    assert "Better than random search" not in " ".join(wording.findings(space))


def test_sets_of_one_name_are_numbered_and_say_what_they_lack(tmp_path: Path) -> None:
    hashes = hash_texts(load_space(1).unique_hashes())
    lines = ["module_hash", *hashes[:3], hashes[0], "f" * 32, "none"]
    paths = [tmp_path / name for name in ("a/cells.csv", "b/cells.csv", "unique cells.csv")]
    for path, count in zip(paths, (7, 3, 3), strict=True):
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines[:count]))
    finals = tmp_path / "finals.csv"
    finals.write_text(f"method,seed,module_hash\na,0,{hashes[5]}\n")
    found = read_inputs([finals], "1", "surrogate", paths)
    sizes = {name: len(rows) for name, rows in found.among["1"].items()}
    assert sizes == {"cells": 3, "cells (2)": 2, "unique cells (2)": 2}
    [note] = found.notes["1"]
    assert note == ("Left out of cells: 2 of the hashes in cells.csv, which space 1 does not have.")
    [space] = judge(found.finals, found.tables, among=found.among, notes=found.notes)
    assert note in space.notes


@pytest.mark.parametrize("rule", ["validation", "oracle"])
def test_rivals_are_judged_by_the_mean_of_their_trainings(
    table: Table, tmp_path: Path, rule: str
) -> None:
    log = random_log(table, {"rs": 0.0, "re": 20.0}, seeds=4, evaluations=15)
    study = write_study(tmp_path / "study", {"1": table}, [log], incumbent=rule)
    rs, re = read_inputs([study]).finals
    assert rs.rivals is None and re.rivals is not None
    rows = log.to_pylist()
    error = "test_error" if rule == "oracle" else "validation_error"
    for seed, found in enumerate(re.rivals):
        mine = [r for r in rows if (r["method"], r["seed"]) == ("rs", seed)]
        seen = [r for r in mine if r["simulated_seconds"] <= np.mean(re.seconds)]
        assert min(seen, key=lambda r: r[error])["row"] == found
