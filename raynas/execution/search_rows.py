"""The epochs of searches as rows of a study's log: what the benchmark says of each cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa

from raynas.execution.log import LOG_SCHEMA, Run, rows_to_table
from raynas.execution.lookup import TableLookup
from raynas.execution.row import Row, failed_run
from raynas.execution.search_log import SearchContents
from raynas.execution.simulation import FULL_TRAINING_EPOCHS, RepeatStream
from raynas.seeds import seed_for
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
