"""The figures of one space: vectorised queries with an explicit repeat."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from search_spaces.benchmark import ACCURACY_UNIT, BUDGETS, REPEATS, Benchmark, column_name
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from search_spaces.space import Space

Repeat = int | Literal["mean"] | npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

#: What `Table.known` can be asked for, and the columns behind it.
QUANTITIES = {
    "validation": "validation_accuracy",
    "test": "test_accuracy",
    "seconds": "training_seconds",
}
_UNITS = {"validation": ACCURACY_UNIT, "test": ACCURACY_UNIT, "seconds": 1}


class MissingFigureError(UserError):
    """The benchmark does not know a figure that was asked for."""


class Table:
    """A benchmark seen from one space; `Benchmark.table` makes it.

    Every query takes rows of the space's unique cells (a number or an array of any shape), a
    budget in epochs, and a repeat: 0, 1, 2, "mean", or an array of repeats as long as the rows.
    There is no default draw of a repeat.

    Attributes:
        benchmark: where the figures come from.
        space: whose cells they describe.
    """

    def __init__(
        self, benchmark: Benchmark, space: Space, positions: npt.NDArray[np.int64]
    ) -> None:
        self.benchmark = benchmark
        self.space = space
        self._positions = positions.astype(np.int32)

    def validation_error(
        self, rows: npt.ArrayLike, epochs: int = 108, repeat: Repeat = "mean"
    ) -> Floats:
        """Validation error, a fraction.

        Raises:
            MissingFigureError: if one of them is unknown.
        """
        return 1.0 - self._query("validation", rows, epochs, repeat)

    def test_error(self, rows: npt.ArrayLike, epochs: int = 108, repeat: Repeat = "mean") -> Floats:
        """Test error, a fraction; see `validation_error`."""
        return 1.0 - self._query("test", rows, epochs, repeat)

    def training_seconds(
        self, rows: npt.ArrayLike, epochs: int = 108, repeat: Repeat = "mean"
    ) -> Floats:
        """Seconds of training, without evaluation; see `validation_error`."""
        return self._query("seconds", rows, epochs, repeat)

    def parameters(self, rows: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Trainable parameters of the NAS-Bench-101 networks.

        Raises:
            MissingFigureError: if one of them is unknown.
        """
        values, unknown = self.benchmark.column("parameters")
        positions = self._positions[np.asarray(rows)]
        self._refuse_unknown(unknown, positions, "the number of parameters")
        counts: npt.NDArray[np.int64] = values[positions].astype(np.int64)
        return counts

    def known(self, quantity: str, epochs: int) -> bool:
        """Whether every cell of the space has all repeats of a quantity.

        Args:
            quantity: "validation", "test" or "seconds".
            epochs: the budget.
        """
        masks = [self._column(quantity, epochs, repeat)[1] for repeat in REPEATS]
        return not any(mask is not None and mask[self._positions].any() for mask in masks)

    @cached_property
    def best_validation_error(self) -> float:
        """The least mean validation error at 108 epochs: the zero of validation regret."""
        return float(self.validation_error(np.arange(self.space.num_unique)).min())

    @cached_property
    def best_test_error(self) -> float:
        """The least mean test error at 108 epochs: the zero of test regret."""
        return float(self.test_error(np.arange(self.space.num_unique)).min())

    # ------------------------------------------------------------------------------------------

    def _query(self, quantity: str, rows: npt.ArrayLike, epochs: int, repeat: Repeat) -> Floats:
        positions = self._positions[np.asarray(rows)]
        if isinstance(repeat, str):
            return self._mean(quantity, epochs, positions)
        if np.ndim(repeat) == 0:
            return self._single(quantity, epochs, int(repeat), positions)
        chosen = np.broadcast_to(np.asarray(repeat), positions.shape)
        result = np.empty(positions.shape)
        for one in REPEATS:
            here = chosen == one
            result[here] = self._single(quantity, epochs, one, positions[here])
        return result

    def _single(
        self, quantity: str, epochs: int, repeat: int, positions: npt.NDArray[np.int32]
    ) -> Floats:
        return self._stored(quantity, epochs, repeat, positions) / _UNITS[quantity]

    def _mean(self, quantity: str, epochs: int, positions: npt.NDArray[np.int32]) -> Floats:
        """Sums whole numbers and divides once, so that equal means are equal floats."""
        stored = [self._stored(quantity, epochs, repeat, positions) for repeat in REPEATS]
        return sum(stored[1:], start=stored[0]) / (len(REPEATS) * _UNITS[quantity])

    def _stored(
        self, quantity: str, epochs: int, repeat: int, positions: npt.NDArray[np.int32]
    ) -> Floats:
        values, unknown = self._column(quantity, epochs, repeat)
        self._refuse_unknown(unknown, positions, f"{quantity} at {epochs} epochs, repeat {repeat}")
        return np.asarray(values[positions], np.float64)

    def _column(
        self, quantity: str, epochs: int, repeat: int
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
        if epochs not in BUDGETS:
            raise UserError(f"{epochs} epochs is no budget of the benchmark; valid: {BUDGETS}")
        if repeat not in REPEATS:
            raise UserError(f"{repeat} is no repeat of the benchmark; valid: {REPEATS} or mean")
        return self.benchmark.column(column_name(QUANTITIES[quantity], epochs, repeat))

    def _refuse_unknown(
        self,
        unknown: npt.NDArray[np.bool_] | None,
        positions: npt.NDArray[np.int32],
        what: str,
    ) -> None:
        if unknown is None or not np.any(unknown[positions]):
            return
        first = np.atleast_1d(positions)[np.atleast_1d(unknown[positions])][0]
        raise MissingFigureError(
            f"{self.benchmark.name} does not know {what} of cell "
            f"{self.benchmark.hashes[first].tobytes().hex()}; a table that does: "
            "`python -m search_spaces.fetch nasbench101 --full`"
        )
