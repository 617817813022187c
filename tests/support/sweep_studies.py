"""A finished sweep's directory without training anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from raynas.execution.manifest import now, write_manifest
from tuning.found import CELLS, CELLS_SCHEMA, CURVES, CURVES_SCHEMA
from tuning.request import Sweep, SweepRequest, new_sweep
from tuning.spaces import default_configuration, plain
from tuning.study import sweep_manifest
from tuning.table import EVALUATION_SCHEMA, EVALUATIONS


def sweep(benchmark: Path, method: str = "darts", **options: Any) -> Sweep:
    """A small one that could run."""
    usual = {"space": "1", "iterations": 6, "min_epochs": 2, "max_epochs": 8, "config_space": 2}
    return new_sweep(SweepRequest(method=method, benchmark=str(benchmark), **usual | options))


def sweep_study(folder: Path, begun: Sweep, *, failed: bool = False) -> Path:
    """Write a directory whose errors follow from the learning rate; some or all have failed."""
    folder.mkdir(parents=True)
    manifest = sweep_manifest(begun.settings, begun.space, begun.arguments, begun.about)
    write_manifest(folder, manifest | {"finished": now()})
    rows = _rows(begun, failed)
    names = [axis.name for axis in begun.axes]
    schema = EVALUATION_SCHEMA
    for name in names:
        schema = schema.append(pa.field(name, pa.float64()))
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / EVALUATIONS)
    _write_curves(folder, begun, rows)
    return folder


def _rows(begun: Sweep, failed: bool) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    space: Any = begun.table.space
    configurations = [default_configuration(begun.space)]
    configurations += [plain(c) for c in begun.space.sample_configuration(25)]
    rows: list[dict[str, Any]] = []
    for number, values in enumerate(configurations):
        for rung, epochs in enumerate(begun.settings.budgets):
            if rung and number % 2 and number != 1:
                break
            row = int(rng.integers(space.num_unique))
            broken = failed or number == 5
            error = 0.05 + 0.02 * abs(np.log10(values["learning_rate"]) + 1) + 0.01 / epochs
            rows.append(
                {
                    "evaluation": len(rows),
                    "configuration": number,
                    "bracket": number // 4,
                    "rung": rung,
                    "epochs": epochs,
                    "status": "failed" if broken else "completed",
                    "validation_error": None if broken else error,
                    "test_error": None if broken else error + 0.006,
                    "one_shot_validation_error": None if broken else 3 * error,
                    "module_hash": None if broken else space.unique_hashes()[row].tobytes().hex(),
                    "seconds": 2.0,
                    "total_seconds": 2.0 * (rung + 1),
                    "started": 3.0 * len(rows),
                    "finished": 3.0 * len(rows) + 4,
                    "model_based": number > 12,
                    "device": None if broken else "cpu",
                    "error": "Traceback\nDiverged: too <fast>" if broken else None,
                    **values,
                }
            )
    return rows


def _write_curves(folder: Path, begun: Sweep, rows: list[dict[str, Any]]) -> None:
    last = {row["configuration"]: row for row in rows if row["status"] == "completed"}
    curves = [
        (number, epoch, row["module_hash"], 0.9 - 0.05 * epoch, 0.5)
        for number, row in last.items()
        for epoch in range(1, row["epochs"] + 1)
    ]
    columns = list(zip(*curves, strict=True)) or [[]] * len(CURVES_SCHEMA)
    table = pa.table([list(c) for c in columns], schema=CURVES_SCHEMA)
    pq.write_table(table, folder / CURVES)
    hashes = sorted({row["module_hash"] for row in rows} - {None})
    space: Any = begun.table.space
    found = np.array([space.row_of_hash(name) for name in hashes], np.int64)
    scores = begun.objective.scores
    values = (scores.validation_error, scores.test_error, scores.training_seconds)
    pq.write_table(
        pa.table([hashes, *(column[found] for column in values)], schema=CELLS_SCHEMA),
        folder / CELLS,
    )
