"""Hyperband: a planned number of brackets of successive halving, filled side by side."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import ClassVar

from raynas.optimizers.brackets import bracket
from raynas.optimizers.successive_halving import SuccessiveHalving
from tuning.algorithms._base import Algorithm, Place
from tuning.evaluation import Configuration, Evaluation


class Hyperband(Algorithm):
    """Hyperband (Li et al. 2018, algorithm 1) with HpBandSter's bracket sizes.

    An evaluation comes from the oldest bracket that has one; if all of them wait for results, the
    next bracket opens, up to the planned number. Failed evaluations are never promoted; where
    they leave too few to promote, new configurations fill the rung, so the number of evaluations
    is always the planned one.
    """

    name: ClassVar[str] = "hyperband"

    def _start(self) -> None:
        self._opened = 0
        self._open: dict[int, SuccessiveHalving[Configuration]] = {}
        self._ready: list[int] = []
        self._members: dict[int, int] = {}

    def _next(self) -> Place | None:
        if not self._ready and self._opened < self.settings.iterations:
            self._open_bracket()
        if not self._ready:
            return None
        number = self._ready[0]
        halving = self._open[number]
        run = halving.next_run()
        assert run is not None, "a bracket in the heap has something to run"
        member, configuration, epochs = run
        self._members[self._evaluations] = member
        rung = halving.rung
        if not halving.waiting:
            heappop(self._ready)
        return Place(configuration, number, rung, epochs)

    def _open_bracket(self) -> None:
        settings = self.settings
        shape = bracket(self._opened, settings.budgets, settings.eta)
        self._open[self._opened] = SuccessiveHalving(shape, lambda _: self._new_configuration())
        heappush(self._ready, self._opened)
        self._opened += 1

    def _learn(self, evaluation: Evaluation, error: float | None) -> None:
        halving = self._open[evaluation.bracket]
        was_waiting = halving.waiting
        member = self._members.pop(evaluation.number)
        halving.register(member, evaluation.configuration, error)
        if halving.finished:
            del self._open[evaluation.bracket]
        elif halving.waiting and not was_waiting:
            heappush(self._ready, evaluation.bracket)

    def _exhausted(self) -> bool:
        return self._opened == self.settings.iterations and not self._open
