"""The epochs of searches as rows of a study's log: what the benchmark says of each cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from raynas.execution.log import LOG_SCHEMA, Run, rows_to_table
from raynas.execution.lookup import TableLookup
from raynas.execution.row import MEAN, Row, failed_run
from raynas.execution.search_log import SearchContents
from raynas.execution.simulation import FULL_TRAINING_EPOCHS, RepeatStream
from raynas.seeds import seed_for
from search_spaces.benchmark import Benchmark
from search_spaces.spaces import load_space
from search_spaces.table import Table

SEARCH_LOG_SCHEMA = LOG_SCHEMA.append(pa.field("device", pa.string()))


def search_rows(
    searches: Iterable[tuple[Run, SearchContents]],
    tables: Mapping[str, Table],
    study_seed: int,
    repeat: str,
) -> pa.Table:
    """One row per epoch, in `LOG_SCHEMA` and with the device.

    `simulated_seconds` are the real seconds of the search so far, `real_seconds` are those with
    the seconds of validation; errors are the benchmark's of the epoch's cell. A search that ended
    early has one more row that says why.

    Args:
        searches: what is known of each.
        tables: by space.
        study_seed: root of the study's seed tree.
        repeat: which training repeat is seen, as for the other methods.
    """
    lookups = {space: TableLookup(table) for space, table in tables.items()}
    parts = [SEARCH_LOG_SCHEMA.empty_table()]
    for run, contents in searches:
        stream = RepeatStream(seed_for(study_seed, *run, "repeats"), repeat)
        rows = rows_to_table(run, _rows(contents, lookups[run[1]], stream))
        device = pa.array([contents.device] * rows.num_rows, pa.string())
        parts.append(rows.append_column("device", device))
    return pa.concat_tables(parts)


class EndedSearch(NamedTuple):
    """How far a search got.

    Attributes:
        epochs: how many it has done.
        error: see `current_error`.
    """

    epochs: int
    error: float | None


def ended_searches(
    searches: Mapping[Run, SearchContents], benchmark: Path
) -> dict[Run, EndedSearch]:
    """How far some searches got."""
    opened = Benchmark.open(benchmark)
    lookups = {s: TableLookup(opened.table(load_space(s))) for s in {run[1] for run in searches}}
    return {
        run: EndedSearch(found.records.num_rows, current_error(found, lookups[run[1]]))
        for run, found in searches.items()
    }


def current_error(contents: SearchContents, lookup: TableLookup) -> float | None:
    """The benchmark's mean validation error of the cell that a search is at; None before any."""
    vectors = contents.records["vector"]
    if not len(vectors):
        return None
    return lookup(tuple(vectors[-1].as_py()), FULL_TRAINING_EPOCHS, MEAN).validation_error


def _rows(contents: SearchContents, lookup: TableLookup, repeats: RepeatStream) -> list[Row]:
    records = contents.records
    search = np.cumsum([0.0, *records["seconds"].to_pylist()]).tolist()
    real = np.cumsum([0.0, *_whole_seconds(records)]).tolist()
    rows = []
    for number, vector in enumerate(records["vector"].to_pylist()):
        repeat = repeats[number]
        found = lookup(tuple(vector), FULL_TRAINING_EPOCHS, repeat)
        rows.append(
            Row(
                evaluation=number,
                number=number,
                vector=tuple(vector),
                row=found.row,
                epochs=FULL_TRAINING_EPOCHS,
                repeat=repeat,
                validation_error=found.validation_error,
                test_error=found.test_error,
                simulated_seconds=search[number + 1],
                real_seconds=real[number + 1],
                failure=found.failure,
            )
        )
    if contents.failure is not None:
        rows.append(failed_run(len(rows), search[-1], real[-1], contents.failure))
    return rows


def _whole_seconds(records: pa.Table) -> list[float]:
    parts = (records[name].to_pylist() for name in ("seconds", "validation_seconds"))
    return [search + validation for search, validation in zip(*parts, strict=True)]
