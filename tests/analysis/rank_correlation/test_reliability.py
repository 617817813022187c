"""The agreement of architectures of the same cells, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from raynas.analysis.rank_correlation import SCORES_SCHEMA, Group, groups_of
from raynas.analysis.rank_correlation.reliability import Reliability, spearman_brown


def of(labellings: np.ndarray) -> Group:
    cells = np.arange(labellings.shape[2])
    seeds = tuple(range(len(labellings)))
    return Group("gdas", "3", 1, "corrected", "batch", seeds, cells, labellings)


def test_of_two_seeds_and_three_cells() -> None:
    nan = np.nan
    first = [[0.1, 0.2, 0.3, 0.4], [0.1, 0.3, 0.2, nan]]
    second = [[0.1, 0.2, 0.3, 0.9], [0.3, 0.2, 0.1, nan]]
    group = of(np.array([first, second]))
    found = Reliability.of(group)
    assert (found.labellings, found.cells) == (2, 3)
    assert found.tau == pytest.approx((1 / 3 - 1) / 2)
    assert found.one == pytest.approx((0.5 - 1) / 2) and found.mean is None
    assert group.accuracies[0] == pytest.approx([0.1, 0.25, 0.25, 0.4])


def test_one_labelling_has_no_reliability() -> None:
    found = Reliability.of(of(np.array([[[0.1, 0.2, 0.3]]])))
    assert found == Reliability(1, 0, None, None, None)


@pytest.mark.parametrize("count", [2, 5])
def test_the_reliability_of_a_mean(count: int) -> None:
    """Cells and architectures of equal variance: one has reliability 1/2, a mean n/(n + 1)."""
    rng = np.random.default_rng(0)
    cells = rng.normal(size=20_000)
    scores = cells + rng.normal(size=(count, len(cells)))
    found = Reliability.of(of(scores[None]))
    assert found.one == pytest.approx(0.5, abs=0.02)
    assert found.mean == pytest.approx(count / (count + 1), abs=0.02)
    # The bound that it is for: no correlation with the cells' own values is beyond its root.
    assert found.mean is not None
    of_mean = np.corrcoef(scores.mean(axis=0), cells)[0, 1]
    assert of_mean == pytest.approx(np.sqrt(found.mean), abs=0.02)


def test_nothing_is_strengthened_from_below_zero() -> None:
    assert spearman_brown(-0.1, 3) is None and spearman_brown(0, 3) == 0
    assert spearman_brown(1, 3) == 1


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
