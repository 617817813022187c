from __future__ import annotations

import numpy as np
import pytest

from raynas.analysis import statistics
from raynas.analysis.statistics import Description, Statement


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


def test_description_by_hand() -> None:
    found = statistics.describe([1.0, np.nan, 3.0, 8.0])
    assert isinstance(found, Description)
    assert (found.count, found.missing, found.mean, found.median) == (3, 1, 4, 3)
    assert found.deviation == pytest.approx(np.sqrt((9 + 1 + 16) / 2))
    assert (found.least, found.greatest) == (1, 8)


def test_one_run_has_no_deviation_and_none_has_no_description() -> None:
    one = statistics.describe([5.0])
    assert isinstance(one, Description)
    assert one.mean == 5 and one.deviation == Statement("one value, at least 2 are needed")
    assert statistics.describe([np.nan]) == Statement("no run has a value")
    assert statistics.describe([]) == Statement("no run has a value")
