"""The order in which an algorithm hears of results: that of a virtual clock, not of arrival.

Real workers differ in speed, are killed and come back. If an algorithm heard of results as they
arrive, no two sweeps would be the same. So it is told of them in the order in which some virtual
workers would deliver, whose time is the number of epochs to train, and each result waits until
it is its turn. What an algorithm proposes is then a function of settings, seed and results.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import NamedTuple

from tuning.algorithms import Algorithm
from tuning.evaluation import Evaluation


class Result(NamedTuple):
    """The end of an evaluation; without an error it failed."""

    error: float | None


Lookup = Callable[[Evaluation], Result | None]
"""Finds the result of an evaluation that has ended already."""


class Timeline:
    """Hands out evaluations to real workers and tells their algorithm of results.

    Of an evaluation that can start, all results that its proposal needs are there. If the
    algorithm needs no results at all, any number of evaluations can start at once.

    Args:
        algorithm: at its beginning.
        recorded: what is known of evaluations from before an interruption. They are not handed
            out; that is all there is to resuming.
    """

    def __init__(self, algorithm: Algorithm, recorded: Lookup = lambda _: None) -> None:
        self.algorithm = algorithm
        self._recorded = recorded
        self._now = 0
        self._running: list[tuple[int, int]] = []
        self._results: dict[int, Result] = {}
        self._startable: deque[Evaluation] = deque()
        self._advance()

    @property
    def done(self) -> bool:
        """Whether everything planned has ended."""
        return not self._running and self.algorithm.done

    def next(self) -> Evaluation | None:
        """An evaluation to start now; None while results must arrive first, and when done."""
        while not self._startable and not self.algorithm.needs_results and self._propose():
            self._advance()
        return self._startable.popleft() if self._startable else None

    def put_back(self, evaluations: Iterable[Evaluation]) -> None:
        """Have evaluations that were handed out, but not started, handed out again."""
        self._startable.extendleft(sorted(evaluations, key=lambda e: -e.number))

    def arrive(self, number: int, error: float | None) -> None:
        """An evaluation that was handed out has ended.

        Args:
            number: of the evaluation.
            error: validation error; None if it failed.
        """
        self._results[number] = Result(error)
        self._advance()

    def _advance(self) -> None:
        """Go on until the virtual clock needs a result that has not arrived."""
        workers = self.algorithm.settings.concurrent
        while True:
            while len(self._running) < workers and self._propose():
                pass
            if not self._running or self._running[0][1] not in self._results:
                return
            self._now, number = heappop(self._running)
            self.algorithm.tell(number, self._results.pop(number).error)

    def _propose(self) -> bool:
        """Start one more virtually; False if the algorithm has nothing now."""
        evaluation = self.algorithm.ask()
        if evaluation is None:
            return False
        heappush(self._running, (self._now + self._cost(evaluation), evaluation.number))
        result = self._recorded(evaluation)
        if result is None:
            self._startable.append(evaluation)
        else:
            self._results[evaluation.number] = result
        return True

    def _cost(self, evaluation: Evaluation) -> int:
        """Virtual time: epochs that are still to be trained."""
        restart = self.algorithm.settings.restart
        return evaluation.epochs - (0 if restart else evaluation.previous_epochs)
