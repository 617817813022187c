"""Gathers parsed training runs, in any order, into arrays by cell, budget and repeat."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.benchmark import (
    ACCURACY_UNIT,
    BUDGETS,
    REPEATS,
    UNKNOWN_ACCURACY,
    UNKNOWN_PARAMETERS,
)
from search_spaces.official_graphs import GraphTexts
from search_spaces.official_rows import Rows
from search_spaces.table_errors import RowError

#: Last axis of `Rows.figures`, and its middle axis.
FIGURES = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
STAGES = ("halfway", "final")
_RUNS = len(BUDGETS) * len(REPEATS)
_ROUNDING = 1e-3  # float32 values of k / 9984 come within 3e-4 of an integer

Array = npt.NDArray[Any]


class Collector:
    """Figures of all runs seen so far, at most `max_cells` cells.

    Its memory grows with the number of different cells, not with the number of rows.

    Attributes:
        rows: how many runs there are.
        graphs: the graphs of the cells, as texts.
    """

    def __init__(self, max_cells: int) -> None:
        self.rows = 0
        self.graphs = GraphTexts()
        self._max_cells = max_cells
        self._cells: dict[bytes, int] = {}
        self._counts = np.zeros((0, len(BUDGETS)), np.int8)
        self._parameters = np.zeros(0, np.int32)
        self._codes = np.zeros((0, 2), np.int32)
        self._figures = {
            (stage, figure): np.zeros((0, _RUNS), np.float32)
            for stage in STAGES
            for figure in FIGURES
        }

    @property
    def cells(self) -> int:
        """Number of different cells."""
        return len(self._cells)

    def module_hash(self, cell: int) -> str:
        """Hash of a cell, by the order in which the cells appeared."""
        return list(self._cells)[cell].hex()

    def add(self, rows: Rows) -> None:
        """Take in a batch.

        Raises:
            RowError: if a row holds impossible figures, or one run too many.
        """
        _check_figures(rows.figures)
        cells = self._identify(rows)
        runs = self._place(cells, rows.budgets)
        for s, stage in enumerate(STAGES):
            for f, figure in enumerate(FIGURES):
                values = rows.figures[:, s, f]
                target = self._figures[stage, figure]
                if target.dtype == np.float32 and (values != values.astype(np.float32)).any():
                    target = self._figures[stage, figure] = target.astype(np.float64)
                target[cells, runs] = values
        self.rows += len(cells)

    def _identify(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Number of each row's cell; cells that are new get the next ones."""
        keys = np.ascontiguousarray(rows.hashes).view("V16")[:, 0]
        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        known = self._cells
        old = len(known)
        numbers = [known.setdefault(key, len(known)) for key in keys[starts].tolist()]
        ids = np.repeat(np.array(numbers), np.diff(starts, append=len(keys)))
        if len(known) > self._max_cells:
            index = int(np.flatnonzero(ids == self._max_cells)[0])
            raise RowError(index, f"more than the {self._max_cells:,} cells of NAS-Bench-101")
        self._grow(len(known))
        new, first = np.unique(numbers, return_index=True)
        self._describe(old, starts[first[new >= old]], rows)
        return ids

    def _describe(self, number: int, indices: npt.NDArray[np.int64], rows: Rows) -> None:
        """Note what the rows at `indices` say of new cells, which are numbered from `number`."""
        parameters = rows.parameters[indices]
        if (parameters < 0).any():
            place = int(np.argmax(parameters < 0))
            raise RowError(int(indices[place]), f"{parameters[place]} trainable parameters")
        codes = self.graphs.encode(rows, indices)
        self._parameters[number : number + len(codes)] = parameters
        self._codes[number : number + len(codes)] = codes

    def _place(
        self, cells: npt.NDArray[np.int64], budgets: npt.NDArray[np.int8]
    ) -> npt.NDArray[np.int64]:
        """Place of each run among its cell's runs: budget times 3 plus repeat.

        The repeat is the order of appearance.
        """
        keys = cells * len(BUDGETS) + budgets
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        sizes = np.diff(starts, append=len(keys))
        repeats = np.empty(len(keys), np.int64)
        repeats[order] = np.arange(len(keys)) - np.repeat(starts, sizes)
        repeats += self._counts[cells, budgets]
        if (repeats >= len(REPEATS)).any():
            index = int(np.flatnonzero(repeats >= len(REPEATS))[0])
            raise RowError(
                index,
                f"run {repeats[index] + 1} of cell {self.module_hash(cells[index])} at "
                f"{BUDGETS[budgets[index]]} epochs; NAS-Bench-101 has {len(REPEATS)} of each",
            )
        self._counts.reshape(-1)[ordered[starts]] += sizes.astype(np.int8)
        return budgets.astype(np.int64) * len(REPEATS) + repeats

    def _grow(self, cells: int) -> None:
        capacity = len(self._parameters)
        if cells <= capacity:
            return
        capacity = min(max(cells, 2 * capacity, 1024), self._max_cells)
        self._counts = _enlarge(self._counts, capacity, 0)
        self._parameters = _enlarge(self._parameters, capacity, UNKNOWN_PARAMETERS)
        self._codes = _enlarge(self._codes, capacity, 0)
        for key, values in self._figures.items():
            self._figures[key] = _enlarge(values, capacity, np.nan)

    # What was gathered ------------------------------------------------------------------------

    def budgets_present(self) -> list[int]:
        """Indices of the budgets of which there is any run."""
        return np.flatnonzero(self._counts[: self.cells].any(axis=0)).tolist()

    def incomplete_cell(self) -> int | None:
        """A cell that lacks runs which other cells have, the last one, or None."""
        counts = self._counts[: self.cells]
        lacking = np.flatnonzero((counts < counts.max(axis=0)).any(axis=1))
        return int(lacking[-1]) if lacking.size else None

    def store_columns(self) -> dict[str, Array]:
        """Columns for `search_spaces.benchmark.write_store`, in order of appearance."""
        shape = (self.cells, len(BUDGETS), len(REPEATS))
        columns: dict[str, Array] = {
            "module_hash": np.frombuffer(b"".join(self._cells), np.uint8).reshape(-1, 16),
            "training_seconds": self.figure("final", "training_time").astype(np.float32),
            "parameters": self._parameters[: self.cells],
        }
        for figure in ("validation_accuracy", "test_accuracy"):
            values = self.figure("final", figure).astype(np.float64) * ACCURACY_UNIT
            whole = np.where(np.isnan(values), UNKNOWN_ACCURACY, np.rint(values))
            columns[figure] = whole.astype(np.uint16).reshape(shape)
        return columns

    def figure(self, stage: str, name: str) -> Array:
        """One figure in order of the cells' appearance, NaN where there is no run.

        Returns:
            Shape (cells, 4, 3); float32 if that is exact, else float64.
        """
        values = self._figures[stage, name][: self.cells]
        return values.reshape(self.cells, len(BUDGETS), len(REPEATS))

    @property
    def graph_codes(self) -> npt.NDArray[np.int32]:
        """Numbers of each cell's texts in `graphs`, in order of appearance, shape (cells, 2)."""
        return self._codes[: self.cells]


def _enlarge(values: Array, capacity: int, fill: float) -> Array:
    larger = np.full((capacity, *values.shape[1:]), fill, values.dtype)
    larger[: len(values)] = values
    return larger


def _check_figures(figures: npt.NDArray[np.float64]) -> None:
    low, high = 0.0, np.array([np.finfo(np.float32).max, 1, 1, 1])
    wrong = ~((figures >= low) & (figures <= high))
    if wrong.any():
        index, stage, figure = np.argwhere(wrong)[0].tolist()
        value = figures[index, stage, figure]
        raise RowError(index, f"{STAGES[stage]} {FIGURES[figure]} is {value}")
    scaled = figures[:, 1, 2:] * ACCURACY_UNIT
    wrong = np.abs(scaled - np.rint(scaled)) >= _ROUNDING
    if wrong.any():
        index, figure = np.argwhere(wrong)[0].tolist()
        value = figures[index, 1, 2 + figure]
        raise RowError(
            index, f"final {FIGURES[2 + figure]} {value} is no multiple of 1/{ACCURACY_UNIT}"
        )
