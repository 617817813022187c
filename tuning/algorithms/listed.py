"""No search at all: configurations that are known beforehand, once each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from tuning.algorithms._base import Algorithm, Place
from tuning.evaluation import Configuration, Evaluation, Value

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

    from tuning.settings import SweepSettings


class Listed(Algorithm):
    """Evaluates configurations in their order, each at the largest budget.

    Args:
        settings: of the sweep; no more than its largest budget counts.
        space: what configurations are points of.
        configurations: what to evaluate.
    """

    name: ClassVar[str] = "listed"
    needs_results: ClassVar[bool] = False

    def __init__(
        self,
        settings: SweepSettings,
        space: ConfigurationSpace,
        configurations: Sequence[Mapping[str, Value]],
    ) -> None:
        self._listed = [dict(values) for values in configurations]
        super().__init__(settings, space)

    def _start(self) -> None:
        """There is no state but the number of configurations so far."""

    def _next(self) -> Place | None:
        number = self._configurations
        if number == len(self._listed):
            return None
        self._configurations += 1
        configuration = Configuration(number, self._listed[number])
        return Place(configuration, 0, 0, self.settings.max_epochs)

    def _learn(self, evaluation: Evaluation, error: float | None) -> None:
        """Nothing follows from results."""

    def _exhausted(self) -> bool:
        return self._configurations == len(self._listed)
