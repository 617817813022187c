"""What a benchmark says of every cell of a space, small enough to travel with an objective."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from search_spaces.errors import UserError, unknown_name
from search_spaces.table import MissingFigureError

if TYPE_CHECKING:
    from search_spaces.table import Repeat, Table

_Query = Callable[[Any], npt.NDArray[np.float64]]
EPOCHS = 108
REPEATS = ("mean", "0", "1", "2")


@dataclass(frozen=True, eq=False)
class CellScores:
    """Figures of the unique cells of one space after a full training of 108 epochs.

    Attributes:
        space: name of the space.
        benchmark: name of the benchmark, for messages.
        validation_error: (n,) fractions; nan where the benchmark does not know it.
        test_error: (n,) mean of the repeats, likewise.
        training_seconds: (n,) mean of the repeats, likewise.
    """

    space: str
    benchmark: str
    validation_error: npt.NDArray[np.float64]
    test_error: npt.NDArray[np.float64]
    training_seconds: npt.NDArray[np.float64]

    @staticmethod
    def of(table: Table, repeat: str = "mean") -> CellScores:
        """Read a table.

        Args:
            table: of the space.
            repeat: which training repeat the validation error is of: "mean", "0", "1" or "2".

        Raises:
            UserError: there is no such repeat.
        """
        if repeat not in REPEATS:
            raise unknown_name("repeat", repeat, list(REPEATS))
        seen: Repeat = "mean" if repeat == "mean" else int(repeat)
        return CellScores(
            table.space.name,
            table.benchmark.name,
            _column(lambda rows: table.validation_error(rows, EPOCHS, seen), table),
            _column(lambda rows: table.test_error(rows, EPOCHS, "mean"), table),
            _column(lambda rows: table.training_seconds(rows, EPOCHS, "mean"), table),
        )

    def errors(self, row: int, module_hash: str) -> tuple[float, float | None]:
        """Validation and test error of a cell.

        Raises:
            UserError: the benchmark does not know the validation error.
        """
        validation, test = float(self.validation_error[row]), float(self.test_error[row])
        if np.isnan(validation):
            raise UserError(
                f"{self.benchmark} does not know the validation error at {EPOCHS} epochs of cell "
                f"{module_hash} that a search of space {self.space} found; use a complete table "
                "(`python -m search_spaces.fetch nasbench101`) in a new sweep"
            )
        return validation, None if np.isnan(test) else test


def _column(query: _Query, table: Table) -> npt.NDArray[np.float64]:
    rows = np.arange(table.space.num_unique)
    try:
        return np.array(query(rows))
    except MissingFigureError:
        return np.array([_one(query, row) for row in rows.tolist()])


def _one(query: _Query, row: int) -> float:
    try:
        return float(query(row))
    except MissingFigureError:
        return float("nan")
