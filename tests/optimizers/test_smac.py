from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from raynas.optimizers import Evaluation, Proposal, make_optimizer
from raynas.optimizers._acquisition import MaximizerSettings
from raynas.optimizers._random_forest import ForestSettings
from raynas.optimizers.smac import Smac, SmacSettings
from tests.support.domains import CategoricalDomain
from tests.support.optimizer_runs import asked, drive, problem

QUICK = SmacSettings(maximizer=MaximizerSettings(challengers=200, local_searches=3))


def vectors(settings: SmacSettings, n: int = 40) -> list[tuple[int, ...]]:
    return [p.vector for p in asked(drive(Smac(CategoricalDomain(), 0, settings), n))]


def test_published_defaults() -> None:
    settings = SmacSettings()
    assert (settings.random_fraction, settings.max_config_calls) == (0.33, 4)
    assert settings.forest.n_trees == 10


def test_no_configuration_runs_more_often_than_allowed() -> None:
    for calls in (1, 4):
        _, counts = np.unique(
            vectors(replace(QUICK, max_config_calls=calls), 50), axis=0, return_counts=True
        )
        assert counts.max() == calls


def test_the_share_of_uniform_challengers_is_as_set() -> None:
    """Counted by the fits of the forest: one for each challenger of the model."""
    for share in (0.0, 0.5, 1.0):
        settings = replace(QUICK, random_fraction=share, max_config_calls=1)
        optimizer = Smac(CategoricalDomain(), 0, settings)
        fits = 0
        original = optimizer.forest.fit

        def count(*arguments: object, original=original) -> None:  # type: ignore[no-untyped-def]
            nonlocal fits
            fits += 1
            original(*arguments)

        optimizer.forest.fit = count  # type: ignore[method-assign,assignment]
        drive(optimizer, 41)
        assert fits == pytest.approx(40 * (1 - share), abs=10 if share == 0.5 else 0)


def test_one_fit_serves_as_many_challengers_as_set() -> None:
    settings = replace(QUICK, random_fraction=0.0, max_config_calls=1, retrain_after=5)
    optimizer = Smac(CategoricalDomain(), 0, settings)
    fitted = []
    # The first challenger is random; then fits at 1, 5, 10, ..., 35 observations.
    for _ in range(40):
        proposal = optimizer.ask()
        optimizer.tell(Evaluation(proposal, problem(proposal)))
        fitted.append(optimizer._fitted)
    assert sorted(set(fitted)) == [0, 1, *range(5, 40, 5)]


@pytest.mark.parametrize(
    "change",
    [
        {"random_fraction": 0.8},
        {"max_config_calls": 1},
        {"retrain_after": 8},
        {"forest": ForestSettings(encoding="ordinal")},
        {"maximizer": MaximizerSettings(challengers=5, local_searches=1)},
        {"maximizer": replace(QUICK.maximizer, plateau_steps=0)},
    ],
)
def test_every_setting_changes_the_proposals(change: dict[str, object]) -> None:
    assert vectors(QUICK) != vectors(replace(QUICK, **change))  # type: ignore[arg-type]


def test_the_model_avoids_what_fails() -> None:
    def evaluate(proposal: Proposal) -> float | None:
        return None if proposal.vector[0] == 1 else problem(proposal)

    settings = replace(QUICK, random_fraction=0.0)
    proposals = asked(drive(Smac(CategoricalDomain(), 0, settings), 60, evaluate=evaluate))
    # The optimum has 1 there, and a third of all vectors.
    assert [p.vector[0] for p in proposals[30:]].count(1) <= 6


@pytest.mark.parametrize("name", ["smac", "smac3"])
def test_nothing_is_evaluated_twice_where_that_would_teach_nothing(name: str) -> None:
    domain = CategoricalDomain((3, 3, 3))
    search = make_optimizer(name, domain, 0, noisy=False)
    seen = []
    for _ in range(12):
        proposal = search.ask()
        assert proposal is not None
        seen.append(proposal.vector)
        search.tell(Evaluation(proposal, sum(proposal.vector) / 10))
    assert len(set(seen)) == len(seen)
    assert search.settings.max_config_calls == 1
    assert make_optimizer(name, domain, 0).settings.max_config_calls == 4
