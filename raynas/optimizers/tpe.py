"""Tree-structured Parzen estimator: Optuna's sampler behind ask and tell."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from raynas.optimizers._base import (
    FULL_BUDGET,
    MAX_REJECTIONS,
    Optimizer,
    Proposal,
    Vector,
    is_valid,
)

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True, slots=True)
class TpeSettings:
    """Settings of TPE.

    Attributes:
        n_startup_trials: random evaluations before the model is used (20 in Hyperopt, which Zela
            et al. 2020 ran with its defaults; Optuna's own default is 10).
        n_ei_candidates: candidates per proposal (24 in Hyperopt and Optuna).
        multivariate: model all choices jointly (default of Optuna 5); Hyperopt models each alone.
        constant_liar: treat pending proposals as bad observations, which keeps workers apart
            (default of Optuna 5).
        epochs: training epochs of each evaluation.
    """

    n_startup_trials: int = 20
    n_ei_candidates: int = 24
    multivariate: bool = True
    constant_liar: bool = True
    epochs: int = FULL_BUDGET


class Tpe(Optimizer):
    """Tree-structured Parzen estimator (Bergstra et al. 2011) as implemented by Optuna.

    Failed evaluations are failed trials, which Optuna leaves out of its model. A proposal outside
    the domain is likewise dropped as a failed trial and drawn again, and replaced by a uniform
    one after 64 attempts.
    """

    name: ClassVar[str] = "tpe"
    settings_type = TpeSettings
    settings: TpeSettings

    def _start(self) -> None:
        from optuna.distributions import CategoricalDistribution

        self.study = _study(self.settings, self._integer_seed())
        self._distributions: dict[str, optuna.distributions.BaseDistribution] = {
            _name(i): CategoricalDistribution(range(n))
            for i, n in enumerate(self.domain.cardinalities)
            if n > 1
        }
        self._trials: dict[int, optuna.Trial] = {}

    def _propose(self, number: int) -> tuple[Vector, int]:
        from optuna.trial import TrialState

        for _ in range(MAX_REJECTIONS):
            trial = self.study.ask(self._distributions)
            vector = self._vector(trial)
            if is_valid(self.domain, vector):
                break
            self.study.tell(trial, state=TrialState.FAIL)
        else:
            vector = self._random_vector()
            names = self._distributions
            self.study.enqueue_trial(
                {_name(i): option for i, option in enumerate(vector) if _name(i) in names}
            )
            trial = self.study.ask(self._distributions)
        self._trials[number] = trial
        return vector, self.settings.epochs

    def _vector(self, trial: optuna.Trial) -> Vector:
        params = trial.params
        return tuple(int(params.get(_name(i), 0)) for i in range(len(self.domain.cardinalities)))

    def _learn(self, proposal: Proposal, error: float | None) -> None:
        from optuna.trial import TrialState

        trial = self._trials.pop(proposal.number)
        if error is None:
            self.study.tell(trial, state=TrialState.FAIL)
        else:
            self.study.tell(trial, error)


def _name(choice: int) -> str:
    return f"choice_{choice:04d}"


def _study(settings: TpeSettings, seed: int) -> optuna.Study:
    """A study in memory, without Optuna's announcement of it."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            n_startup_trials=settings.n_startup_trials,
            n_ei_candidates=settings.n_ei_candidates,
            multivariate=settings.multivariate,
            constant_liar=settings.constant_liar,
            seed=seed,
        )
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(sampler=sampler)
    finally:
        optuna.logging.set_verbosity(verbosity)
