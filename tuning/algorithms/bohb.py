"""BOHB: Hyperband whose new configurations come from kernel densities."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

import ConfigSpace
from ConfigSpace.exceptions import ForbiddenValueError
from ConfigSpace.util import deactivate_inactive_hyperparameters

from raynas.optimizers.kernel_densities import KernelDensities
from search_spaces.errors import UserError
from tuning.algorithms._sampler import plain, stream_seed
from tuning.algorithms.hyperband import Hyperband
from tuning.evaluation import Configuration, Evaluation, Value


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Settings of the densities, as Zela et al. 2020 tuned one-shot methods with.

    Attributes:
        num_samples: candidates per proposal.
        random_fraction: share of proposals drawn at random.
        bandwidth_factor: widening of the bandwidth of continuous hyperparameters in proposals.
        min_bandwidth: lower bound of every bandwidth.
        top_n_percent: share of the observations that count as good.
        min_points_in_model: observations at a budget before it is modelled; None for the number
            of hyperparameters plus one (Falkner et al. 2018).
    """

    num_samples: int = 64
    random_fraction: float = 1 / 3
    bandwidth_factor: float = 3.0
    min_bandwidth: float = 1e-3
    top_n_percent: int = 15
    min_points_in_model: int | None = None


class Bohb(Hyperband):
    """Bayesian optimization and Hyperband (Falkner, Klein and Hutter 2018).

    The densities are those of the largest budget that has enough results; failed evaluations are
    infinitely bad ones. Each proposal has a random stream of its own.
    """

    name: ClassVar[str] = "bohb"

    def _start(self) -> None:
        super()._start()
        for name, hyperparameter in self.space.items():
            if isinstance(hyperparameter, ConfigSpace.OrdinalHyperparameter):
                raise UserError(
                    f"bohb has no model for the ordinal hyperparameter {name!r}; make it an "
                    "integer, or use --algorithm hyperband",
                    exit_code=2,
                )
        self.densities = KernelDensities(self.space, 0, **asdict(ModelSettings()))

    def _propose(self, number: int) -> Configuration:
        self.densities.reseed(stream_seed(self.settings.seed, "model", number))
        vector = self.densities.candidate()
        values = None if vector is None else to_values(self.space, vector)
        if values is None:
            return self._sampler.random(number)
        return Configuration(number, values, model_based=True)

    def _learn(self, evaluation: Evaluation, error: float | None) -> None:
        self.densities.learn_values(evaluation.configuration.values, evaluation.epochs, error)
        super()._learn(evaluation, error)


def to_values(
    space: ConfigSpace.ConfigurationSpace, vector: list[float]
) -> dict[str, Value] | None:
    """The values of an array of the space; None if together they are forbidden."""
    # The numbers lie between the values that an integer can have, so they are rounded first.
    values = {
        name: hyperparameter.to_value(number)
        for (name, hyperparameter), number in zip(space.items(), vector, strict=True)
    }
    if not space.conditions and not space.forbidden_clauses:
        return plain(values)
    try:
        return plain(deactivate_inactive_hyperparameters(values, space))
    except ForbiddenValueError:
        return None
