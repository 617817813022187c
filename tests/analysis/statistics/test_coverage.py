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


WORLDS = 500


def within_chance(found: list[bool], nominal: float = 0.95) -> bool:
    """Not below a coverage by more than three standard errors of so many simulations."""
    return bool(np.mean(found) >= nominal - 3 * np.sqrt(nominal * (1 - nominal) / len(found)))


def scored(rng: np.random.Generator, taus: np.ndarray, items: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores with a known expected tau each, half of whose noise all seeds share; the truth."""
    linear = np.sin(np.pi / 2 * taus)[:, None]  # of normal values
    truth = rng.normal(size=items)
    noise = (rng.normal(size=items) + rng.normal(size=(len(taus), items))) / np.sqrt(2)
    return linear * truth + np.sqrt(1 - linear**2) * noise, truth


@pytest.mark.parametrize("spread", [0.0, 0.2], ids=["seeds alike", "seeds differ"])
@pytest.mark.parametrize("items", [30, 250])
@pytest.mark.parametrize("seeds", [1, 2, 3, 5, 10])
def test_coverage_of_the_mean_tau_of_seeds(seeds: int, items: int, spread: float) -> None:
    """Of other items and seeds; of fewer than three seeds, of other items with these."""
    rng = np.random.default_rng([seeds, items])
    draws = [statistics.TwoWay(items, resamples=200, seed=seed) for seed in range(20)]
    found = []
    for world in range(WORLDS):
        taus = rng.uniform(0.4 - spread, 0.4 + spread, seeds)
        interval = draws[world % len(draws)].mean(*scored(rng, taus, items)).interval
        assert interval is not None
        found.append(interval[0] <= (0.4 if seeds >= 3 else taus.mean()) <= interval[1])
    assert within_chance(found, 0.95 if seeds >= 3 else 0.935)
    assert np.mean(found) <= 0.995


@pytest.mark.parametrize("items", [30, 250])
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_coverage_of_the_mean_tau_of_checkpoints(seeds: int, items: int) -> None:
    """Three of each seed, whose taus differ and whose noise is shared in part."""
    rng = np.random.default_rng([seeds, items, 1])
    draws = [statistics.TwoWay(items, resamples=200, seed=seed) for seed in range(20)]
    found = []
    for world in range(WORLDS):
        taus = rng.uniform(0.3, 0.5, seeds).repeat(3) + rng.uniform(-0.1, 0.1, 3 * seeds)
        scores, truth = scored(rng, taus, items)
        every = np.arange(items)
        sides = [
            [statistics.Side(line, truth, every) for line in own]
            for own in scores.reshape(seeds, 3, items)
        ]
        interval = draws[world % len(draws)].mean_of(sides).interval
        assert interval is not None
        found.append(interval[0] <= (0.4 if seeds >= 3 else taus.mean()) <= interval[1])
    assert within_chance(found, 0.95 if seeds >= 3 else 0.935)
    assert np.mean(found) <= 0.995


@pytest.mark.parametrize("items", [30, 250])
def test_coverage_of_one_against_others(items: int) -> None:
    """Its expectation follows from the correlation of normal values."""
    rng = np.random.default_rng(items)
    truth = 2 / np.pi * np.arcsin(1 / np.sqrt((1 + 0.5) * (1 + 0.5 / 2)))
    draws = [statistics.TwoWay(items, resamples=200, seed=seed) for seed in range(20)]
    found = []
    for world in range(WORLDS):
        repeats = rng.normal(size=(items, 1)) + np.sqrt(0.5) * rng.normal(size=(items, 3))
        found.append(covers(draws[world % len(draws)].one_against_others(repeats), truth))
    assert within_chance(found, 0.935)
    assert np.mean(found) <= 0.995


def test_coverage_of_one_against_others_among_the_best() -> None:
    """30 of 300, chosen anew by the others of each repeat; the expectation is simulated."""
    rng = np.random.default_rng(8)

    def repeats(items: int) -> np.ndarray:
        return rng.normal(size=(items, 1)) + 0.5 * rng.normal(size=(items, 3))

    def best(rest: np.ndarray) -> np.ndarray:
        return np.argsort(-rest)[: len(rest) // 10]

    truth = statistics.one_against_others(repeats(300_000), choose=best)
    draws = [statistics.TwoWay(300, resamples=200, seed=seed) for seed in range(20)]
    found = [
        covers(
            draws[world % len(draws)].one_against_others(repeats(300), statistics.KENDALL, best),
            truth,
        )
        for world in range(WORLDS)
    ]
    assert within_chance(found, 0.935)
    assert np.mean(found) <= 0.995


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
