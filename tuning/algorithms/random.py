"""Random search: every configuration is drawn at random and trained to the largest budget."""

from __future__ import annotations

from typing import ClassVar

from tuning.algorithms._base import Algorithm, Place
from tuning.evaluation import Evaluation


class RandomSearch(Algorithm):
    """Random search (Bergstra and Bengio 2012), for as many epochs as the brackets would take."""

    name: ClassVar[str] = "random"
    needs_results: ClassVar[bool] = False

    def _start(self) -> None:
        self._left = self.settings.planned_evaluations or 0

    def _next(self) -> Place | None:
        if not self._left:
            return None
        self._left -= 1
        return Place(self._new_configuration(), 0, 0, self.settings.max_epochs)

    def _learn(self, evaluation: Evaluation, error: float | None) -> None:
        """Random search does not learn."""

    def _exhausted(self) -> bool:
        return not self._left
