"""Conversions of small official tables, and what they should give."""

from __future__ import annotations

from pathlib import Path

import pytest

from search_spaces.benchmark import BUDGETS, REPEATS, Benchmark, column_name
from search_spaces.convert import convert
from search_spaces.table_errors import TableFileError
from tests.support.official_table import (
    Evaluation,
    Row,
    figures,
    payload,
    record,
    rows_of,
    some_cells,
    write_records,
)

CELLS = some_cells(40)
BASE = [row for cell in CELLS[:2] for row in rows_of(cell)]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def stored_runs(store: Path) -> dict[tuple[str, int, int], tuple[int, int, float]]:
    """Known runs: validation and test accuracy as integers, training seconds."""
    benchmark = Benchmark.open(store)
    runs = {}
    for epochs in BUDGETS:
        for repeat in REPEATS:
            columns = [
                benchmark.column(column_name(quantity, epochs, repeat))
                for quantity in ("validation_accuracy", "test_accuracy", "training_seconds")
            ]
            for row, digest in enumerate(benchmark.hashes):
                unknown = {mask is not None and bool(mask[row]) for _, mask in columns}
                assert len(unknown) == 1
                if not unknown.pop():
                    key = (digest.tobytes().hex(), epochs, repeat)
                    runs[key] = tuple(values[row].item() for values, _ in columns)
    return runs


def expected_runs(cells, budgets, repeats=3) -> dict[tuple[str, int, int], tuple[int, int, float]]:
    runs = {}
    for cell in cells:
        for epochs in budgets:
            for repeat in range(repeats):
                final = figures(cell.module_hash, epochs, repeat)[-1]
                runs[cell.module_hash, epochs, repeat] = (
                    round(final.validation_accuracy * 9984),
                    round(final.test_accuracy * 9984),
                    final.training_time,
                )
    return runs


def with_final(row: Row, **changes: float) -> Row:
    final = Evaluation(**(vars(row.evaluations[2]) | changes))
    return Row(**(vars(row) | {"evaluations": (*row.evaluations[:2], final)}))


def check_refused(folder: Path, rows: list[Row], row: int, reason: str) -> None:
    contents = [payload(entry) for entry in rows]
    path = write_records(folder / "table", contents)
    offset = sum(len(record(content)) for content in contents[:row])
    with pytest.raises(TableFileError) as info:
        convert(path, folder / "store.arrow")
    message = str(info.value)
    assert f"{path}: row {row} at byte offset {offset}: " in message
    assert reason in message
    assert "\n" not in message
    assert names(folder) == ["table"]
