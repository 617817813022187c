"""What cells score when each is trained alone: a benchmark's table seen from some of its cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics import Estimate, Measure, Statement, TwoWay, oracle_worlds
from search_spaces.benchmark import BUDGETS, REPEATS
from search_spaces.table import Table

QUANTITIES = ("validation", "test")

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

#: Simulated truths behind a ceiling, for few and for many cells.
_DRAWS, _DRAWS_OF_MANY, _MANY = 20, 4, 5000


class Truth:
    """Accuracies of some cells of a space.

    Args:
        table: the benchmark.
        rows: of the cells, shape (n,).
        seed: of the simulated noise of ceilings.

    Attributes:
        targets: (quantity, epochs) pairs that the benchmark knows for all cells of the space.
    """

    def __init__(self, table: Table, rows: npt.NDArray[np.int64], seed: int = 0) -> None:
        self.rows = rows
        self._table = table
        self._seed = seed
        self.targets = [(q, b) for q in QUANTITIES for b in BUDGETS if table.known(q, b)]
        self._repeats: dict[tuple[str, int], Floats] = {}
        self._worlds: dict[tuple[str, int], list[tuple[Floats, Floats]]] = {}

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

    def one_against_others(
        self,
        quantity: str,
        epochs: int,
        measure: Measure,
        draws: TwoWay,
        inside: Positions | None = None,
        share: float | None = None,
    ) -> Estimate | None:
        """One training of the cells against the mean of their others; None without a value.

        Args:
            quantity: "validation" or "test".
            epochs: the budget.
            measure: the coefficient.
            draws: samples of the cells, for the interval.
            inside: positions of the cells; None: all.
            share: only such a share of these cells, the best by the mean of the others.
        """
        values = self.repeats(quantity, epochs)
        if inside is not None:
            values = np.full_like(values, np.nan)  # cells with a nan are left out
            values[inside] = self.repeats(quantity, epochs)[inside]
        choose = None if share is None else lambda rest: self.best(rest, share)
        found = draws.one_against_others(values, measure, choose)
        return None if isinstance(found, Statement) else found

    def ceiling(
        self,
        quantity: str,
        epochs: int,
        coefficient: Callable[[Floats, Floats], float | Statement],
    ) -> float | None:
        """What a score that knows each cell's expectation reaches on average; None if unknown.

        Args:
            quantity: "validation" or "test".
            epochs: the budget.
            coefficient: takes the expectations and simulated means, in the order of the cells by
                these means.
        """
        worlds = self._of(quantity, epochs)
        found = [_number(coefficient(*world)) for world in worlds]
        known = [value for value in found if value is not None]
        return float(np.mean(known)) if known else None

    @cached_property
    def vertices(self) -> Positions:
        """Number of vertices of each cell, input and output included, shape (n,)."""
        space = self._table.space
        return np.array([space.cell(int(row)).num_vertices for row in self.rows], np.int64)

    @cached_property
    def parameters(self) -> Floats:
        """Trainable parameters of the network of each cell, shape (n,)."""
        space = self._table.space
        return np.array([space.cell(int(row)).parameter_count() for row in self.rows], np.float64)

    def best(self, values: Sequence[float] | Floats, share: float) -> Positions:
        """Positions of the cells with the greatest values, at least one."""
        count = max(1, round(share * len(values)))
        return np.sort(np.argsort(-np.asarray(values), kind="stable")[:count])

    def _of(self, quantity: str, epochs: int) -> list[tuple[Floats, Floats]]:
        key = (quantity, epochs)
        if key not in self._worlds:
            repeats = self.repeats(quantity, epochs)
            draws = _DRAWS if len(repeats) <= _MANY else _DRAWS_OF_MANY
            found = oracle_worlds(repeats, draws, self._seed)
            self._worlds[key] = [] if isinstance(found, Statement) else list(found)
        return self._worlds[key]

    def _error(self, quantity: str, epochs: int, repeat: int | str) -> Floats:
        query = self._table.validation_error if quantity == "validation" else self._table.test_error
        return np.asarray(query(self.rows, epochs, repeat))  # type: ignore[arg-type]


def _number(value: float | Statement) -> float | None:
    return None if isinstance(value, Statement) else value
