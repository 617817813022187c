from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from raynas.analysis import statistics
from raynas.analysis.statistics import Estimate, Statement


@pytest.mark.parametrize("size", [5, 10, 40])
def test_interval_agrees_with_scipy(size: int) -> None:
    values = np.random.default_rng(size).lognormal(size=(size, 3))
    low, high = statistics.mean_interval(values, seed=1, resamples=20_000)
    for i in range(3):
        theirs = stats.bootstrap(
            (values[:, i],), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(2)
        ).confidence_interval
        width = theirs.high - theirs.low
        assert abs(low[i] - theirs.low) < 0.03 * width
        assert abs(high[i] - theirs.high) < 0.03 * width


def test_interval_is_seeded() -> None:
    values = np.random.default_rng(0).normal(size=(8, 4))
    once, again, other = (statistics.mean_interval(values, seed=s) for s in (3, 3, 4))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_no_interval_from_two_runs_or_from_equal_runs() -> None:
    nan = np.nan
    columns = {
        "one run": [1.0, nan, nan],
        "two runs, whose interval would be the two": [1.0, 3.0, nan],
        "equal runs": [2.0, 2.0, 2.0],
        "no run": [nan, nan, nan],
        "three runs": [1.0, 3.0, 2.0],
    }
    low, high = statistics.mean_interval(np.array(list(columns.values())).T)
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [True, True, True, True, False]
    assert 1 <= low[-1] < 2 < high[-1] <= 3


def test_missing_values_are_left_out_of_the_interval() -> None:
    values = np.random.default_rng(0).normal(size=(9, 1))
    holed = np.vstack([values, [[np.nan]]])
    assert statistics.mean_interval(holed) == statistics.mean_interval(values)


def test_difference_of_means() -> None:
    rng = np.random.default_rng(0)
    apart = statistics.difference_interval(rng.normal(0, 1, 50), rng.normal(3, 1, 50))
    alike = statistics.difference_interval(rng.normal(0, 1, 50), rng.normal(0, 1, 50))
    assert -4 < apart[0] < apart[1] < -2
    assert alike[0] < 0 < alike[1]
    assert np.isnan(statistics.difference_interval(np.array([1.0]), np.array([1.0, 2.0]))).all()
    assert np.isnan(statistics.difference_interval(np.array([1.0, 2.0]), np.arange(9.0))).all()


def estimate(found: Estimate | Statement) -> Estimate:
    assert isinstance(found, Estimate)
    return found


def test_bootstrap_is_that_of_the_columns_and_of_scipy() -> None:
    values = np.random.default_rng(3).lognormal(size=12)
    found = estimate(statistics.bootstrap(values, resamples=20_000))
    assert found.value == pytest.approx(values.mean())
    columns = statistics.mean_interval(values[:, None], resamples=20_000)
    assert found.interval == pytest.approx(np.ravel(columns), rel=0.03)
    median = estimate(statistics.bootstrap(values, np.median))
    assert median.value == np.median(values)
    assert values.min() <= median.interval[0] <= median.value <= median.interval[1]


def test_unpaired_difference_agrees_with_scipy() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.normal(1, 1, 12), rng.normal(0, 2, 9)
    found = estimate(statistics.difference(first, second, resamples=20_000))
    theirs = stats.bootstrap(
        (first, second),
        lambda a, b, axis: a.mean(axis) - b.mean(axis),
        n_resamples=20_000,
        rng=np.random.default_rng(9),
    ).confidence_interval
    assert found.value == pytest.approx(first.mean() - second.mean())
    assert found.interval == pytest.approx((theirs.low, theirs.high), abs=0.06)


def test_paired_difference_takes_out_what_the_seeds_have_in_common() -> None:
    rng = np.random.default_rng(6)
    seed_effect = rng.normal(0, 10, 15)
    first, second = seed_effect + rng.normal(1, 0.1, 15), seed_effect
    paired = estimate(statistics.difference(first, second, paired=True))
    apart = estimate(statistics.difference(first, second))
    assert paired.value == pytest.approx(apart.value)
    assert 0.8 < paired.interval[0] < paired.interval[1] < 1.2
    assert apart.interval[0] < -2
    first[0] = np.nan  # its partner goes too
    fewer = estimate(statistics.difference(first, second, paired=True))
    assert fewer.value == pytest.approx(np.mean(first[1:] - second[1:]))
    with pytest.raises(ValueError, match="15 and 14"):
        statistics.difference(first, second[1:], paired=True)


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ([1.0, 2.0], [1.0, 2.0, 3.0], "2 values"),
        ([1.0], [1.0, 2.0, 3.0], "one value"),
        ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], "equal"),
    ],
)
def test_a_difference_without_an_interval_says_why(
    first: list[float], second: list[float], why: str
) -> None:
    found = estimate(statistics.difference(first, second))
    assert found.value == pytest.approx(np.mean(first) - np.mean(second))
    assert isinstance(found.interval, Statement) and why in str(found.interval)
    assert why in str(found)


def test_nothing_known_is_a_statement() -> None:
    nothing = [np.nan, np.nan]
    assert statistics.bootstrap(nothing) == Statement("no run has a value")
    assert isinstance(statistics.difference(nothing, [1.0, 2.0]), Statement)


def test_a_ratio_by_enumeration() -> None:
    """Against all resamples of three values, divided by a constant."""
    from itertools import product

    values = [1.0, 2.0, 6.0]
    found = statistics.ratio(values, [2.0, 2.0, 2.0], resamples=20_000)
    assert isinstance(found, Estimate) and found.value == pytest.approx(1.5)
    every = [np.mean(draw) / 2 for draw in product(values, repeat=3)]
    low, high = np.quantile(every, [0.025, 0.975], method="inverted_cdf")
    assert found.interval == (pytest.approx(low), pytest.approx(high))


def test_a_ratio_without_spread_or_meaning_has_no_interval() -> None:
    same = statistics.ratio([4.0, 4.0, 4.0], [2.0, 2.0, 2.0])
    assert isinstance(same, Estimate) and same.value == 2.0
    assert str(same.interval) == "all runs are equal, no interval"
    few = statistics.ratio([1.0, 2.0], [1.0, 3.0])
    assert isinstance(few, Estimate) and "at least 3" in str(few.interval)
    assert isinstance(statistics.ratio([1.0], [0.0]), Statement)
    assert isinstance(statistics.ratio([np.nan], [1.0]), Statement)
    zero = statistics.ratio([1.0, 1, 1], [0.0, 0, 1])
    assert isinstance(zero, Estimate) and "zero is possible" in str(zero.interval)
