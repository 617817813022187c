"""Successive halving: one bracket, filled asynchronously and promoted rung by rung."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from raynas.optimizers.brackets import Bracket

T = TypeVar("T")


class SuccessiveHalving(Generic[T]):
    """State of one bracket (Jamieson and Talwalkar 2016), with HpBandSter's rules for workers.

    A rung is promoted when all its runs have ended: the best go on, in the order in which they
    entered. Failed runs never go on. If failures leave a rung with fewer survivors than it has
    places, new configurations fill it.

    What a configuration is does not matter here: it is passed on as it is.

    Args:
        bracket: sizes and budgets of the rungs.
        sampler: returns a new configuration for a budget.
    """

    def __init__(self, bracket: Bracket, sampler: Callable[[int], T]) -> None:
        self.bracket = bracket
        self.rung = 0
        self.finished = False
        self._sampler = sampler
        self._queue: list[tuple[int, T]] = []
        self._entered = 0
        self._members = 0
        self._running: set[int] = set()
        self._results: dict[int, tuple[float, T]] = {}

    def next_run(self) -> tuple[int, T, int] | None:
        """Member, its configuration and budget; None while runs are pending or when finished."""
        if not self._queue and self._places_left() > 0:
            self._queue.append((self._members, self._sampler(self.budget)))
            self._members += 1
            self._entered += 1
        if not self._queue:
            return None
        member, configuration = self._queue.pop(0)
        self._running.add(member)
        return member, configuration, self.budget

    def register(self, member: int, configuration: T, error: float | None) -> None:
        """A run has ended; promote if it was the last of its rung."""
        self._running.remove(member)
        if error is not None:
            self._results[member] = (error, configuration)
        if not self._running and not self._queue and self._places_left() == 0:
            self._promote()

    @property
    def waiting(self) -> bool:
        """Whether `next_run` has something."""
        return bool(self._queue) or self._places_left() > 0

    @property
    def budget(self) -> int:
        """Budget of the current rung."""
        return self.bracket.budgets[self.rung]

    def _places_left(self) -> int:
        return 0 if self.finished else self.bracket.sizes[self.rung] - self._entered

    def _promote(self) -> None:
        if self.rung + 1 == len(self.bracket.sizes):
            self.finished = True
            return
        self.rung += 1
        # Sorted by member first: among equals the one that entered earlier goes on.
        ranked = sorted(self._results, key=lambda member: (self._results[member][0], member))
        survivors = sorted(ranked[: self.bracket.sizes[self.rung]])
        self._queue = [(member, self._results[member][1]) for member in survivors]
        self._entered = len(survivors)
        self._results = {}
