from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from raynas.analysis import statistics


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


def test_no_interval_from_one_run_or_from_equal_runs() -> None:
    nan = np.nan
    values = np.array([[1.0, 2.0, 1.0, nan], [nan, 2.0, 3.0, nan], [nan, 2.0, 2.0, nan]])
    low, high = statistics.mean_interval(values)
    assert np.isnan(low).tolist() == [True, True, False, True]
    assert np.isnan(high).tolist() == [True, True, False, True]
    assert low[2] < 2 < high[2]


def test_missing_values_are_left_out_of_the_interval() -> None:
    values = np.random.default_rng(0).normal(size=(9, 1))
    holed = np.vstack([values, [[np.nan]]])
    assert statistics.mean_interval(holed) == statistics.mean_interval(values)


def test_mean_and_quartiles_leave_nan_out() -> None:
    values = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan], [6.0, np.nan]])
    assert statistics.mean(values)[0] == 3
    q25, median, q75 = statistics.quartiles(values)
    assert (q25[0], median[0], q75[0]) == (1.5, 2, 4)
    assert np.isnan([statistics.mean(values)[1], median[1]]).all()


def test_ranks_by_hand() -> None:
    nan = np.nan
    # three methods (rows), four seeds (columns)
    values = np.array([[0.1, 0.2, nan, nan], [0.2, 0.2, 0.5, nan], [0.3, 0.1, nan, nan]])
    # seed 0: 1 2 3; seed 1: 2.5 2.5 1; seed 2: 2.5 1 2.5; seed 3: nothing known
    expected = [(1 + 2.5 + 2.5) / 3, (2 + 2.5 + 1) / 3, (3 + 1 + 2.5) / 3]
    assert statistics.mean_ranks(values) == pytest.approx(expected)


def test_difference_of_means() -> None:
    rng = np.random.default_rng(0)
    apart = statistics.difference_interval(rng.normal(0, 1, 50), rng.normal(3, 1, 50))
    alike = statistics.difference_interval(rng.normal(0, 1, 50), rng.normal(0, 1, 50))
    assert -4 < apart[0] < apart[1] < -2
    assert alike[0] < 0 < alike[1]
    assert np.isnan(statistics.difference_interval(np.array([1.0]), np.array([1.0, 2.0]))).all()
