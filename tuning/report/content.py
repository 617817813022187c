"""What the page of a sweep shows, read from its directory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from raynas.analysis.runs import ONE_SHOT
from raynas.report.content import SpaceContent, contents
from raynas.report.studies import merge, read_study
from raynas.tuned import tuned_label
from search_spaces.errors import UserError
from tuning.confirmation import FOLDER
from tuning.finals import Finals, chosen_row, read_finals
from tuning.found import CELLS, CELLS_SCHEMA, CURVES, CURVES_SCHEMA
from tuning.run import read_sweep_manifest
from tuning.table import COMPLETED, read_evaluations

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]

#: What a configuration is, where figures tell them apart.
DEFAULT, RANDOM, MODEL = "default configuration", "random configuration", "model-based one"


@dataclass(frozen=True)
class Axis:
    """One hyperparameter, as the manifest has it.

    Attributes:
        name: column of the evaluations.
        low: least value, or the first of `choices`.
        high: largest value.
        log: whether its scale is logarithmic.
        integer: whether values are whole.
        choices: the only valid values; empty for a range.
    """

    name: str
    low: float
    high: float
    log: bool
    integer: bool
    choices: tuple[float, ...]

    def place(self, value: float) -> float:
        """Where a value is between the ends of the range, 0 to 1."""
        if self.choices:
            return self.choices.index(value) / max(len(self.choices) - 1, 1)
        low, high, here = (np.log(v) if self.log else v for v in (self.low, self.high, value))
        return float((here - low) / (high - low))


@dataclass(frozen=True)
class Curve:
    """One configuration, epoch by epoch, each (n,).

    Attributes:
        epochs: from 1 on.
        validation_error: of the epoch's cell in the benchmark.
        one_shot_error: of the shared weights.
    """

    epochs: Floats
    validation_error: Floats
    one_shot_error: Floats


@dataclass(frozen=True)
class SweepContent:
    """A sweep as read.

    Attributes:
        path: its directory.
        manifest: the content of `manifest.json`.
        rows: its evaluations, by number.
        curves: by configuration.
        cells: by module hash: validation error, test error, training seconds.
        comparison: what the comparison afterwards found, if there was one.
        finals: how the best few did with new seeds, if they met again.
    """

    path: Path
    manifest: dict[str, Any]
    rows: list[Row]
    curves: dict[int, Curve]
    cells: dict[str, Row]
    comparison: SpaceContent | None
    finals: Finals | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What was asked for."""
        return dict(self.manifest["arguments"])

    @property
    def method(self) -> str:
        """The method that was tuned."""
        return str(self.arguments["method"])

    @property
    def tuned(self) -> str:
        """Its label with tuned settings."""
        return tuned_label(self.method)

    @cached_property
    def completed(self) -> list[Row]:
        """The evaluations with a result."""
        return [row for row in self.rows if row["status"] == COMPLETED]

    @cached_property
    def best(self) -> Row | None:
        """The chosen configuration at its largest budget."""
        return chosen_row(self.rows, self.finals)

    @property
    def default(self) -> Row | None:
        """The default configuration at its largest budget."""
        return default_row(self.rows)

    @cached_property
    def budgets(self) -> list[int]:
        """Those with results, rising."""
        return sorted({row["epochs"] for row in self.completed})

    @cached_property
    def axes(self) -> list[Axis]:
        """The hyperparameters."""
        return [_axis(entry) for entry in self.manifest["space"]["hyperparameters"]]

    @property
    def best_test_error(self) -> float:
        """The zero of test regret."""
        return float(self.manifest["tables"][self.arguments["space"]]["best_test_error"])

    def kind(self, row: Row) -> str:
        """Where a configuration comes from."""
        if row["configuration"] == 0:
            return DEFAULT
        return MODEL if row["model_based"] else RANDOM

    def regrets(self, label: str) -> tuple[Floats, Floats]:
        """Simulated seconds and final test regrets of the comparison's searches, each (seeds,).

        The seconds are those of the search and of training the cell that it found.
        """
        runs = [] if self.comparison is None else self.comparison.groups.get(label, [])
        known = [run for run in runs if run.cell in self.cells and run.family == ONE_SHOT]
        seconds = [
            run.seconds[-1] + (self.cells[str(run.cell)]["training_seconds"] or 0.0)
            for run in known
        ]
        return np.array(seconds), np.array([run.test_regret[-1] for run in known])


def default_row(rows: list[Row]) -> Row | None:
    """The default configuration at the largest budget that it completed."""
    found = [row for row in rows if row["configuration"] == 0 and row["status"] == COMPLETED]
    return max(found, key=lambda row: row["epochs"], default=None)


def read_content(path: Path) -> SweepContent:
    """Read a sweep's directory.

    Raises:
        UserError: it is no sweep, or a file of it is missing or damaged.
    """
    manifest = read_sweep_manifest(path)
    cells = _read(path / CELLS, CELLS_SCHEMA).to_pylist()
    by_hash = {row["module_hash"]: row for row in cells}
    folder = path / FOLDER
    compared = None
    if (folder / "trajectories.parquet").exists():
        (compared,) = contents(merge([read_study(folder)]))
    return SweepContent(
        path,
        manifest,
        read_evaluations(path).to_pylist(),
        _curves(_read(path / CURVES, CURVES_SCHEMA), by_hash),
        by_hash,
        compared,
        read_finals(path),
    )


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        return pq.ParquetFile(path).read().select(schema.names).cast(schema)
    except (OSError, KeyError, pa.ArrowException, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"cannot read {path}: {reason}; `python -m tuning.sweep --resume {path.parent}` "
            "writes it"
        ) from error


def _curves(table: pa.Table, cells: dict[str, Row]) -> dict[int, Curve]:
    rows: dict[int, list[Row]] = {}
    for row in table.to_pylist():
        rows.setdefault(row["configuration"], []).append(row)
    return {
        number: Curve(
            np.array([row["epoch"] for row in found], float),
            np.array([cells[row["module_hash"]]["validation_error"] for row in found], float),
            np.array([row["one_shot_validation_error"] for row in found], float),
        )
        for number, found in rows.items()
    }


def _axis(entry: dict[str, Any]) -> Axis:
    choices = tuple(float(choice) for choice in entry.get("choices", ()))
    low = choices[0] if choices else float(entry["lower"])
    high = choices[-1] if choices else float(entry["upper"])
    integer = str(entry["type"]).endswith("int")
    return Axis(entry["name"], low, high, bool(entry.get("log")), integer, choices)
