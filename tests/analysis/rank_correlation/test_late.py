"""Means over the last checkpoints, of a handful of cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from raynas.analysis.rank_correlation import Group, Truth
from raynas.analysis.rank_correlation.late import late_means
from tests.analysis.rank_correlation.test_coefficients import Trained

CELLS = 12
TRUTH = np.linspace(0.9, 0.95, CELLS)


def group(epoch: int, scores: np.ndarray, **changes: Any) -> Group:
    names = {"method": "darts", "space": "3", "rule": "corrected", "statistics": "batch"}
    values = {"epoch": epoch, "seeds": tuple(range(len(scores))), "rows": np.arange(CELLS)}
    return Group(**names | values | {"labellings": scores[:, None]} | changes)


def means(*groups: Group) -> list[dict[str, Any]]:
    truth = Truth(Trained(TRUTH[:, None].repeat(3, axis=1), [5] * CELLS), np.arange(CELLS))  # type: ignore[arg-type]
    return list(late_means(groups, {"3": truth}).to_pylist())


def test_the_mean_of_the_last_three_of_each_seed() -> None:
    rng = np.random.default_rng(0)
    scores = TRUTH + rng.normal(0, 0.02, (5, 4, CELLS))
    groups = [group(epoch, scores[epoch - 1]) for epoch in (3, 1, 5, 4, 2)]
    rows = {row["measure"]: row for row in means(*groups)}
    for name, right in (("kendall", kendalltau), ("spearman", spearmanr)):
        values = np.array([[right(line, TRUTH)[0] for line in each] for each in scores[2:]])
        row = rows[name]
        assert row["value"] == pytest.approx(values.mean())
        assert row["low"] < row["value"] < row["high"]
        assert row["widest"] == pytest.approx(np.ptp(values, axis=0).max())
        assert (row["epochs"], row["seeds"], row["seeds_used"]) == ([3, 4, 5], 4, 4)
        assert (row["quantity"], row["budget"], row["cells"]) == ("test", 108, CELLS)
    assert set(rows) == {"kendall", "spearman", "pearson", "sparse_kendall"}


def test_each_search_for_itself_and_only_with_three() -> None:
    scores = np.stack([TRUTH, TRUTH[::-1], TRUTH])
    three = [group(epoch, scores) for epoch in (1, 2, 3)]
    others = [group(e, -scores, rule="published") for e in (10, 20, 40)]
    two = [group(epoch, scores, method="gdas") for epoch in (1, 2)]
    rows = [r for r in means(*three, *others, *two) if r["measure"] == "kendall"]
    assert [(r["rule"], r["epochs"]) for r in rows] == [
        ("corrected", [1, 2, 3]),
        ("published", [10, 20, 40]),
    ]
    assert [r["value"] for r in rows] == pytest.approx([1 / 3, -1 / 3])


def test_a_seed_without_a_value_at_one_of_them_is_left_out() -> None:
    scores = np.stack([TRUTH, TRUTH, TRUTH, TRUTH])
    constant = scores.copy()
    constant[1] = 0.1
    row = means(group(1, scores), group(2, constant), group(3, scores))[0]
    assert (row["seeds"], row["seeds_used"], row["value"]) == (4, 3, pytest.approx(1))
    assert "1 of 4 seeds gave all cells the same accuracy" in row["statement"]


def test_only_seeds_with_all_checkpoints_count() -> None:
    scores = np.stack([TRUTH, TRUTH[::-1], TRUTH])
    missing = group(3, scores[:2], seeds=(0, 2))
    row = means(group(1, scores), group(2, scores), missing)[0]
    assert (row["seeds"], row["seeds_used"]) == (3, 2)
    assert row["value"] == pytest.approx((1 + 1 / 3) / 2)
    assert row["statement"].startswith("1 of 3 seeds lack one of these checkpoints; no interval")
    none = group(3, scores[:1], seeds=(7,))
    row = means(group(1, scores), group(2, scores), none)[0]
    assert (row["seeds"], row["seeds_used"], row["value"]) == (4, 0, None)
    assert row["statement"] == "4 of 4 seeds lack one of these checkpoints"


def test_how_far_apart_is_of_the_seeds_that_count() -> None:
    """The other seed lacks a value at one checkpoint; its two others are as far as can be."""
    scores = np.stack([TRUTH, TRUTH])
    turned = np.stack([TRUTH, TRUTH[::-1]])
    constant = np.stack([TRUTH, np.full(CELLS, 0.1)])
    row = means(group(1, scores), group(2, turned), group(3, constant))[0]
    assert (row["seeds"], row["seeds_used"], row["widest"]) == (2, 1, 0)
    lost = means(*(group(epoch, constant[1:]) for epoch in (1, 2, 3)))[0]
    assert lost["value"] is None and lost["widest"] is None
