"""Intervals and tests do what they promise: simulations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from raynas.analysis import statistics
from raynas.analysis.statistics import Equivalence, Estimate, MannWhitney, Significance, Statement

pytestmark = pytest.mark.long


def covers(found: Estimate | Statement, truth: float) -> bool:
    assert isinstance(found, Estimate) and not isinstance(found.interval, Statement)
    return found.interval[0] <= truth <= found.interval[1]


@pytest.mark.parametrize(
    ("runs", "normal", "skewed"),
    [(3, 0.71, 0.62), (5, 0.83, 0.73), (10, 0.9, 0.83), (40, 0.94, 0.89)],
)
def test_coverage_of_means(runs: int, normal: float, skewed: float) -> None:
    rng = np.random.default_rng(runs)
    laws = ((rng.normal, 0.0, normal), (rng.lognormal, np.exp(0.5), skewed))
    for draw, truth, expected in laws:
        low, high = statistics.mean_interval(draw(size=(runs, 4000)))
        share = np.mean((low <= truth) & (truth <= high))
        assert share == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("paired", [False, True])
def test_coverage_of_differences(paired: bool) -> None:
    rng = np.random.default_rng(1)
    found = [
        covers(
            statistics.difference(rng.normal(1, 1, 15), rng.normal(0, 2, 15), paired=paired), 1.0
        )
        for _ in range(600)
    ]
    assert 0.89 <= np.mean(found) <= 0.97


@pytest.mark.parametrize(("runs", "expected"), [(5, 0.84), (10, 0.9), (40, 0.94)])
def test_coverage_of_ratios(runs: int, expected: float) -> None:
    rng = np.random.default_rng(4)
    found = [
        covers(statistics.ratio(rng.normal(3, 1, runs), rng.normal(2, 0.5, runs)), 1.5)
        for _ in range(1000)
    ]
    assert np.mean(found) == pytest.approx(expected, abs=0.035)


@pytest.mark.parametrize(("runs", "expected"), [(5, 0.86), (10, 0.91), (40, 0.94)])
def test_coverage_of_mean_quantiles(runs: int, expected: float) -> None:
    """Of runs that are random draws from the known law: uniform values."""
    low, high = statistics.mean_interval(np.random.default_rng(5).random((runs, 4000)))
    assert np.mean((low <= 0.5) & (high >= 0.5)) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(("first", "second"), [(10, 10), (10, 30), (40, 40)])
def test_coverage_of_superiority(first: int, second: int) -> None:
    """At least nominal: with few runs the interval is on the wide side."""
    rng = np.random.default_rng(2)
    truth = stats.norm.cdf(0.8 / np.sqrt(1 + 0.25))
    samples = [(rng.normal(0.8, 1, first), rng.normal(0, 0.5, second)) for _ in range(1000)]
    found = [statistics.superiority(x, y) for x, y in samples]
    known = [covers(one, truth) for one in found if not isinstance(one.interval, Statement)]
    assert len(known) >= 980  # in the others nothing overlaps
    assert 0.94 <= np.mean(known) <= 0.995


@pytest.mark.parametrize("seeds", [1, 8])
def test_coverage_of_the_two_way_bootstrap(seeds: int) -> None:
    """For a correlation that differs from seed to seed, on other items and seeds."""
    rng = np.random.default_rng(3)
    noise = [1.0] if seeds == 1 else [0.5, 1.0, 2.0]
    truth = np.mean([2 / np.pi * np.arcsin(1 / np.sqrt(1 + n * n)) for n in noise])
    found = []
    for _ in range(200):
        items = rng.normal(size=80)
        scores = items + rng.choice(noise, seeds)[:, None] * rng.normal(size=(seeds, 80))
        interval = statistics.TwoWay(80, resamples=200).mean(scores, items).interval
        assert interval is not None
        found.append(interval[0] <= truth <= interval[1])
    assert 0.9 <= np.mean(found) <= 1.0


def test_tests_are_significant_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)
    ranks, means, spreads, same = [], [], [], []
    for _ in range(1500):
        first, second = rng.lognormal(size=(2, 7))
        found = statistics.mann_whitney(first, second)
        exact = statistics.permutation_test(first, second)
        levene = statistics.brown_forsythe(first, second)
        assert isinstance(found, MannWhitney)
        assert isinstance(exact, Significance) and isinstance(levene, Significance)
        ranks.append(found.p < 0.05)
        means.append(exact.p < 0.05)
        spreads.append(levene.p < 0.05)
        edge = statistics.equivalence(rng.normal(0.5, 1, 12), rng.normal(0, 1, 12), 0.5)
        assert isinstance(edge, Equivalence)
        same.append(edge.equivalent)
    for rejected in (ranks, means, spreads, same):
        assert np.mean(rejected) <= 0.065
    assert np.mean(means) >= 0.035
