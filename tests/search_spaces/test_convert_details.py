"""What the store does not hold is beside it, exactly."""

from __future__ import annotations

import numpy as np
import pytest

from search_spaces.benchmark import REPEATS, Benchmark
from search_spaces.convert import convert
from search_spaces.errors import UserError
from search_spaces.nasbench_details import Details, details_path
from tests.support.conversions import CELLS, with_final
from tests.support.official_table import (
    figures,
    payload,
    rows_of,
    write_official_table,
    write_records,
)

FIGURES = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")


def test_details_hold_what_the_store_does_not(tmp_path):
    table = write_official_table(tmp_path / "table", CELLS, (12, 108), shuffle_seed=3)
    store = convert(table, tmp_path / "store.arrow").store
    benchmark = Benchmark.open(store)
    details = Details(details_path(store), benchmark.sha256)
    assert details.epochs == (12, 108)
    by_hash = {cell.module_hash: cell for cell in CELLS}
    for row, digest in enumerate(benchmark.hashes):
        cell = by_hash[digest.tobytes().hex()]
        matrix, ops = details.graph(row)
        assert (matrix.tolist(), ops) == (cell.matrix.tolist(), list(cell.ops))
        for budget, epochs in enumerate(details.epochs):
            runs = [figures(cell.module_hash, epochs, repeat) for repeat in REPEATS]
            for place, stage in ((1, "halfway"), (2, "final")):
                for name in FIGURES:
                    if (stage, name) in details.stored:
                        found = details.figure(f"{stage}_{name}")[row, budget]
                        assert sorted(found) == sorted(getattr(r[place], name) for r in runs)
    assert sorted(details.appearance.tolist()) == list(range(len(CELLS)))


def test_details_of_another_store_are_refused(tmp_path):
    table = write_official_table(tmp_path / "table", CELLS[:3])
    convert(table, tmp_path / "store.arrow")
    path = details_path(tmp_path / "store.arrow")
    with pytest.raises(UserError, match="belongs to another store; convert"):
        Details(path, "0" * 64)
    with pytest.raises(UserError, match=r"no details file .*convert"):
        Details(tmp_path / "absent", "0" * 64)
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match="is no details file; convert"):
        Details(path, "0" * 64)


def test_doubles_that_are_no_float32_stay_exact_in_the_details(tmp_path):
    rows = rows_of(CELLS[0])
    rows[1] = with_final(rows[1], training_time=1234.1, train_accuracy=0.1)
    write_records(tmp_path / "table", map(payload, rows))
    store = convert(tmp_path / "table", tmp_path / "store.arrow").store
    details = Details(details_path(store), Benchmark.open(store).sha256)
    assert details.figure("final_training_time")[0, 0, 1] == 1234.1
    assert details.figure("final_train_accuracy")[0, 0, 1] == 0.1
    assert details.figure("halfway_train_accuracy").dtype == np.float32
