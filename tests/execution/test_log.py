"""Blocks: written as a whole, read without duplicates and gaps, merged, set aside when damaged."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raynas.execution.log import LOG_SCHEMA, BlockLog, Run, rows_to_table, table_to_rows
from raynas.execution.row import Row, failed_run
from search_spaces.errors import UserError

RUN: Run = ("rs", "1", 3)


def row(evaluation: int, failure: str | None = None) -> Row:
    error = None if failure else 0.25
    real = 0.001 * (evaluation + 1)
    return Row(
        evaluation, evaluation, (0, 1, 2), 9, 108, 1, error, error, 10.0 + evaluation, real, failure
    )


def rows(first: int, last: int) -> list[Row]:
    return [row(i) for i in range(first, last)]


def test_rows_and_tables_are_the_same_thing() -> None:
    some = [row(0), row(1, "unknown"), failed_run(2, 11.0, 0.003, "ValueError: no")]
    table = rows_to_table(RUN, some)
    assert table.schema.equals(LOG_SCHEMA)
    assert table_to_rows(table) == {RUN: some}
    assert rows_to_table(RUN, []).equals(LOG_SCHEMA.empty_table())


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    log = BlockLog(tmp_path)
    log.append(rows_to_table(RUN, rows(0, 5)))
    log.append(rows_to_table(RUN, rows(5, 8)), {RUN: 8})
    log.append(rows_to_table(("re", "1", 0), rows(0, 2)))
    contents = BlockLog(tmp_path).read()
    assert table_to_rows(contents.table) == {("re", "1", 0): rows(0, 2), RUN: rows(0, 8)}
    assert contents.finished == {RUN}
    assert table_to_rows(log.read("rs", "1", [3]).table) == {RUN: rows(0, 8)}
    assert log.read("rs", "1", [4]).table.num_rows == 0


def test_appending_again_changes_nothing(tmp_path: Path) -> None:
    log = BlockLog(tmp_path)
    for first in (0, 0, 3, 2):  # the same, the next, and an overlapping block
        log.append(rows_to_table(RUN, rows(first, first + 3)))
    assert table_to_rows(log.read().table) == {RUN: rows(0, 6)}


def test_a_run_that_ends_without_new_rows(tmp_path: Path) -> None:
    log = BlockLog(tmp_path)
    log.append(rows_to_table(RUN, rows(0, 3)))
    assert not log.read().finished
    log.append(rows_to_table(RUN, []), {RUN: 3, ("rs", "1", 4): 0})
    assert log.read().finished == {RUN, ("rs", "1", 4)}
    log.append(rows_to_table(RUN, []))
    assert len(list(tmp_path.iterdir())) == 2


def test_rows_after_a_gap_do_not_count(tmp_path: Path) -> None:
    log = BlockLog(tmp_path)
    log.append(rows_to_table(RUN, rows(0, 3)))
    log.append(rows_to_table(RUN, rows(5, 9)), {RUN: 9})
    contents = log.read()
    assert table_to_rows(contents.table) == {RUN: rows(0, 3)} and not contents.finished


def test_a_failed_run_is_finished(tmp_path: Path) -> None:
    log = BlockLog(tmp_path)
    log.append(rows_to_table(RUN, [*rows(0, 2), failed_run(2, 1.0, 1.0, "ValueError")]))
    assert log.read().finished == {RUN}


@pytest.mark.parametrize("damage", ["cut", "text", "foreign"])
def test_damaged_blocks_are_set_aside(tmp_path: Path, damage: str) -> None:
    log = BlockLog(tmp_path)
    log.append(rows_to_table(RUN, rows(0, 3)))
    whole = {path.name for path in tmp_path.iterdir()}
    log.append(rows_to_table(RUN, rows(3, 6)), {RUN: 6})
    (path,) = [path for path in tmp_path.iterdir() if path.name not in whole]
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "text":
        path.write_text("not a table")
    else:
        pq.write_table(pa.table({"a": [1]}), path)
    contents = log.read()
    assert table_to_rows(contents.table) == {RUN: rows(0, 3)} and not contents.finished
    assert log.damaged() == [path.with_suffix(".damaged")]
    log.append(rows_to_table(RUN, rows(3, 6)), {RUN: 6})
    assert log.read().finished == {RUN}


def test_any_flipped_bit_is_noticed(tmp_path: Path) -> None:
    log = BlockLog(tmp_path)
    log.append(rows_to_table(RUN, rows(0, 3)), {RUN: 3})
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        assert log.read().table.num_rows == 0
        path.with_suffix(".damaged").unlink()


def test_blocks_are_merged(tmp_path: Path) -> None:
    log = BlockLog(tmp_path, merge_at=4)
    other: Run = ("rs", "1", 4)
    for i in range(18):
        log.append(rows_to_table(RUN, rows(2 * i, 2 * i + 2)), {RUN: 36} if i == 17 else None)
    log.append(rows_to_table(other, rows(0, 1)), {other: 1})
    contents = log.read()
    assert len(list(tmp_path.iterdir())) <= 4
    assert table_to_rows(contents.table) == {RUN: rows(0, 36), other: rows(0, 1)}
    assert contents.finished == {RUN, other}


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = BlockLog(tmp_path)
    log.append(rows_to_table(RUN, rows(0, 3)))

    def full(path: Path, content: bytes) -> None:
        path.write_text("half a block")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match="the disk is full; free some space"):
        log.append(rows_to_table(RUN, rows(3, 6)))
    assert len(list(tmp_path.iterdir())) == 1
    assert table_to_rows(log.read().table) == {RUN: rows(0, 3)}


def test_leftovers_of_interrupted_writes_are_removed(tmp_path: Path) -> None:
    log = BlockLog(tmp_path)
    (tmp_path / ".tmp-0123-rs-1-aa.parquet").write_text("half")
    assert log.read().table.num_rows == 0
    log.remove_leftovers()
    assert list(tmp_path.iterdir()) == []
