"""What cells score when each is trained alone: a benchmark's table seen from some of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics import Statement, noise_ceiling
from raynas.analysis.statistics.correlation import Correlation
from search_spaces.benchmark import BUDGETS, REPEATS
from search_spaces.table import Table

QUANTITIES = ("validation", "test")

Floats = npt.NDArray[np.float64]


class Truth:
    """Accuracies of some cells of a space.

    Args:
        table: the benchmark.
        rows: of the cells, shape (n,).

    Attributes:
        targets: (quantity, epochs) pairs that the benchmark knows for all cells of the space.
    """

    def __init__(self, table: Table, rows: npt.NDArray[np.int64]) -> None:
        self.rows = rows
        self._table = table
        self.targets = [(q, b) for q in QUANTITIES for b in BUDGETS if table.known(q, b)]
        self._repeats: dict[tuple[str, int], Floats] = {}
        self._ceilings: dict[tuple[object, ...], float | Statement] = {}

    def mean(self, quantity: str, epochs: int) -> Floats:
        """Mean accuracy over the repeats, shape (n,)."""
        return 1 - self._error(quantity, epochs, "mean")

    def repeats(self, quantity: str, epochs: int) -> Floats:
        """Accuracy of each repeat, shape (n, repeats)."""
        key = (quantity, epochs)
        if key not in self._repeats:
            found = [1 - self._error(quantity, epochs, repeat) for repeat in REPEATS]
            self._repeats[key] = np.stack(found, 1)
        return self._repeats[key]

    def ceiling(
        self,
        quantity: str,
        epochs: int,
        correlation: Correlation,
        subset: str,
        inside: npt.NDArray[np.int64] | slice,
    ) -> float | Statement:
        """The noise ceiling among some of the cells.

        Args:
            quantity: "validation" or "test".
            epochs: the budget.
            correlation: which.
            subset: name of these cells, under which the result is kept.
            inside: their positions.
        """
        key = (quantity, epochs, correlation.__name__, subset)
        if key not in self._ceilings:
            values = self.repeats(quantity, epochs)[inside]
            self._ceilings[key] = noise_ceiling(values, correlation)
        return self._ceilings[key]

    @cached_property
    def vertices(self) -> npt.NDArray[np.int64]:
        """Number of vertices of each cell, input and output included, shape (n,)."""
        space = self._table.space
        return np.array([space.cell(int(row)).num_vertices for row in self.rows], np.int64)

    def best(self, values: Sequence[float] | Floats, share: float) -> npt.NDArray[np.int64]:
        """Positions of the cells with the greatest values, at least one."""
        count = max(1, round(share * len(self.rows)))
        return np.sort(np.argsort(-np.asarray(values), kind="stable")[:count])

    def _error(self, quantity: str, epochs: int, repeat: int | str) -> Floats:
        query = self._table.validation_error if quantity == "validation" else self._table.test_error
        return np.asarray(query(self.rows, epochs, repeat))  # type: ignore[arg-type]
