"""One table look-up at a time, without the cost of array queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from search_spaces.benchmark import ACCURACY_UNIT, BUDGETS, REPEATS, column_name
from search_spaces.space import ArchitectureError, as_keys
from search_spaces.table import QUANTITIES

if TYPE_CHECKING:
    from search_spaces.table import Table

_View = tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]


class Outcome(NamedTuple):
    """What an evaluation gave.

    Attributes:
        row: the space's unique cell, -1 if the vector describes none.
        validation_error: a fraction, None if the evaluation failed.
        test_error: a fraction, None if it failed or the table does not know it.
        seconds: training seconds, 0 if unknown.
        failure: why there is no validation error.
    """

    row: int
    validation_error: float | None
    test_error: float | None
    seconds: float
    failure: str | None


class TableLookup:
    """Figures of single architectures, the same numbers as `Table` gives.

    `Table` answers whole arrays; its checks cost more than the look-up itself when an event loop
    needs one figure at a time. This keeps views of the columns and does scalar arithmetic.
    """

    def __init__(self, table: Table) -> None:
        self.space, self._benchmark = table.space, table.benchmark
        keys, wanted = as_keys(table.benchmark.hashes), as_keys(table.space.unique_hashes())
        self._positions = np.searchsorted(keys, wanted).astype(np.int32)
        self._views: dict[tuple[int, int], tuple[_View, _View, _View]] = {}

    def __call__(self, vector: tuple[int, ...], epochs: int, repeat: int) -> Outcome:
        """What is known of an architecture.

        Args:
            vector: the architecture.
            epochs: one of the benchmark's budgets.
            repeat: 0, 1, 2, or -1 for the mean.
        """
        try:
            row = int(self.space.rows(np.array([vector]))[0])
        except ArchitectureError as outside:
            return _failed(-1, 0.0, str(outside))
        if row < 0:
            return _failed(row, 0.0, f"{vector} is no cell of space {self.space.name}")
        if epochs not in BUDGETS:
            return _failed(row, 0.0, f"{epochs} epochs is no budget of the benchmark")
        position = self._positions[row]
        if repeat >= 0:
            error, test, seconds = self._single(position, epochs, repeat)
        else:
            error, test, seconds = self._mean(position, epochs)
        if error is None or seconds is None:
            what = "validation error" if error is None else "training time"
            return _failed(row, seconds or 0.0, self._missing(what, position, epochs, repeat))
        return Outcome(row, error, test, seconds, None)

    def _single(
        self, position: np.int32, epochs: int, repeat: int
    ) -> tuple[float | None, float | None, float | None]:
        views = self._views.get((epochs, repeat)) or self._view(epochs, repeat)
        validation, test, seconds = (_scalar(view, position) for view in views)
        return (
            None if validation is None else 1.0 - validation / ACCURACY_UNIT,
            None if test is None else 1.0 - test / ACCURACY_UNIT,
            seconds,
        )

    def _mean(
        self, position: np.int32, epochs: int
    ) -> tuple[float | None, float | None, float | None]:
        validations, tests, seconds = (
            [_scalar(self._view(epochs, repeat)[kind], position) for repeat in REPEATS]
            for kind in range(len(QUANTITIES))
        )
        validation, test = _average(validations, ACCURACY_UNIT), _average(tests, ACCURACY_UNIT)
        return (
            None if validation is None else 1.0 - validation,
            None if test is None else 1.0 - test,
            _average(seconds, 1),
        )

    def _view(self, epochs: int, repeat: int) -> tuple[_View, _View, _View]:
        if (epochs, repeat) not in self._views:
            validation, test, seconds = (
                self._benchmark.column(column_name(QUANTITIES[quantity], epochs, repeat))
                for quantity in ("validation", "test", "seconds")
            )
            self._views[epochs, repeat] = validation, test, seconds
        return self._views[epochs, repeat]

    def _missing(self, what: str, position: np.int32, epochs: int, repeat: int) -> str:
        cell = self._benchmark.hashes[position].tobytes().hex()
        which = f"repeat {repeat}" if repeat >= 0 else "mean over the repeats"
        return f"{self._benchmark.name} does not know {what} of {cell}, {epochs} epochs, {which}"


def _failed(row: int, seconds: float, failure: str) -> Outcome:
    return Outcome(row, None, None, seconds, failure)


def _scalar(view: _View, position: np.int32) -> float | None:
    values, unknown = view
    if unknown is not None and unknown[position]:
        return None
    return float(values[position])


def _average(values: list[float | None], unit: int) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / (len(known) * unit) if len(known) == len(REPEATS) else None
