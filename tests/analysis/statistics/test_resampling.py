from __future__ import annotations

import numpy as np
import pytest

from raynas.analysis import statistics
from raynas.analysis.statistics import Measure, resampling
from raynas.analysis.statistics.resampling import item_weights

MEASURES = {
    "kendall": statistics.KENDALL,
    "spearman": statistics.SPEARMAN,
    "pearson": statistics.PEARSON,
    "sparse": statistics.sparse_kendall(0.5),
}


def sides(items: int, ties: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(items)
    x = rng.normal(size=items).round(ties)
    return x, (x + 2 * rng.normal(size=items)).round(2)


def one_by_one(measure: Measure, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    drawn = [np.repeat(np.arange(len(x)), line.astype(int)) for line in weights]
    return np.array([measure.value(x[items], y[items]) for items in drawn])


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_samples_have_the_coefficients_of_their_items(measure: Measure) -> None:
    x, y = sides(40)
    weights = item_weights(40, 30, 0)
    assert (weights.sum(axis=1) == 40).all()
    assert measure.draws(x, y, weights) == pytest.approx(one_by_one(measure, x, y, weights))
    some = np.arange(7, 30)
    part = measure.draws(x[some], y[some], weights[:, some])
    assert part == pytest.approx(one_by_one(measure, x[some], y[some], weights[:, some]))


def test_tau_of_many_items_is_near() -> None:
    """Its linear part differs by far less than samples do."""
    items = resampling.ALL_PAIRS + 250
    x, y = sides(items)
    weights = item_weights(items, 60, 0)
    exact = one_by_one(statistics.KENDALL, x, y, weights)
    near = statistics.KENDALL.draws(x, y, weights)
    assert np.abs(near - exact).max() < 0.4 * exact.std()
    assert near.std() == pytest.approx(exact.std(), rel=0.1)


def test_pairs_are_counted_as_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every item drawn once, the linear part is tau-b itself, ties and all."""
    for items in (2, 3, 9, 40):
        x, y = sides(items, ties=0)
        expected = statistics.kendall_tau(x, y)
        with monkeypatch.context() as patch:
            patch.setattr(resampling, "ALL_PAIRS", 0)
            found = statistics.KENDALL.draws(x, y, np.ones((1, items)))[0]
        if isinstance(expected, float):
            assert found == pytest.approx(expected)
        else:
            assert np.isnan(found)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_a_sample_of_equal_values_has_no_coefficient(measure: Measure) -> None:
    weights = np.array([[3.0, 0, 0], [1, 1, 1]])
    found = measure.draws(np.array([1.0, 2, 3]), np.array([1.0, 2, 3]), weights)
    assert np.isnan(found[0]) and found[1] == pytest.approx(1)


def test_oracle_reaches_what_expectations_reach() -> None:
    """The spread of the means, the attenuation of Pearson's r and tau, all and among the best."""
    rng = np.random.default_rng(0)
    expected = -rng.gamma(2, 1, 1500)
    repeats = expected[:, None] + rng.normal(0, 0.5, (1500, 3))

    def figures(pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        rows = []
        for score, mean in pairs:
            best = np.argsort(-mean)[:150]
            sides = (score, mean), (score[best], mean[best])
            rows.append([statistics.kendall_tau(*one) for one in sides] + [mean.std()])
        return np.mean(rows, axis=0)

    worlds = statistics.oracle_worlds(repeats, 20)
    assert not isinstance(worlds, statistics.Statement)
    noise = [rng.normal(0, 0.5 / np.sqrt(3), 1500) for _ in range(20)]
    real = figures([(expected, expected + one) for one in noise])
    found = list(worlds)
    whole, best, spread = figures(found)
    assert whole == pytest.approx(real[0], abs=0.02)
    assert best == pytest.approx(real[1], abs=0.1)
    assert spread == pytest.approx(repeats.mean(axis=1).std(), rel=0.02)
    reliability = 1 - 0.25 / 3 / repeats.mean(axis=1).var()
    linear = np.mean([statistics.pearson(*pair) for pair in found])
    assert linear == pytest.approx(np.sqrt(reliability), abs=0.005)
    assert whole > statistics.one_against_others(repeats) + 0.1
    order = np.corrcoef(found[0][0], repeats.mean(axis=1))[0, 1]
    assert order > 0.99  # given in the order of the items


def test_a_failed_repeat_makes_no_item_the_best() -> None:
    repeats = np.linspace(0.90, 0.93, 200)[:, None] + np.array([0.0, 0.001, -0.001])
    repeats[:20, 2] = 0.1
    worlds = statistics.oracle_worlds(repeats, 30)
    assert not isinstance(worlds, statistics.Statement)
    for _, mean in worlds:
        assert mean.max() < 0.94 and mean.argmax() >= 20


def test_oracle_without_noise_or_repeats() -> None:
    same = np.arange(5.0)[:, None].repeat(3, axis=1)
    worlds = statistics.oracle_worlds(same, 2)
    assert not isinstance(worlds, statistics.Statement)
    for expected, mean in worlds:
        assert expected == pytest.approx(same[:, 0]) and mean == pytest.approx(same[:, 0])
    for none in (same[:, :1], same[:1]):
        assert isinstance(statistics.oracle_worlds(none, 2), statistics.Statement)
