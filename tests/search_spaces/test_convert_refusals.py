"""Tables that cannot be right are refused, and whatever fails leaves no store."""

from __future__ import annotations

import errno
from itertools import accumulate

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from search_spaces import convert as convert_module
from search_spaces.convert import convert
from search_spaces.errors import UserError
from search_spaces.table_errors import TableFileError
from tests.support.conversions import (
    BASE,
    CELLS,
    check_refused,
    names,
    stored_runs,
    with_final,
)
from tests.support.official_table import (
    Row,
    payload,
    record,
    rows_of,
    write_official_table,
    write_records,
)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"validation_accuracy": 0.90003}, "validation_accuracy 0.90003 is no multiple of 1/9984"),
        ({"test_accuracy": 0.5 + 2e-7}, "test_accuracy 0.5000002 is no multiple"),
        ({"test_accuracy": float("nan")}, "final test_accuracy is nan"),
        ({"train_accuracy": 1.5}, "final train_accuracy is 1.5"),
        ({"training_time": -1.0}, "final training_time is -1.0"),
        ({"training_time": float("inf")}, "final training_time is inf"),
    ],
)
def test_impossible_figures_are_refused(tmp_path, changes, reason):
    rows = [*BASE[:4], with_final(BASE[4], **changes), BASE[5]]
    check_refused(tmp_path, rows, 4, reason)


def test_accuracies_of_float32_precision_are_accepted(tmp_path):
    """The float32 nearest to any k / 9984 is close enough to k."""
    values = (np.arange(9985) / 9984).astype(np.float32).astype(np.float64)
    assert np.abs(values * 9984 - np.arange(9985)).max() < 1e-3
    rows = [
        with_final(row, validation_accuracy=float(values[k]), test_accuracy=float(values[-k - 1]))
        for row, k in zip(BASE[:3], (0, 1, 9361), strict=True)
    ]
    write_records(tmp_path / "table", map(payload, rows))
    runs = stored_runs(convert(tmp_path / "table", tmp_path / "store.arrow").store)
    assert [run[:2] for run in runs.values()] == [(0, 9984), (1, 9983), (9361, 623)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"adjacency": "0" * 48}, "does not fit the operations"),
        ({"adjacency": "2" * 49}, "no square of 0 and 1"),
        ({"adjacency": "1" * 49}, "not upper triangular"),
        ({"operations": "input,conv5x5,output"}, "does not fit the operations"),
        ({"operations": "input," + "conv5x5," * 5 + "output"}, "conv5x5"),
        ({"operations": "output," + "maxpool3x3," * 5 + "input"}, "operations 'output"),
        ({"parameters": -5}, "-5 trainable parameters"),
    ],
)
def test_impossible_cells_are_refused(tmp_path, changes, reason):
    bad = Row(**(vars(rows_of(CELLS[0])[0]) | {"module_hash": "f" * 32} | changes))
    check_refused(tmp_path, [*rows_of(CELLS[1]), bad], 3, reason)


def test_a_fourth_repeat_is_refused(tmp_path):
    check_refused(tmp_path, [*BASE, BASE[1]], 6, f"run 4 of cell {BASE[1].module_hash}")


def test_more_cells_than_the_benchmark_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(convert_module, "NUM_CELLS", 1)
    check_refused(tmp_path, BASE, 3, "more than the 1 cells")


@pytest.mark.parametrize("dropped", [1, 2, 4])
def test_a_file_cut_between_records_is_noticed_by_its_incomplete_cell(tmp_path, dropped):
    rows = [row for cell in CELLS[:3] for row in rows_of(cell, (4, 108))][:-dropped]
    write_records(tmp_path / "table", map(payload, rows))
    with pytest.raises(UserError, match=f"{CELLS[2].module_hash}.*--partial"):
        convert(tmp_path / "table", tmp_path / "store.arrow")
    assert names(tmp_path) == ["table"]
    result = convert(tmp_path / "table", tmp_path / "store.arrow", partial=True)
    assert len(stored_runs(result.store)) == len(rows)


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_no_damage_ever_leaves_a_store(tmp_path, data):
    table = write_records(tmp_path / "table", map(payload, BASE))
    content = bytearray(table.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    # A cut between the runs of the first cell, or behind them, leaves a valid file of that cell.
    lengths = [len(record(payload(row))) for row in BASE[:3]]
    assume(place not in accumulate(lengths))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        del content[place:]
    table.write_bytes(content)
    with pytest.raises(UserError):
        convert(table, tmp_path / "store.arrow")
    assert names(tmp_path) == ["table"]


def test_a_failed_conversion_leaves_the_old_store(tmp_path):
    good = write_official_table(tmp_path / "good", CELLS[:2])
    convert(good, tmp_path / "store.arrow")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "good").write_bytes(before[good][:-3])
    with pytest.raises(TableFileError):
        convert(good, tmp_path / "store.arrow")
    good.write_bytes(before[good])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    table = write_official_table(tmp_path / "table", CELLS[:2])

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pa.ipc, "new_file", full)
    with pytest.raises(OSError, match="No space left"):
        convert(table, tmp_path / "store.arrow")
    assert names(tmp_path) == ["table"]
