"""`evaluations.parquet`: one row per evaluation of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from raynas.execution.directory import LOG
from raynas.execution.manifest import SWEEP, read_manifest
from search_spaces.errors import UserError
from tuning.log import Record, SweepLog

EVALUATIONS = "evaluations.parquet"
COMPLETED, FAILED = "completed", "failed"

EVALUATION_SCHEMA = pa.schema(
    [
        ("evaluation", pa.int32()),
        ("configuration", pa.int32()),
        ("bracket", pa.int32()),
        ("rung", pa.int32()),
        ("epochs", pa.int16()),
        ("status", pa.string()),
        ("validation_error", pa.float64()),
        ("test_error", pa.float64()),
        ("one_shot_validation_error", pa.float64()),
        ("module_hash", pa.string()),
        ("seconds", pa.float64()),
        ("total_seconds", pa.float64()),
        ("started", pa.float64()),
        ("finished", pa.float64()),
        ("model_based", pa.bool_()),
        ("device", pa.string()),
        ("error", pa.string()),
    ]
)
"""The columns of every sweep; one column per hyperparameter follows.

`evaluation` counts in the order of proposals, configuration 0 is the default one, `epochs` is the
budget. `seconds` is the search time of the evaluation alone, `total_seconds` that of all
evaluations of its configuration up to it; `started` and `finished` are on the clock of the wall
and begin with the sweep. Errors are null where the evaluation failed, and `error` says why.
"""


def build_table(records: Mapping[int, Record], names: Sequence[str]) -> pa.Table:
    """The table of some records, sorted by evaluation.

    Args:
        records: by number.
        names: of the hyperparameters. Columns of numbers are doubles, of anything else text.
    """
    ordered = [records[number] for number in sorted(records)]
    totals: dict[int, float] = {}
    rows: list[dict[str, Any]] = []
    for record in ordered:
        key = record.configuration
        totals[key] = totals.get(key, 0.0) + record.seconds
        status = COMPLETED if record.error is None else FAILED
        rows.append(asdict(record) | {"status": status, "total_seconds": totals[key]})
    columns = [
        pa.array([row[field.name] for row in rows], field.type) for field in EVALUATION_SCHEMA
    ]
    values = [_column([record.values.get(name) for record in ordered]) for name in names]
    return pa.table([*columns, *values], [*EVALUATION_SCHEMA.names, *names])


def _column(values: list[Any]) -> pa.Array:
    texts = [value for value in values if isinstance(value, str)]
    if not texts:
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    return pa.array([None if v is None else str(v) for v in values], pa.string())


def read_evaluations(study: str | Path) -> pa.Table:
    """The evaluations of a sweep, also of one that still runs or was interrupted.

    Raises:
        UserError: the directory is no sweep, or the file is damaged.
    """
    study = Path(study)
    manifest = read_manifest(study, SWEEP)
    names = manifest["hyperparameters"]
    if manifest["finished"] is None:
        folder = study / LOG
        return build_table(SweepLog(folder).read() if folder.is_dir() else {}, names)
    try:
        return pq.ParquetFile(study / EVALUATIONS).read()
    except (FileNotFoundError, pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"cannot read {study / EVALUATIONS}: {reason}; run the sweep again"
        ) from error


def incumbent(table: pa.Table) -> dict[str, Any] | None:
    """The row with the least validation error at the largest budget that has any.

    Among equals the earlier one. None if nothing was completed.
    """
    return best_row([row for row in table.to_pylist() if row["status"] == COMPLETED])


def best_row(completed: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The same of some rows that were completed."""
    return min(
        completed,
        key=lambda row: (-row["epochs"], row["validation_error"], row["evaluation"]),
        default=None,
    )
