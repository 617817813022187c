"""BOHB's proposals against HpBandSter's own, in a space of mixed hyperparameters."""

from __future__ import annotations

from functools import partial
from typing import Any

import ConfigSpace
import numpy as np
import pytest
from hpbandster.core.dispatcher import Job
from hpbandster.optimizers.config_generators.bohb import BOHB
from hpbandster.optimizers.iterations import SuccessiveHalving

from raynas.optimizers._density import Density, Floats
from raynas.optimizers.kernel_densities import KernelDensities
from search_spaces.errors import UserError
from tests.support.sweeps import run_timeline, small, toy_error, toy_space, true_error
from tuning.algorithms import make_algorithm
from tuning.algorithms.bohb import ModelSettings, to_values

OPTIONS = {
    "num_samples": 64,
    "random_fraction": 1 / 3,
    "bandwidth_factor": 3.0,
    "min_bandwidth": 1e-3,
    "top_n_percent": 15,
}


def test_published_settings() -> None:
    settings = ModelSettings()
    assert {name: getattr(settings, name) for name in OPTIONS} == OPTIONS
    assert settings.min_points_in_model is None


@pytest.mark.filterwarnings("ignore")
def test_proposals_equal_those_of_hpbandster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Same results, same random numbers; HpBandSter takes them from the global generator.

    It sorts here as we do: its order of equal errors depends on the processor.
    """
    monkeypatch.setattr(np, "argsort", partial(np.argsort, kind="stable"))
    space = toy_space()
    ours = KernelDensities(space, 1, **OPTIONS)
    theirs = BOHB(toy_space(), **OPTIONS)
    outer, inner = np.random.get_state(), np.random.RandomState(1).get_state()  # noqa: NPY002
    rng = np.random.default_rng(0)
    model_based = 0
    try:
        for _ in range(60):
            np.random.set_state(inner)  # noqa: NPY002
            values, info = theirs.get_config(25)
            inner = np.random.get_state()  # noqa: NPY002
            vector = ours.candidate()
            assert (vector is not None) == info["model_based_pick"]
            if vector is not None:
                model_based += 1
                found, expected = to_values(space, vector), dict(values)
                assert found is not None and found.pop("kind") == expected.pop("kind")
                assert found == pytest.approx(expected, rel=1e-9)
            budget = int(rng.choice([25, 50, 100], p=[0.6, 0.3, 0.1]))
            error = None if rng.random() < 0.1 else true_error(values) + 0.1 * rng.random()
            ours.learn_values(values, budget, error)
            job = Job(None, config=values, budget=budget)
            job.result = None if error is None else {"loss": error}
            theirs.new_result(job)
    finally:
        np.random.set_state(outer)  # noqa: NPY002
    assert model_based > 25


def test_promotions_equal_those_of_hpbandster() -> None:
    """One bracket of (4, 2, 1), whose configurations and errors are given to both."""
    settings = small("hyperband", iterations=1, concurrent=1)
    ended, _ = run_timeline(settings)
    first = [dict(evaluation.configuration.values) for evaluation, _ in ended[:4]]
    waiting = iter(first)
    bracket = SuccessiveHalving(
        HPB_iter=0,
        num_configs=[4, 2, 1],
        budgets=[25, 50, 100],
        config_sampler=lambda _: (next(waiting), {}),
    )
    theirs = []
    for _ in range(7):
        number, values, budget = bracket.get_next_run()
        theirs.append((values, budget))
        job = Job(number, config=values, budget=budget)
        job.result = {"loss": ended[len(theirs) - 1][1]}
        job.timestamps, job.exception = {}, None
        bracket.register_result(job)
    assert theirs == [(dict(e.configuration.values), e.epochs) for e, _ in ended]


def test_the_model_is_used_after_its_share_of_random_ones() -> None:
    ended, _ = run_timeline(small("bohb", iterations=90, concurrent=1))
    picks = [e.configuration.model_based for e, _ in ended if e.rung == 0]
    assert not any(picks[:6]), "a model of four hyperparameters needs ten results at a budget"
    assert 0.5 < np.mean(picks[30:]) < 0.85


def test_densities_are_fitted_only_when_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[int] = []
    original = Density.fit

    def counting(data: Floats, *arguments: Any) -> Density:
        fits.append(data.shape[1])
        return original(data, *arguments)

    monkeypatch.setattr(Density, "fit", counting)
    ended, _ = run_timeline(small("bohb", iterations=40, concurrent=8))
    good, bad = fits[::2], fits[1::2]
    assert 0 < len(good) == len(bad) < 0.5 * len(ended)


def test_failures_are_bad_observations() -> None:
    """Configurations that fail are avoided."""
    ended, _ = run_timeline(
        small("bohb", iterations=90, concurrent=1),
        lambda e: None if e.configuration.values["kind"] == "plain" else toy_error(e),
    )
    kinds = [e.configuration.values["kind"] for e, _ in ended if e.configuration.model_based]
    assert kinds[20:].count("plain") < len(kinds[20:]) / 6


def test_ordinal_hyperparameters_are_refused() -> None:
    space = toy_space()
    space.add(ConfigSpace.OrdinalHyperparameter("order", ["low", "high"]))
    with pytest.raises(UserError, match="bohb has no model for the ordinal hyperparameter 'order'"):
        make_algorithm(small("bohb"), space)
    make_algorithm(small("hyperband"), space)
