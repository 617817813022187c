from __future__ import annotations

import numpy as np
import pytest

from raynas.analysis.statistics import Statement, VarianceComponents, variance_components


def components(groups: list[list[float]]) -> VarianceComponents:
    found = variance_components(groups)
    assert isinstance(found, VarianceComponents)
    return found


def test_balanced_by_hand() -> None:
    # within: (2 + 2) / 2 = 2; between groups: 2 (4 + 4) / 1 = 16 = 2 + 2 * 7
    found = components([[1, 3], [5, 7]])
    assert (found.within, found.between) == (pytest.approx(2), pytest.approx(7))
    assert found.share_between == pytest.approx(7 / 9)
    assert (found.groups, found.values, found.negative) == (2, 4, False)


def test_unbalanced_by_hand() -> None:
    # n0 = 3 - 5/3 = 4/3; between groups: 2 * 1 + 1 * 4 = 6 = 2 + 4/3 * 3
    found = components([[1, 3], [5, np.nan], [np.nan]])
    assert (found.within, found.between) == (pytest.approx(2), pytest.approx(3))


def test_a_negative_estimate_is_zero_and_said() -> None:
    found = components([[0, 4], [1, 3], [2, 2]])
    assert found.between == 0 and found.negative and found.within > 0


def test_true_variances_are_found_on_average() -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        groups = rng.normal(0, 2, (10, 1)) + rng.normal(0, 1, (10, 3))
        one = components(list(groups))
        found.append((one.between, one.within))
    assert np.mean(found, axis=0) == pytest.approx([4, 1], rel=0.08)


@pytest.mark.parametrize("groups", [[], [[np.nan]], [[1.0, 2.0]], [[1.0], [2.0]]])
def test_what_cannot_be_told_apart_is_a_statement(groups: list[list[float]]) -> None:
    assert isinstance(variance_components(groups), Statement)
