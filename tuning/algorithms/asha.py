"""ASHA: successive halving that promotes as soon as it can, without waiting for a rung."""

from __future__ import annotations

from bisect import bisect_left, insort
from heapq import heappop, heappush
from typing import ClassVar

from tuning.algorithms._base import Algorithm, Place
from tuning.evaluation import Configuration, Evaluation

_Entry = tuple[float, int]


class Asha(Algorithm):
    """Asynchronous successive halving (Li et al. 2020, algorithm 2), with early-stopping rate 0.

    An evaluation promotes the best configuration that is in the top 1/eta of what its rung has
    seen and that was not promoted yet, from the highest rung that has one; if none has, a new
    configuration starts at the bottom. It ends when the next evaluation would take more epochs
    than planned. Failed evaluations do not enter their rung.
    """

    name: ClassVar[str] = "asha"

    def _start(self) -> None:
        self._rungs = [_Rung(self.settings.eta) for _ in self.settings.budgets[:-1]]
        self._known: dict[int, Configuration] = {}
        self._left = self.settings.planned_epochs

    def _next(self) -> Place | None:
        budgets = self.settings.budgets
        best, rung = self._promotable()
        if budgets[rung] > self._left:
            return None
        self._left -= budgets[rung]
        if best is None:
            configuration = self._new_configuration()
            self._known[configuration.number] = configuration
        else:
            self._rungs[rung - 1].promote()
            configuration = self._known[best]
        return Place(configuration, 0, rung, budgets[rung])

    def _promotable(self) -> tuple[int | None, int]:
        """The configuration to promote, if any, and the rung that it would enter."""
        for number in range(len(self._rungs) - 1, -1, -1):
            best = self._rungs[number].promotable()
            if best is not None:
                return best, number + 1
        return None, 0

    def _learn(self, evaluation: Evaluation, error: float | None) -> None:
        if error is not None and evaluation.rung < len(self._rungs):
            self._rungs[evaluation.rung].add(error, evaluation.configuration.number)

    def _exhausted(self) -> bool:
        return self.settings.budgets[self._promotable()[1]] > self._left


class _Rung:
    """Results at one budget; among equal errors the older configuration is the better one."""

    def __init__(self, eta: int) -> None:
        self._eta = eta
        self._ranking: list[_Entry] = []
        self._waiting: list[_Entry] = []

    def add(self, error: float, number: int) -> None:
        """Take in a result."""
        insort(self._ranking, (error, number))
        heappush(self._waiting, (error, number))

    def promotable(self) -> int | None:
        """The best configuration that waits, if it is in the top 1/eta."""
        if not self._waiting:
            return None
        # If the best that waits is not in the top, none of the others is.
        rank = bisect_left(self._ranking, self._waiting[0])
        return self._waiting[0][1] if rank < len(self._ranking) // self._eta else None

    def promote(self) -> None:
        """Let the best one that waits go."""
        heappop(self._waiting)
