"""The log of a sweep, its table and its checkpoints, on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from raynas.execution.manifest import COMPARISON, read_manifest, write_manifest
from search_spaces.errors import UserError
from tests.support.sweeps import expected_table, small, toy_space
from tuning.log import Record, SweepLog
from tuning.run import read_sweep_manifest
from tuning.settings import SweepSettings
from tuning.study import Checkpoints, sweep_manifest
from tuning.table import build_table, incumbent, read_evaluations

ONE = Record(0, 0, 0, 0, 25, {"rate": 0.1}, False, 0.3, seconds=2.0, finished=9.0, device="cpu")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    log, other = SweepLog(tmp_path), replace(ONE, evaluation=1, error="Traceback", finished=8.0)
    for record in (ONE, other):
        log.append(record)
    assert log.read() == {0: ONE, 1: other} and log.damaged() == []


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff"])
def test_damage_is_found_and_set_aside(tmp_path: Path, content: bytes) -> None:
    log = SweepLog(tmp_path)
    log.append(ONE)
    (path,) = tmp_path.glob("*.json")
    path.write_bytes(content)
    assert log.read() == {} and len(log.damaged()) == 1
    log.append(ONE)
    assert log.read() == {0: ONE}


def test_of_two_records_of_an_evaluation_the_first_counts(tmp_path: Path) -> None:
    log = SweepLog(tmp_path)
    for finished in (7.0, 5.0, 9.0):
        log.append(replace(ONE, finished=finished))
    assert log.read()[0].finished == 5.0
    log.set_aside(0)
    assert log.read() == {}


def test_leftovers_of_interrupted_writes_are_deleted(tmp_path: Path) -> None:
    (tmp_path / ".tmp-123-000000-ab.json").write_bytes(b"{")
    SweepLog(tmp_path).remove_leftovers()
    assert list(tmp_path.iterdir()) == []


def test_checkpoints_are_checked_and_the_older_ones_deleted(tmp_path: Path) -> None:
    states = Checkpoints(tmp_path)
    first = replace(ONE, checkpoint=states.write(0, 25, b"a"))
    second = replace(ONE, epochs=100, checkpoint=states.write(0, 100, b"b"))
    states.remove_older(0, 100)
    assert states.read(first) is None and states.read(second) == b"b"
    (path,) = tmp_path.glob("*/*.pt")
    path.write_bytes(b"c")
    assert states.read(second) is None


def test_total_seconds_are_those_of_the_configuration() -> None:
    records = {
        0: ONE,
        1: replace(ONE, evaluation=1, configuration=1, seconds=3.0),
        2: replace(ONE, evaluation=2, epochs=50, seconds=4.0),
    }
    table = build_table(records, ["rate"])
    assert table["total_seconds"].to_pylist() == [2.0, 3.0, 6.0]


def test_the_incumbent_is_the_best_of_the_largest_budget() -> None:
    rows = expected_table(small("bohb")).to_pylist()
    full = [row for row in rows if row["epochs"] == 100 and row["status"] == "completed"]
    best = incumbent(expected_table(small("bohb")))
    assert best is not None
    assert best["validation_error"] == min(row["validation_error"] for row in full)
    failed = replace(ONE, validation_error=None, error="no")
    assert incumbent(build_table({0: failed}, [])) is None


def test_a_study_of_another_kind_is_no_sweep(tmp_path: Path) -> None:
    manifest = sweep_manifest(SweepSettings(), toy_space(), {"method": "toy"}, {"about": 1})
    write_manifest(tmp_path, manifest)
    assert read_sweep_manifest(tmp_path)["about"] == 1
    assert read_evaluations(tmp_path).num_rows == 0
    with pytest.raises(UserError, match="is a sweep, not a comparison; give the directory of a"):
        read_manifest(tmp_path, COMPARISON)
    write_manifest(tmp_path, manifest | {"kind": "comparison", "benchmark": {}, "tables": {}})
    with pytest.raises(UserError, match="is a comparison, not a sweep"):
        read_evaluations(tmp_path)
    write_manifest(tmp_path, manifest | {"finished": "now"})
    with pytest.raises(UserError, match=r"cannot read .*evaluations.parquet"):
        read_evaluations(tmp_path)
