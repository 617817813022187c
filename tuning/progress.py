"""What a running sweep says about itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tuning.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class Best:
    """The best of the largest budget that has any result.

    Attributes:
        evaluation: what it is.
        validation_error: what it found.
    """

    evaluation: Evaluation
    validation_error: float


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """How far a sweep is.

    Attributes:
        finished: evaluations that have ended.
        failed: those of them that failed.
        epochs: budgets of the finished ones, added up.
        planned_epochs: the same at the end.
        planned_evaluations: how many there will be; None if that depends on the results.
        running: evaluations that workers are busy with, the oldest first.
        best: the incumbent so far.
    """

    finished: int
    failed: int
    epochs: int
    planned_epochs: int
    planned_evaluations: int | None
    running: tuple[Evaluation, ...]
    best: Best | None


class SweepListener(Protocol):
    """Whoever wants to show how far a sweep is."""

    def on_progress(self, progress: SweepProgress) -> None:
        """An evaluation has started or ended."""


class Counter:
    """Counts what has ended."""

    def __init__(self, planned_epochs: int, planned_evaluations: int | None) -> None:
        self._planned = planned_epochs, planned_evaluations
        self._finished = self._failed = self._epochs = 0
        self._best: Best | None = None

    def count(self, evaluation: Evaluation, error: float | None) -> None:
        """Take in the end of an evaluation."""
        self._finished += 1
        self._epochs += evaluation.epochs
        if error is None:
            self._failed += 1
            return
        best = Best(evaluation, error)
        if self._best is None or _rank(best) < _rank(self._best):
            self._best = best

    def progress(self, running: Iterable[Evaluation]) -> SweepProgress:
        """The state now."""
        return SweepProgress(
            self._finished, self._failed, self._epochs, *self._planned, tuple(running), self._best
        )


def _rank(best: Best) -> tuple[int, float, int]:
    return -best.evaluation.epochs, best.validation_error, best.evaluation.number
