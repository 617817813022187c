from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from raynas.analysis.statistics import (
    Statement,
    detectable_shift,
    mann_whitney_power,
    power_statement,
    uniform_mean_p,
)


@pytest.mark.parametrize(
    ("shift", "power"), [(0.5, 0.17), (0.8, 0.36), (1.0, 0.51), (1.3, 0.73), (1.6, 0.91)]
)
def test_power_with_ten_runs_each(shift: float, power: float) -> None:
    assert mann_whitney_power(10, 10, shift) == pytest.approx(power, abs=0.03)


def test_without_a_difference_power_is_the_level() -> None:
    assert mann_whitney_power(10, 10, 0.0) == pytest.approx(0.043, abs=0.012)
    assert mann_whitney_power(8, None, 0.0) == pytest.approx(0.05, abs=0.012)


def test_against_a_known_distribution_one_run_is_a_quantile() -> None:
    # p < 0.05 where the run lies outside the central 95 %
    exact = stats.norm.sf(1.96 - 1) + stats.norm.cdf(-1.96 - 1)
    assert mann_whitney_power(1, None, 1.0) == pytest.approx(exact, abs=0.02)


def test_detectable_shift_has_the_power_asked_for() -> None:
    shift = detectable_shift(6, None)
    assert not isinstance(shift, Statement)
    assert mann_whitney_power(6, None, shift) == pytest.approx(0.8, abs=0.01)


def test_too_few_runs_cannot_find_anything() -> None:
    for first, second in ((3, 3), (2, 5), (1, 30)):
        assert isinstance(mann_whitney_power(first, second, 3.0), Statement)
    assert "even without any overlap p is 0.1" in power_statement(3, 3)
    assert isinstance(mann_whitney_power(0, None, 1.0), Statement)
    assert not isinstance(mann_whitney_power(4, 4, 1.0), Statement)


def test_the_mean_of_uniform_values() -> None:
    # one value: its distance from the end, twice; two: the triangle 2 m^2 below one half
    assert uniform_mean_p(np.array([0.02, 0.5, 0.99]), 1) == pytest.approx([0.04, 1, 0.02])
    assert uniform_mean_p(np.array([0.1, 0.9]), 2) == pytest.approx([0.04, 0.04])
    grid = np.linspace(0.05, 0.5, 7)
    for count in (3, 8, 20):
        theirs = 2 * stats.irwinhall.cdf(count * grid, count)
        assert uniform_mean_p(grid, count) == pytest.approx(theirs, abs=1e-9)
    # Irwin and Hall at twenty values and the normal law beyond it agree
    assert uniform_mean_p(np.array([0.4]), 20) == pytest.approx(
        uniform_mean_p(np.array([0.5 - 0.1 * np.sqrt(20 / 21)]), 21), rel=0.03
    )
