from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from raynas.optimizers import Evaluation, make_optimizer
from raynas.optimizers._random_forest import ForestSettings
from raynas.optimizers.smac import SmacSettings
from raynas.optimizers.smac3 import Smac3, Smac3Settings
from search_spaces.spaces import load_space
from tests.support.domains import CategoricalDomain, error_of
from tests.support.optimizer_runs import asked, drive, problem

QUICK = Smac3Settings(challengers=50, local_searches=2, retrain_after=4)


def test_published_defaults() -> None:
    settings = Smac3Settings()
    assert (settings.random_fraction, settings.n_trees, settings.max_config_calls) == (0.33, 10, 4)


def test_no_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    drive(Smac3(CategoricalDomain(), 0, QUICK), 6)
    assert not list(tmp_path.iterdir())


def test_the_settings_reach_the_package() -> None:
    settings = Smac3Settings(0.1, 7, 2, 3, 11, 5)
    facade = Smac3(CategoricalDomain(), 0, settings).facade
    meta = facade.meta
    assert meta["random_design"]["probability"] == 0.1
    assert meta["model"]["n_estimators"] == 7
    assert meta["intensifier"]["max_config_calls"] == 2
    assert meta["config_selector"]["retrain_after"] == 3
    assert meta["acquisition_maximizer"]["challengers"] == 11
    assert facade._config_selector._acquisition_maximizer._local_search_iterations == 5
    assert not facade.scenario.deterministic
    assert Smac3(
        CategoricalDomain(), 0, Smac3Settings(max_config_calls=1)
    ).facade.scenario.deterministic


def test_the_bound_on_leaves_changes_no_prediction() -> None:
    """The package's own bound of 2**20 costs a quarter of a second per tree, for nothing."""
    forest = Smac3(CategoricalDomain(), 0).facade._model
    vectors = CategoricalDomain().sample(np.random.default_rng(0), 60).astype(float)
    costs = np.array([[error_of(v.astype(int).tolist())] for v in vectors])
    means = []
    for bound in (forest._rf_opts["max_leaf_nodes"], 2**20):
        forest._rf_opts = {**forest._rf_opts, "max_leaf_nodes": bound, "n_estimators": 2}
        means.append(forest.train(vectors, costs).predict(vectors)[0])
    assert (means[0] == means[1]).all()


def test_failures_are_crashed_runs_with_the_worst_cost() -> None:
    from smac.runhistory.enumerations import StatusType

    optimizer = Smac3(CategoricalDomain(), 0, QUICK)
    for error in (None, 0.3, 0.6, None):
        optimizer.tell(Evaluation(optimizer.ask(), error))
    runs = [(run.cost, run.status) for run in optimizer.facade.runhistory.values()]
    crashed, success = StatusType.CRASHED, StatusType.SUCCESS
    assert runs == [(1.0, crashed), (0.3, success), (0.6, success), (0.6, crashed)]


def test_configurations_are_raced() -> None:
    proposals = asked(drive(Smac3(CategoricalDomain(), 0, QUICK), 16))
    _, counts = np.unique([p.vector for p in proposals], axis=0, return_counts=True)
    assert 1 < counts.max() <= 4


SEEDS = 12
EVALUATIONS = 100

# The package refits for every eighth challenger and splits option indices at thresholds.
AS_THE_PACKAGE = SmacSettings(retrain_after=8, forest=ForestSettings(encoding="ordinal"))


def best_of(name: str, seed: int, settings: SmacSettings | None = None) -> float:
    """True error of the best by one noisy error, in space 3 with a synthetic surface."""
    rng = np.random.default_rng(seed)
    optimizer = make_optimizer(name, load_space(3), seed, settings)
    best = (1.0, 1.0)
    for _ in range(EVALUATIONS):
        proposal = optimizer.ask()
        truth = problem(proposal)
        seen = float(np.clip(truth + 0.01 * rng.standard_normal(), 0, 1))
        optimizer.tell(Evaluation(proposal, seen))
        best = min(best, (seen, truth))
    return best[1]


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_array_code_and_package_reach_the_same_error() -> None:
    """95 % bootstrap intervals of the means overlap; random search shows that this says something.

    With the package's settings the array code must agree with it. As registered it refits for
    every challenger and knows no order among options: it may be better, not worse.
    """
    runs = {
        "smac": ("smac", None),
        "smac as smac3": ("smac", AS_THE_PACKAGE),
        "smac3": ("smac3", None),
        "rs": ("rs", None),
    }
    rng = np.random.default_rng(0)
    mean, low, high = {}, {}, {}
    for label, (name, settings) in runs.items():
        reached = np.array([best_of(name, seed, settings) for seed in range(SEEDS)])
        means = rng.choice(reached, size=(10_000, SEEDS)).mean(axis=1)
        mean[label] = float(reached.mean())
        low[label], high[label] = np.quantile(means, [0.025, 0.975]).tolist()
        print(f"{label:14s} mean {mean[label]:.4f}, {low[label]:.4f} to {high[label]:.4f}")
    assert low["smac as smac3"] <= high["smac3"]
    assert low["smac3"] <= high["smac as smac3"]
    assert low["smac"] <= high["smac3"]
    assert max(mean["smac"], mean["smac as smac3"], mean["smac3"]) < mean["rs"]
