from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raynas.analysis.random_policy import Finals, distinct, finals_of_table, find_rows
from raynas.analysis.random_policy.labels import counterpart
from raynas.analysis.random_policy.reading import read_inputs
from search_spaces.errors import UserError
from search_spaces.space import hash_texts
from search_spaces.spaces import load_space

HASHES = hash_texts(load_space(1).unique_hashes())


def table(**columns: Any) -> pa.Table:
    base = {"method": ["a", "a", "b"], "seed": [0, 1, 0], "module_hash": HASHES[:3]}
    return pa.table({k: v for k, v in (base | columns).items() if v is not None})


def test_every_hash_is_found_and_no_other() -> None:
    space = load_space(1)
    assert find_rows(space, HASHES).tolist() == list(range(space.num_unique))
    others = ["0" * 32, "f" * 32, "ab", "not a hash", None, "", HASHES[0].upper()]
    assert find_rows(space, others).tolist() == [-1] * 6 + [0]


def test_three_columns_are_enough() -> None:
    first, second = finals_of_table(table(), "file", "1")
    assert (first.method, first.seeds.tolist(), first.rows.tolist()) == ("a", [0, 1], [0, 1])
    assert (second.method, second.rows.tolist()) == ("b", [2])
    assert first.weight_sharing is None and np.isnan(first.seconds).all()


def test_a_run_without_a_cell_is_counted() -> None:
    first, _ = finals_of_table(table(module_hash=[None, HASHES[5], HASHES[6]]), "file", "1")
    assert first.rows.tolist() == [-1, 5] and first.ended.tolist() == [False, True]


@pytest.mark.parametrize(
    ("changed", "space", "message"),
    [
        ({"module_hash": None}, "1", "lacks the columns module_hash"),
        ({}, None, "say which with --space"),
        ({"space": ["1", "1", "2"]}, "1", "is of space 2, not of space 1"),
        ({"space": ["1", "1", "7"]}, None, "'7' is no space"),
        ({"seconds": [1.0, np.inf, 2.0]}, "1", "column seconds has inf"),
        ({"seconds": [1.0, None, -5.0]}, "1", "column seconds has -5"),
        ({"seed": ["x", "y", "z"]}, "1", "column seed is no int64"),
        ({"seed": [0, None, 0]}, "1", "column seed has empty places"),
        ({"seed": [4, 4, 0]}, "1", "seed 4 of a twice"),
        ({"module_hash": [HASHES[0], "f" * 32, HASHES[2]]}, "1", "(a, seed 1) is not in space 1"),
        ({"module_hash": ["xyz", None, None]}, "1", "32 hexadecimal digits"),
        ({}, "2", "space 1 has it"),
        ({"module_hash": pa.nulls(3, pa.string())}, "1", "no run that ended with a cell"),
    ],
)
def test_bad_tables_say_what_is_missing(
    changed: dict[str, Any], space: str | None, message: str
) -> None:
    with pytest.raises(UserError) as caught:
        finals_of_table(table(**changed), "their.csv", space)
    assert message in str(caught.value) and "their.csv" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_csv_hashes_of_digits_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "finals.csv"
    path.write_text(f"method,seed,module_hash\na,0,{'1' * 32}\n")
    with pytest.raises(UserError, match=f"cell {'1' * 32} "):
        read_inputs([path], "1")


def test_csv_and_parquet_are_read_alike(tmp_path: Path) -> None:
    rows = table(weight_sharing=[True, True, False], seconds=[1.5, 2.0, None])
    pq.write_table(rows, tmp_path / "finals.parquet")
    lines = ["method,seed,module_hash,weight_sharing,seconds"]
    lines += [",".join("" if v is None else str(v) for v in r.values()) for r in rows.to_pylist()]
    (tmp_path / "finals.csv").write_text("\n".join(lines))
    found = [read_inputs([tmp_path / f"finals.{s}"], "1").finals for s in ("csv", "parquet")]
    for one, other in zip(*found, strict=True):
        assert (one.method, one.weight_sharing) == (other.method, other.weight_sharing)
        assert one.rows.tolist() == other.rows.tolist()
        assert np.array_equal(one.seconds, other.seconds, equal_nan=True)


@pytest.mark.parametrize(
    ("name", "message"),
    [("no-such-study", "raynas.compare"), ("notes.txt", "no study directory"), ("x.csv", "read")],
)
def test_files_that_are_none(tmp_path: Path, name: str, message: str) -> None:
    if "." in name:
        (tmp_path / name).write_text("")
    with pytest.raises(UserError, match=message):
        read_inputs([tmp_path / name], "1")


def finals(method: str, sharing: bool | None, source: str = "one") -> Finals:
    nothing = np.zeros(1)
    return Finals(method, "1", sharing, nothing, nothing, nothing, "real", source)


def test_runs_of_several_sources_are_not_mixed() -> None:
    found = distinct([finals("rs", False), finals("rs", False, "two"), finals("re", False, "two")])
    assert [one.method for one in found] == ["rs", "rs · two", "re"]
    again = distinct([finals("rs", False) for _ in range(3)])
    assert len({one.method for one in again}) == 3


def test_what_is_not_known_to_be_without_sharing_is_not_called_so() -> None:
    found = distinct([finals("enas", True), finals("enas", None, "two"), finals("rs", False)])
    found = distinct([*found, finals("rs", None, "two")])
    assert [one.method for one in found] == ["enas", "enas · two", "rs", "rs · two"]
    given = [finals("enas", s, n) for n in ("one", "two") for s in (None, False, True)]
    named = distinct(given)
    assert len({one.method for one in named}) == len(given)
    assert all(one.weight_sharing is False for one in named if "without" in one.method)
    assert counterpart(named[2], named) is named[1] and counterpart(named[5], named) is named[4]


def test_counterparts_without_weight_sharing() -> None:
    found = distinct([finals("enas", True), finals("enas", False), finals("rs", False)])
    assert [one.method for one in found] == ["enas", "enas without sharing", "rs"]
    assert counterpart(found[0], found) is found[1]
    assert counterpart(found[1], found) is None
    shared = finals("random_ws", True)
    assert counterpart(shared, found) is found[2]
    controllers = [finals("enas", True), finals("reinforce", False)]
    assert counterpart(controllers[0], controllers) is controllers[1]
    assert counterpart(finals("darts", True), found) is None
