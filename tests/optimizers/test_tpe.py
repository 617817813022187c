from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import optuna
import pytest

from raynas.optimizers import Evaluation
from raynas.optimizers.tpe import Tpe, TpeSettings
from tests.support.domains import SPACE_3, CategoricalDomain, even_sum
from tests.support.optimizer_runs import asked, drive, problem


def optuna_trajectory(seed: int, evaluations: int, settings: TpeSettings) -> list[list[int]]:
    """Optuna's own study on the same problem, failing every seventh trial."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = optuna.samplers.TPESampler(
            n_startup_trials=settings.n_startup_trials,
            n_ei_candidates=settings.n_ei_candidates,
            multivariate=settings.multivariate,
            constant_liar=settings.constant_liar,
            seed=seed,
        )
    study = optuna.create_study(sampler=sampler)
    names = [f"choice_{i:04d}" for i in range(len(SPACE_3))]
    trajectory = []
    for number in range(evaluations):
        trial = study.ask()
        vector = [
            trial.suggest_categorical(name, list(range(n))) if n > 1 else 0
            for name, n in zip(names, SPACE_3, strict=True)
        ]
        trajectory.append(vector)
        if number % 7 == 6:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, sum(vector) / 50)
    return trajectory


@pytest.mark.parametrize("multivariate", [True, False])
def test_proposals_equal_those_of_an_optuna_study(multivariate: bool) -> None:
    settings = TpeSettings(multivariate=multivariate)
    optimizer = Tpe(CategoricalDomain(), 0, settings)
    # The seed that the optimizer gives to Optuna is the second child of its own sequence.
    seed = int(np.random.SeedSequence(0).spawn(2)[1].generate_state(1)[0])
    for number, expected in enumerate(optuna_trajectory(seed, 45, settings)):
        proposal = optimizer.ask()
        assert list(proposal.vector) == expected
        failed = number % 7 == 6
        optimizer.tell(Evaluation(proposal, None if failed else sum(proposal.vector) / 50))


@pytest.mark.parametrize(
    "change", [{"n_startup_trials": 5}, {"n_ei_candidates": 3}, {"multivariate": False}]
)
def test_every_setting_changes_the_proposals(change: dict[str, int]) -> None:
    settings = (TpeSettings(), replace(TpeSettings(), **change))
    runs = [asked(drive(Tpe(CategoricalDomain(), 0, s), 30)) for s in settings]
    assert runs[0] != runs[1]


def test_the_liar_changes_proposals_only_while_others_are_pending() -> None:
    def run(liar: bool, workers: int) -> list[object]:
        optimizer = Tpe(CategoricalDomain(), 0, TpeSettings(constant_liar=liar))
        return list(asked(drive(optimizer, 40, workers=workers)))

    assert run(True, 1) == run(False, 1)
    assert run(True, 8) != run(False, 8)


def test_the_first_proposals_are_random() -> None:
    """They do not depend on what the errors are."""
    runs = [
        asked(drive(Tpe(CategoricalDomain(), 0), 30, evaluate=evaluate))
        for evaluate in (problem, lambda p: 1 - problem(p))
    ]
    assert runs[0][:20] == runs[1][:20]
    assert runs[0][20:] != runs[1][20:]


def test_invalid_proposals_are_dropped_and_a_uniform_one_ends_the_attempts() -> None:
    class Lottery(CategoricalDomain):
        """Admits nothing that TPE draws, as long as `closed`."""

        closed = True

        def valid(self, vectors):  # type: ignore[no-untyped-def]
            return np.zeros(len(vectors), bool) if self.closed else super().valid(vectors)

        def sample(self, rng, size):  # type: ignore[no-untyped-def]
            return np.full((size, len(self.cardinalities)), 0, dtype=np.uint8)

    optimizer = Tpe(Lottery(rule=even_sum), 0)
    proposal = optimizer.ask()
    assert proposal.vector == (0,) * 11
    optimizer.tell(Evaluation(proposal, 0.5))
    states = [trial.state.name for trial in optimizer.study.trials]
    assert states == ["FAIL"] * 64 + ["COMPLETE"]
