"""Tests of samples, against hand-computed values and exact enumeration."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from raynas.analysis import statistics
from raynas.analysis.statistics import (
    Equivalence,
    MannWhitney,
    Significance,
    Statement,
)


def pairs_won(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.sum(np.sign(np.subtract.outer(first, second)) + 1) / 2)


def share_of_splits(first: np.ndarray, second: np.ndarray, distance: object) -> float:
    """Share of all splits that are at least as far out, one split at a time."""
    pooled = np.concatenate([first, second])
    places = range(len(pooled))
    further = [
        distance(pooled[list(chosen)], np.delete(pooled, chosen)) >= distance(first, second) - 1e-9
        for chosen in combinations(places, len(first))
    ]
    return float(np.mean(further))


SAMPLES = {
    "no ties": ([3.0, 4.0, 7.0], [1.0, 2.0, 5.0, 6.5]),
    "ties": ([3.0, 4.0, 4.0, 7.0], [1.0, 3.0, 3.0, 5.0]),
    "apart": ([5.0, 6.0, 7.0, 8.0], [1.0, 2.0, 3.0]),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_mann_whitney_is_the_enumeration(name: str) -> None:
    first, second = map(np.array, SAMPLES[name])
    found = statistics.mann_whitney(first, second)
    assert isinstance(found, MannWhitney) and found.method == "exact"
    assert found.u == pairs_won(first, second)
    assert found.superiority.value == pytest.approx(found.u / (len(first) * len(second)))
    centre = len(first) * len(second) / 2
    exact = share_of_splits(first, second, lambda a, b: abs(pairs_won(a, b) - centre))
    assert found.p == pytest.approx(exact)


def test_mann_whitney_by_hand() -> None:
    found = statistics.mann_whitney([3.0, 4.0], [1.0, 2.0, 5.0])
    assert isinstance(found, MannWhitney)
    assert found.u == 4  # both beat 1 and 2
    assert found.superiority.value == pytest.approx(4 / 6)
    apart = statistics.mann_whitney([4.0, 5.0, 6.0], [1.0, 2.0, 3.0])
    assert isinstance(apart, MannWhitney)
    assert apart.p == pytest.approx(2 / 20)
    assert apart.superiority.value == 1
    assert apart.superiority.interval == Statement("no overlap, no interval")


def test_large_samples_are_asymptotic_like_scipy() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 40, 60), rng.integers(3, 44, 50)
    found = statistics.mann_whitney(first, second)
    assert isinstance(found, MannWhitney) and found.method == "asymptotic"
    assert found.p == stats.mannwhitneyu(first, second, method="asymptotic").pvalue


def test_superiority_has_the_standard_error_of_brunner_and_munzel() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(0.6, 1, 14), rng.normal(0, 2, 11)
    found = statistics.superiority(first, second)
    theirs = stats.brunnermunzel(second, first)
    assert not isinstance(found.interval, Statement)
    error = (found.value - 0.5) / theirs.statistic
    low, high = (np.log(end / (1 - end)) for end in found.interval)
    scale = error / (found.value * (1 - found.value))
    assert (low + high) / 2 == pytest.approx(np.log(found.value / (1 - found.value)))
    # the reach is a t quantile of that standard error: between the normal's and t(9)'s
    assert 1.96 < (high - low) / 2 / scale < stats.t.ppf(0.975, 9)


@pytest.mark.parametrize("name", SAMPLES)
def test_permutation_test_is_the_enumeration(name: str) -> None:
    first, second = map(np.array, SAMPLES[name])
    found = statistics.permutation_test(first, second)
    assert isinstance(found, Significance) and found.method == "exact"
    assert found.statistic == pytest.approx(first.mean() - second.mean())
    exact = share_of_splits(first, second, lambda a, b: abs(a.mean() - b.mean()))
    assert found.p == pytest.approx(exact)


def test_paired_permutation_test_is_the_enumeration() -> None:
    first, second = np.array([3.0, 4.0, 7.0, 1.0]), np.array([1.0, 5.0, 3.0, 0.5])
    gaps = first - second
    signs = np.array(list(product((1, -1), repeat=4)))
    exact = np.mean(np.abs(signs @ gaps) >= abs(gaps.sum()) - 1e-9)
    found = statistics.permutation_test(first, second, paired=True)
    assert isinstance(found, Significance)
    assert (found.p, found.method) == (pytest.approx(exact), "exact")


def test_two_samples_of_ten_are_listed_in_full_and_larger_ones_drawn() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(1, 1, 10), rng.normal(0, 1, 10)
    exact = statistics.permutation_test(first, second)
    assert isinstance(exact, Significance) and exact.method == "exact"
    assert (exact.p * 184_756) == pytest.approx(round(exact.p * 184_756))
    t_test = stats.ttest_ind(first, second).pvalue
    assert exact.p == pytest.approx(t_test, abs=0.02)
    drawn = statistics.permutation_test(np.append(first, 0.1), np.append(second, 0.1))
    assert isinstance(drawn, Significance) and drawn.method == "simulated"
    assert drawn.p > 0
    pairs = statistics.permutation_test(rng.normal(1, 1, 30), np.zeros(30), paired=True)
    assert isinstance(pairs, Significance) and pairs.method == "simulated"


def test_splits_of_many_values_into_few() -> None:
    first, second = np.array([400.0, 401.0]), np.arange(400.0)
    found = statistics.permutation_test(first, second)
    assert isinstance(found, Significance) and found.method == "exact"
    # as far out: the two greatest and the two least of 402
    assert found.p == pytest.approx(2 / (402 * 401 / 2))


def test_holm_by_hand() -> None:
    # in order .005 .01 .03 .04, times 4 3 2 1, never falling
    adjusted = statistics.holm([0.01, 0.04, 0.03, 0.005])
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])
    holed = statistics.holm([0.01, np.nan, 0.6, 0.9])
    assert holed[[0, 2, 3]] == pytest.approx([0.03, 1.0, 1.0])
    assert np.isnan(holed[1])
    assert len(statistics.holm([])) == 0


def test_holm_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(0)
    for count in (1, 2, 7, 40):
        p_values = rng.random(count) ** 3
        p_values[count // 2 :: 5] = p_values[0]  # some are equal
        expected = multipletests(p_values, method="holm")[1]
        assert statistics.holm(p_values).tolist() == expected.tolist()


def test_equivalence_by_hand() -> None:
    # both have mean 2 and variance 1: t = 2 / sqrt(2 / 3) with 4 degrees of freedom
    found = statistics.equivalence([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], margin=2)
    assert isinstance(found, Equivalence)
    assert found.p == pytest.approx(stats.t.sf(2 / np.sqrt(2 / 3), 4))
    reach = stats.t.ppf(0.95, 4) * np.sqrt(2 / 3)
    assert found.interval == pytest.approx((-reach, reach))
    assert found.equivalent and found.difference == 0
    narrow = statistics.equivalence([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], margin=1.7)
    assert isinstance(narrow, Equivalence) and not narrow.equivalent
    # the interval lies within the margin exactly if equivalence is shown
    for margin in np.linspace(0.5, 4, 12):
        one = statistics.equivalence([1.0, 2.0, 4.0], [1.0, 2.0, 3.0, 5.0], margin)
        assert isinstance(one, Equivalence)
        inside = -margin < one.interval[0] and one.interval[1] < margin
        assert one.equivalent == inside
    against_known = statistics.equivalence([1.0, 2.0, 3.0], 2.5, margin=2)
    assert isinstance(against_known, Equivalence)
    # the nearer end of the margin is 1.5 away, the standard error sqrt(1 / 3)
    assert against_known.p == pytest.approx(stats.t.sf(1.5 * np.sqrt(3), 2))
    with pytest.raises(ValueError, match="margin"):
        statistics.equivalence([1.0, 2.0], [1.0, 2.0], margin=0)


def test_no_loss_is_one_of_the_two_tests() -> None:
    # the means differ by 1 less, variance 1: t = (-1 + 2) / sqrt(2 / 3)
    found = statistics.equivalence([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], margin=2)
    assert isinstance(found, Equivalence)
    assert found.p_above == found.p == pytest.approx(stats.t.sf(1 / np.sqrt(2 / 3), 4))
    gain = statistics.equivalence([2.0, 3.0, 4.0], [1.0, 2.0, 3.0], margin=2)
    assert isinstance(gain, Equivalence)
    assert (
        gain.p_above == pytest.approx(stats.t.sf(3 / np.sqrt(2 / 3), 4)) and gain.p > gain.p_above
    )


def test_a_mean_against_draws_by_enumeration() -> None:
    """Two runs, each against a fair coin of -1 and 1."""

    def coin(rng: np.random.Generator, count: int) -> np.ndarray:
        return rng.choice([-1.0, 1.0], count)

    found = {gap: statistics.drawn_mean_test(gap, [coin, coin]).p for gap in (1.0, 0.0, -1.0)}
    assert found[1.0] == pytest.approx(2 / 4, abs=0.02)
    assert found[-1.0] == pytest.approx(2 / 4, abs=0.02)
    assert found[0.0] == 1.0
    assert statistics.drawn_mean_test(5.0, [coin, coin]).p == pytest.approx(2 / 20_001)


def test_brown_forsythe_by_hand() -> None:
    # distances from the medians 1 0 1 and 2 0 2: F = (2/3) / (30/36)
    found = statistics.brown_forsythe([1.0, 2.0, 3.0], [0.0, 2.0, 4.0])
    assert isinstance(found, Significance)
    assert found.statistic == pytest.approx(0.8)
    assert found.p == pytest.approx(stats.f.sf(0.8, 1, 4))


EQUAL, ONE, NOTHING = [2.0, 2.0, 2.0], [1.0], [np.nan, np.nan]


@pytest.mark.parametrize("first", [EQUAL, ONE, NOTHING], ids=["equal", "one", "nothing"])
def test_degenerate_samples_are_statements(first: list[float]) -> None:
    assert isinstance(statistics.mann_whitney(first, EQUAL), Statement)
    assert isinstance(statistics.permutation_test(first, EQUAL), Statement)
    assert isinstance(statistics.permutation_test(first, first, paired=True), Statement)
    assert isinstance(statistics.equivalence(first, EQUAL, 1.0), Statement)
    assert isinstance(statistics.brown_forsythe(first, EQUAL), Statement)


def test_missing_values_are_left_out() -> None:
    first, second = [3.0, np.nan, 4.0, 9.0], [1.0, 2.0, np.nan]
    for test in (statistics.mann_whitney, statistics.permutation_test):
        assert test(first, second) == test([3.0, 4.0, 9.0], [1.0, 2.0])
