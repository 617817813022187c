from __future__ import annotations

import numpy as np
import pytest

from raynas.analysis import random_search
from raynas.analysis.reference import CURVES_SCHEMA, log_counts, reference_curves
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from search_spaces.table import Table
from tests.support.benchmarks import synthetic_benchmark

TIMES = np.array([1, 3, 10, 30])
TRIALS = 4000


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    space = load_space(1)
    path = tmp_path_factory.mktemp("benchmark") / "one.arrow"
    return synthetic_benchmark(path, space, seed=5).table(space)


def simulate(draw: random_search.Draw, outcome: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Outcome of the first lowest seen value after each of TIMES draws: (TRIALS, times)."""
    atoms = rng.choice(len(draw.seen), size=(TRIALS, TIMES[-1]), p=draw.probability)
    first = np.stack([draw.seen[atoms[:, :n]].argmin(axis=1) for n in TIMES], axis=1)
    return outcome[np.take_along_axis(atoms, first, axis=1)]


@pytest.mark.parametrize("repeat", ["mean", "random", 1])
@pytest.mark.parametrize("oracle", [False, True])
def test_expected_curve_agrees_with_running_random_search(
    table: Table, repeat: random_search.Repeat, oracle: bool
) -> None:
    weights = random_search.multiplicities(table.space)
    draw = random_search.draw(table, weights, repeat, oracle=oracle)
    simulated = simulate(draw, draw.test_regret, np.random.default_rng(7))
    exact = random_search.expected(draw.seen, draw.probability, draw.test_regret, TIMES)
    error = simulated.std(axis=0) / np.sqrt(TRIALS)
    assert np.all(np.abs(simulated.mean(axis=0) - exact) < 4 * error)
    assert np.all(error < 0.05 * exact)  # so that the line above can fail


def test_quantiles_agree_with_running_random_search(table: Table) -> None:
    draw = random_search.draw(table, random_search.multiplicities(table.space), "random")
    simulated = simulate(draw, draw.test_regret, np.random.default_rng(8))
    levels = (0.25, 0.5, 0.75)
    exact = random_search.quantiles(draw.seen, draw.probability, draw.test_regret, TIMES, levels)
    for level, row in zip(levels, exact, strict=True):
        at_most = (simulated <= row).mean(axis=0)
        below = (simulated < row).mean(axis=0)
        assert np.all(at_most > level - 0.04)
        assert np.all(below < level + 0.04)


def test_ties_share_the_chance_by_their_probabilities() -> None:
    seen = np.array([0.1, 0.1, 0.2])
    probability = np.array([0.1, 0.3, 0.6])
    outcome = np.array([1.0, 5.0, 10.0])
    found = random_search.expected(seen, probability, outcome, [1, 2])
    first = 0.4 * 4.0 + 0.6 * 10.0
    second = (1 - 0.36) * 4.0 + 0.36 * 10.0
    assert found == pytest.approx([first, second])


def test_weights_count_raw_architectures(table: Table) -> None:
    weights = random_search.multiplicities(table.space)
    assert weights.sum() == table.space.num_architectures
    assert weights.min() >= 1
    assert weights.max() == 486  # the single-operation cells of space 1


def test_more_draws_never_raise_the_expected_validation_regret_under_the_mean(table: Table) -> None:
    draw = random_search.draw(table, random_search.multiplicities(table.space), "mean")
    curve = random_search.expected(
        draw.seen, draw.probability, draw.validation_regret, np.arange(1, 200)
    )
    assert np.all(np.diff(curve) < 0)
    assert curve[0] == pytest.approx(np.dot(draw.probability, draw.validation_regret))


def test_reference_curves_hold_what_a_report_needs(table: Table) -> None:
    curves = reference_curves({"1": table}, "seeded", 50)
    assert curves.schema == CURVES_SCHEMA
    frame = curves.to_pandas()
    share = frame[(frame.curve == "distribution") & (frame.quantity == "test_error")]
    assert share.y.iloc[-1] == 1
    assert share.x.iloc[0] == table.best_test_error
    runs = frame[(frame.curve == "random search") & (frame.statistic == "mean")]
    regret = runs[runs.quantity == "test_regret"]
    weights = random_search.multiplicities(table.space)
    seconds = table.training_seconds(np.arange(table.space.num_unique))
    assert regret.evaluations.iloc[-1] == 50
    assert regret.x.iloc[-1] == pytest.approx(50 * np.average(seconds, weights=weights))


def test_more_workers_divide_the_time(table: Table) -> None:
    one, four = (
        reference_curves({"1": table}, 0, 20, workers=workers).to_pandas() for workers in (1, 4)
    )
    random = one.curve == "random search"
    assert four.x[random].to_numpy() == pytest.approx(one.x[random].to_numpy() / 4)
    assert four.y.equals(one.y)


def test_an_unknown_repeat_names_the_valid_ones(table: Table) -> None:
    with pytest.raises(UserError, match="seeded, mean, 0, 1, 2"):
        reference_curves({"1": table}, "best")


def test_counts_run_from_one_to_the_largest() -> None:
    counts = log_counts(280, 40)
    assert counts[0] == 1 and counts[-1] == 280
    assert np.all(np.diff(counts) > 0) and len(counts) <= 40
    assert log_counts(1, 40).tolist() == [1]
