from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hpbandster.core.dispatcher import Job
from hpbandster.optimizers.config_generators.bohb import BOHB

from raynas.optimizers import Evaluation
from raynas.optimizers._configuration_space import categorical_space
from raynas.optimizers.bohb import Bohb, BohbSettings
from raynas.optimizers.hyperband import Hyperband
from raynas.optimizers.kernel_densities import KernelDensityGenerator
from tests.support.domains import SPACE_3, CategoricalDomain
from tests.support.optimizer_runs import asked, drive

OPTIONS = {
    "top_n_percent": 15,
    "num_samples": 64,
    "random_fraction": 0.33,
    "bandwidth_factor": 3.0,
    "min_bandwidth": 0.3,
}


def test_published_defaults() -> None:
    settings = BohbSettings()
    assert {name: getattr(settings, name) for name in OPTIONS} == OPTIONS
    assert (settings.min_epochs, settings.max_epochs, settings.eta) == (4, 108, 3)


@pytest.mark.parametrize(
    ("cardinalities", "options", "steps"),
    [
        (SPACE_3, {}, 90),
        # Few options and a narrow good set: densities that are infinite, negative or no number.
        ((2, 2, 1, 4), {"min_bandwidth": 1e-3, "random_fraction": 0.1}, 80),
        ((3, 8, 20), {"num_samples": 8, "top_n_percent": 40}, 100),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_proposals_equal_those_of_hpbandster(
    cardinalities: tuple[int, ...],
    options: dict[str, float],
    steps: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`suggest` against HpBandSter's `get_config`, which draws from the global generator.

    For equal errors HpBandSter's order is that of numpy's default sort, which depends on the
    processor: here it sorts as we do.
    """
    monkeypatch.setattr(np, "argsort", partial(np.argsort, kind="stable"))
    options = OPTIONS | options
    ours = KernelDensityGenerator(cardinalities, 1, 2, **options)
    theirs = BOHB(categorical_space(cardinalities, 2), **options)
    names = list(theirs.configspace.keys())
    outer, inner = np.random.get_state(), np.random.RandomState(1).get_state()  # noqa: NPY002
    rng = np.random.default_rng(0)
    model_based = 0
    try:
        for _ in range(steps):
            np.random.set_state(inner)  # noqa: NPY002
            values, info = theirs.get_config(4)
            inner = np.random.get_state()  # noqa: NPY002
            vector = ours.suggest()
            assert vector == tuple(int(values[name]) for name in names)
            model_based += info["model_based_pick"]
            error = None if rng.random() < 0.1 else round(sum(vector) / 50 + rng.random() / 5, 2)
            budget = int(rng.choice([4, 12, 36, 108], p=[0.6, 0.25, 0.1, 0.05]))
            ours.learn(vector, budget, error)
            job = Job(None, config=values, budget=budget)
            job.result = None if error is None else {"loss": error}
            theirs.new_result(job)
    finally:
        np.random.set_state(outer)  # noqa: NPY002
    assert model_based > steps / 3


def test_the_brackets_are_hyperbands() -> None:
    bohb, hyperband = (asked(drive(cls(CategoricalDomain(), 0), 130)) for cls in (Bohb, Hyperband))
    assert [p.epochs for p in bohb] == [p.epochs for p in hyperband]


def test_the_model_is_of_the_largest_budget_with_enough_observations() -> None:
    """Space 3 has 11 choices: a model needs 12 good and 12 bad observations at its budget."""
    optimizer = Bohb(CategoricalDomain(), 0)
    first_told: dict[int, int] = {}
    for number in range(400):
        proposal = optimizer.ask()
        optimizer.tell(Evaluation(proposal, sum(proposal.vector) / 50))
        first_told[proposal.epochs] = first_told.get(proposal.epochs, 0) + 1
        optimizer.generator.fit()
        modelled = set(optimizer.generator.model.kde_models)
        assert modelled <= {epochs for epochs, n in first_told.items() if n >= 24}
        if number > 30:
            assert modelled, "27 observations at 4 epochs are enough"
    assert max(modelled) == 108


@pytest.mark.parametrize(
    "change",
    [
        {"num_samples": 2},
        {"random_fraction": 0.9},
        {"min_bandwidth": 0.01},
        {"top_n_percent": 60},
        {"min_points_in_model": 20},
    ],
)
def test_every_setting_changes_the_proposals(change: dict[str, float]) -> None:
    settings = (BohbSettings(), replace(BohbSettings(), **change))
    runs = [asked(drive(Bohb(CategoricalDomain(), 0, s), 150)) for s in settings]
    assert runs[0] != runs[1]


def test_failures_are_bad_observations() -> None:
    """Configurations that fail are avoided: option 0 of the first choice always fails."""
    optimizer = Bohb(CategoricalDomain(), 0)
    drive(optimizer, 250, evaluate=lambda p: None if p.vector[0] == 0 else 0.5)
    late = [optimizer.generator.suggest()[0] for _ in range(150)]
    assert late.count(0) < 150 / 3 * 0.75
