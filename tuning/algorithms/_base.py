"""What all algorithms have in common: counting, seeds, and who has been told what."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from tuning.algorithms._sampler import Sampler
from tuning.evaluation import Configuration, Evaluation

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

    from tuning.settings import SweepSettings


class Place(NamedTuple):
    """What an algorithm decides: which configuration, where, how long."""

    configuration: Configuration
    bracket: int
    rung: int
    epochs: int


class Algorithm(ABC):
    """Proposes evaluations.

    Configuration number n is drawn from a stream of its own, so random configurations are the
    same whatever results come in which order, and whichever algorithm asks for them.

    Attributes:
        name: as in the settings.
        needs_results: whether what is proposed depends on results.
        settings: of the sweep.
        space: what configurations are points of.
        done: whether everything planned has been proposed and told.
    """

    name: ClassVar[str]
    needs_results: ClassVar[bool] = True

    def __init__(self, settings: SweepSettings, space: ConfigurationSpace) -> None:
        self.settings = settings
        self.space = space
        self._sampler = Sampler(space, settings.seed)
        self._configurations = 0
        self._evaluations = 0
        self._pending: dict[int, Evaluation] = {}
        self._latest: dict[int, Evaluation] = {}
        self._start()

    def ask(self) -> Evaluation | None:
        """The next evaluation; None if results must be told first, or everything is proposed."""
        place = self._next()
        if place is None:
            return None
        previous = self._latest.get(place.configuration.number)
        evaluation = Evaluation(
            self._evaluations,
            *place,
            None if previous is None else previous.number,
            0 if previous is None else previous.epochs,
        )
        self._evaluations += 1
        self._pending[evaluation.number] = self._latest[place.configuration.number] = evaluation
        return evaluation

    def tell(self, number: int, error: float | None) -> None:
        """Learn a result.

        Args:
            number: of an evaluation that was asked for and not told yet.
            error: validation error; None if the evaluation failed.

        Raises:
            ValueError: there is no such pending evaluation, or the error is not finite.
        """
        if number not in self._pending:
            raise ValueError(f"evaluation {number} is not pending")
        if error is not None and not math.isfinite(error):
            raise ValueError(f"the error of evaluation {number} is not finite: {error}")
        self._learn(self._pending.pop(number), error)

    @property
    def done(self) -> bool:
        """Whether everything planned has been proposed and told."""
        return not self._pending and self._exhausted()

    def _new_configuration(self) -> Configuration:
        number = self._configurations
        self._configurations += 1
        return self._sampler.default() if number == 0 else self._propose(number)

    def _propose(self, number: int) -> Configuration:
        return self._sampler.random(number)

    @abstractmethod
    def _start(self) -> None:
        """Make the state; called once."""

    @abstractmethod
    def _next(self) -> Place | None:
        """The next place to fill; None if there is none now."""

    @abstractmethod
    def _learn(self, evaluation: Evaluation, error: float | None) -> None:
        """Take in a result."""

    @abstractmethod
    def _exhausted(self) -> bool:
        """Whether nothing more would be proposed, if no evaluation is pending."""
