"""What a finished sweep leaves beside its evaluations: learning curves, cells, tuned settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from raynas.execution.directory import CHECKPOINTS
from raynas.execution.files import write_atomically
from raynas.tuned import TUNED, Tuned
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from tuning.finals import Finals, chosen_row
from tuning.spaces import changes

if TYPE_CHECKING:
    from tuning.request import Sweep
    from tuning.run import SweepResult

CURVES, CELLS = "curves.parquet", "cells.parquet"

CURVES_SCHEMA = pa.schema(
    [
        ("configuration", pa.int32()),
        ("epoch", pa.int32()),
        ("module_hash", pa.string()),
        ("one_shot_validation_error", pa.float64()),
        ("seconds", pa.float64()),
    ]
)
"""One row per configuration and epoch of its last training: the discretised cell, the error of
the shared weights, and the search seconds of the epoch."""

CELLS_SCHEMA = pa.schema(
    [
        ("module_hash", pa.string()),
        ("validation_error", pa.float64()),
        ("test_error", pa.float64()),
        ("training_seconds", pa.float64()),
    ]
)
"""What the benchmark says of each cell that any epoch arrived at; null where it says nothing."""


def write_tuned(sweep: Sweep, result: SweepResult, finals: Finals | None = None) -> Tuned | None:
    """Write `tuned.json` into a sweep's directory.

    Args:
        sweep: what was run.
        result: what became of it.
        finals: what chooses the configuration; None for the error in the sweep.

    Returns:
        The tuned settings; None if no evaluation was completed.

    Raises:
        UserError: the file system refuses.
    """
    best = chosen_row(result.table.to_pylist(), finals)
    if best is None:
        return None
    found = tuned_settings(sweep, result, best, finals)
    text = found.as_json()
    write_atomically(result.path / TUNED, lambda path: path.write_text(text, encoding="utf-8"))
    return found


def write_curves(sweep: Sweep, result: SweepResult, further: Iterable[str] = ()) -> None:
    """Write `curves.parquet` and `cells.parquet` into a sweep's directory.

    Args:
        sweep: what was run.
        result: what became of it.
        further: module hashes of other cells that the page shows.

    Raises:
        UserError: the file system refuses.
    """
    curves = learning_curves(sweep, result)
    hashes = {*curves["module_hash"].to_pylist(), *result.table["module_hash"].to_pylist()}
    cells = _cells(sweep, sorted(name for name in {*hashes, *further} if name is not None))
    for name, table in ((CURVES, curves), (CELLS, cells)):
        write_atomically(result.path / name, partial(pq.write_table, table))


def tuned_settings(
    sweep: Sweep, result: SweepResult, best: Mapping[str, Any], finals: Finals | None = None
) -> Tuned:
    """The settings of the best configuration, and where they come from."""
    defaults = sweep.objective.defaults
    source = {
        "study": str(result.path),
        "configuration": best["configuration"],
        "validation_error": best["validation_error"],
        "config_space": sweep.arguments["config_space"],
        "algorithm": sweep.settings.algorithm,
        "evaluations": result.table.num_rows,
        "images": sweep.plan.images.name,
        "channels": defaults.channels,
        "cells": defaults.cells,
        "epochs": best["epochs"],
        "benchmark": sweep.benchmark.sha256,
    }
    if finals is not None:
        source |= {"final_error": finals.chosen.mean, "final_seeds": finals.seeds}
    values = changes(sweep.axes, {axis.name: best[axis.name] for axis in sweep.axes})
    return Tuned(sweep.objective.method, sweep.objective.scores.space, values, source)


def learning_curves(sweep: Sweep, result: SweepResult) -> pa.Table:
    """The epochs that are in the checkpoints; a lost checkpoint has no curve."""
    space: Any = load_space(sweep.objective.scores.space)
    hashes = space.unique_hashes()
    rows = []
    for path in sorted((result.path / CHECKPOINTS).glob("*/epochs_*.pt"), key=_place):
        for epoch, row, error, seconds in _curve(path):
            cell = hashes[int(row)].tobytes().hex()
            rows.append((_place(path)[0], int(epoch), cell, error, seconds))
    columns = zip(*rows, strict=True) if rows else [[] for _ in CURVES_SCHEMA]
    return pa.table([list(column) for column in columns], schema=CURVES_SCHEMA)


def _place(path: Path) -> tuple[int, int]:
    """Configuration and budget of a checkpoint file."""
    return int(path.parent.name.rpartition("_")[2]), int(path.stem.rpartition("_")[2])


def _curve(path: Path) -> list[list[float]]:
    from raynas.oneshot.checkpoint import read_checkpoint
    from tuning.objective import CURVE

    try:
        return list(read_checkpoint(path).get(CURVE, []))
    except UserError:
        return []


def _cells(sweep: Sweep, hashes: list[str]) -> pa.Table:
    space: Any = load_space(sweep.objective.scores.space)
    scores = sweep.objective.scores
    rows = np.array([space.row_of_hash(name) for name in hashes], np.int64)
    figures = [scores.validation_error, scores.test_error, scores.training_seconds]
    columns = [pa.array(values[rows], from_pandas=True) for values in figures]
    return pa.table([pa.array(hashes, pa.string()), *columns], schema=CELLS_SCHEMA)
