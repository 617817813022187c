"""The agreement of architectures of the same cells, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from raynas.analysis.rank_correlation import SCORES_SCHEMA, Group, groups_of
from raynas.analysis.rank_correlation.labellings import Labellings
from raynas.analysis.statistics import TwoWay


def of(labellings: np.ndarray) -> Group:
    cells = np.arange(labellings.shape[2])
    seeds = tuple(range(len(labellings)))
    return Group("gdas", "3", 1, "corrected", "batch", seeds, cells, labellings)


def test_of_two_seeds_and_three_cells() -> None:
    nan = np.nan
    first = [[0.1, 0.2, 0.3, 0.4], [0.1, 0.3, 0.2, nan]]
    second = [[0.1, 0.2, 0.3, 0.9], [0.3, 0.2, 0.1, nan]]
    group = of(np.array([first, second]))
    found = Labellings.of(group, TwoWay(4, resamples=50))
    assert (found.most, found.cells) == (2, 3) and found.tau is not None
    assert found.tau.value == pytest.approx((1 / 3 - 1) / 2)
    assert group.accuracies[0] == pytest.approx([0.1, 0.25, 0.25, 0.4])


def test_one_architecture_of_each_cell_agrees_with_none() -> None:
    columns = Labellings.of(of(np.array([[[0.1, 0.2, 0.3]]])), TwoWay(3)).columns()
    assert columns.pop("labellings") == 1 and columns.pop("cells_with_several") == 0
    assert set(columns.values()) == {None}


def test_the_interval_of_the_agreement() -> None:
    """Cells and architectures of equal variance: a correlation of 1/2, so a tau of 1/3."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(3, 1, 400)) + rng.normal(size=(3, 5, 400))
    tau = Labellings.of(of(scores), TwoWay(400)).tau
    assert tau is not None and tau.interval is not None and tau.used == 3
    assert tau.interval[0] < 1 / 3 < tau.interval[1]
    assert tau.interval[1] - tau.interval[0] < 0.25


@pytest.mark.parametrize("share", [0.1, 2 / 15, 4 / 15])
def test_means_of_equal_shares_stay_equal(share: float) -> None:
    labellings = np.full((1, 3, 200), share)
    labellings[0, 2, ::3] = np.nan
    assert len(np.unique(of(labellings).accuracies)) == 1


def test_scores_become_groups_whatever_their_order() -> None:
    items = [(1, 7, 0), (0, 7, 1), (1, 4, 0), (0, 4, 0), (0, 7, 0), (1, 7, 1)]
    rows = [
        {
            "method": "gdas",
            "space": "3",
            "epoch": 1,
            "rule": "corrected",
            "statistics": "batch",
            "seed": seed,
            "row": row,
            "labelling": labelling,
            "accuracy": seed + row / 10 + labelling / 100,
        }
        for seed, row, labelling in items
    ]
    (group,) = groups_of(pa.Table.from_pylist(rows, SCORES_SCHEMA))
    assert group.seeds == (0, 1) and group.rows.tolist() == [4, 7]
    for seed in (0, 1):
        expected = [[seed + 0.4, seed + 0.7], [np.nan, seed + 0.71]]
        assert group.labellings[seed] == pytest.approx(np.array(expected), nan_ok=True)
    single = [row for row in rows if row["labelling"] == 0]
    (older,) = groups_of(pa.Table.from_pylist(single, SCORES_SCHEMA).drop(["labelling"]))
    assert older.accuracies == pytest.approx(np.array([[0.4, 0.7], [1.4, 1.7]]))
