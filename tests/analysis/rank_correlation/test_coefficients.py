"""Coefficients of a handful of cells against values worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from raynas.analysis import statistics
from raynas.analysis.rank_correlation import (
    ALL,
    BEST_SCORED,
    BEST_TRUE,
    Group,
    OnImages,
    Truth,
    coefficients,
)
from raynas.analysis.rank_correlation.wording import notices
from raynas.report.correlation_figures import figures
from raynas.report.styles import styles

IMAGES = OnImages(classes=10, images=900)


@pytest.fixture(autouse=True)
def few_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """The p of a permutation test has a test of its own."""
    module = import_module("raynas.analysis.rank_correlation.coefficients")
    monkeypatch.setattr(module, "ORDERS", 19)


class Trained:
    """A table of cells whose repeats are given: test accuracy, validation half a point above."""

    def __init__(
        self,
        repeats: np.ndarray,
        vertices: Sequence[int],
        budgets: Sequence[int] = (4, 108),
        parameters: Sequence[int] | None = None,
    ) -> None:
        self.accuracies, self.budgets = repeats, budgets
        counts = parameters or [100 * row for row in range(len(repeats))]
        self.space = SimpleNamespace(
            cell=lambda row: SimpleNamespace(
                num_vertices=vertices[row], parameter_count=lambda: counts[row]
            ),
        )

    def known(self, quantity: str, epochs: int) -> bool:
        return epochs in self.budgets

    def test_error(self, rows: np.ndarray, epochs: int, repeat: int | str) -> np.ndarray:
        """After 4 epochs the order is turned round."""
        sign = 1 if epochs == 108 else -1
        values = sign * self.accuracies[rows]
        return 1 - (values.mean(axis=1) if repeat == "mean" else values[:, int(repeat)])

    def validation_error(self, rows: np.ndarray, epochs: int, repeat: int | str) -> np.ndarray:
        return self.test_error(rows, epochs, repeat) - 0.005


def found(
    scores: Any, truth: Any, vertices: Sequence[int] | None = None
) -> dict[tuple[str, int, str, str], dict[str, Any]]:
    """Rows by quantity, budget, subset and measure; `truth` is (cells,) or (cells, repeats)."""
    repeats = np.asarray(truth, float)
    repeats = repeats if repeats.ndim == 2 else repeats[:, None].repeat(3, axis=1)
    lines = np.atleast_2d(np.asarray(scores, float))
    cells = np.arange(lines.shape[1])
    table = Trained(repeats, vertices or [5] * len(cells))
    names, seeds = ("darts", "3", 40, "corrected", "batch"), tuple(range(len(lines)))
    group = Group(*names, seeds, cells, lines[:, None])
    rows = coefficients([group], {"3": Truth(table, cells)}, IMAGES).to_pylist()  # type: ignore[arg-type]
    return {(r["quantity"], r["budget"], r["subset"], r["measure"]): r for r in rows}


def test_of_four_cells() -> None:
    rows = found([[0.1, 0.2, 0.3, 0.4]], [0.90, 0.92, 0.91, 0.94])
    tau = rows["test", 108, ALL, "kendall"]
    assert tau["value"] == pytest.approx(4 / 6)
    assert tau["low"] <= tau["value"] <= tau["high"] and (tau["seeds_used"], tau["cells"]) == (1, 4)
    assert tau["ceiling"] == tau["one_against_others"] == pytest.approx(1)  # without noise
    assert tau["chance_deviation"] == pytest.approx(np.sqrt(2 * 13 / (9 * 4 * 3)))
    assert tau["p"] is not None and rows["test", 4, ALL, "kendall"]["p"] is None
    assert rows["test", 108, ALL, "spearman"]["value"] == pytest.approx(1 - 6 * 2 / 60)
    assert rows["test", 108, ALL, "sparse_kendall"]["value"] == pytest.approx(4 / 6)


def test_every_budget_and_quantity_has_its_own_truth() -> None:
    scores, truth = [[0.1, 0.3, 0.2, 0.5, 0.4]], [0.90, 0.91, 0.92, 0.93, 0.94]
    rows = found(scores, truth)
    for quantity in ("validation", "test"):
        for measure in ("kendall", "spearman", "pearson", "sparse_kendall"):
            late, early = (rows[quantity, budget, ALL, measure] for budget in (108, 4))
            assert late["value"] == pytest.approx(-early["value"]) and late["value"] > 0
            assert late["low"] is not None and early["low"] is not None
    assert {key[1] for key in rows} == {4, 108}


def test_the_best_tenth_by_truth_and_by_score() -> None:
    """30 cells: the three truly best are in falling order, the three best by score in rising."""
    truth = np.arange(30) / 100
    scores = np.zeros(30)
    scores[[27, 28, 29]] = 0.3, 0.2, 0.1
    scores[[0, 1, 2]] = 0.7, 0.8, 0.9
    rows = found([scores], truth)
    true, scored = (rows["test", 108, subset, "kendall"] for subset in (BEST_TRUE, BEST_SCORED))
    assert (true["value"], true["cells"]) == (pytest.approx(-1), 3)
    assert (scored["value"], scored["cells"]) == (pytest.approx(1), 3)
    assert scored["one_against_others"] is None and scored["one_against_others_low"] is None
    reverse = rows["test", 4, BEST_TRUE, "kendall"]  # the best after 4 epochs are cells 0, 1, 2
    assert reverse["value"] == pytest.approx(-1)


def test_by_vertices() -> None:
    scores = [[0.1, 0.2, 0.3, 0.3, 0.2, 0.1, 0.5]]
    truth = [0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96]
    rows = found(scores, truth, [5, 5, 5, 6, 6, 6, 7])
    for quantity in ("validation", "test"):
        assert rows[quantity, 108, "5 vertices", "kendall"]["value"] == pytest.approx(1)
        assert rows[quantity, 108, "6 vertices", "spearman"]["value"] == pytest.approx(-1)
        alone = rows[quantity, 108, "7 vertices", "kendall"]
        assert alone["value"] is None and alone["cells"] == 1
        assert alone["statement"] == "1 item with both values, 2 are needed"
    assert ("test", 4, "5 vertices", "kendall") not in rows


def test_overlap_and_regret() -> None:
    truth = np.arange(20) / 100
    scores = np.zeros((3, 20))
    for line, best in zip(scores, ([19, 18], [19, 5], [0, 1]), strict=True):
        line[best] = 0.5
        line[:] += np.where(line > 0, 0.1 * np.arange(20), 0)
    rows = found(scores, truth)
    one = rows["test", 108, ALL, "top_1_regret"]
    assert one["value"] == pytest.approx((0 + 0 + 0.18) / 3)
    assert one["low"] <= one["value"] <= one["high"]
    assert one["chance"] == pytest.approx(0.19 - np.mean(truth))
    assert one["ceiling"] == pytest.approx(0)
    overlap = rows["test", 108, ALL, "top_10_overlap"]
    assert overlap["chance"] == pytest.approx(0.5) and overlap["ceiling"] == pytest.approx(1)
    assert rows["test", 108, ALL, "top_100_overlap"]["statement"].startswith("20 items, fewer")
    alone = found(scores[:1], truth)["test", 108, ALL, "top_1_regret"]
    assert alone["low"] is None and "over seeds" in alone["statement"]


def test_constant_seeds_are_counted_and_named() -> None:
    truth = np.arange(12) / 100
    scores = np.full((5, 12), 0.1)
    scores[0] = truth
    rows = found(scores, truth)
    for measure in ("kendall", "spearman", "pearson", "sparse_kendall"):
        tau = rows["test", 108, ALL, measure]
        assert (tau["seeds"], tau["seeds_used"]) == (5, 1)
        assert tau["value"] == pytest.approx(1) and tau["low"] is None
        assert tau["statement"].startswith("4 of 5 seeds gave all cells the same accuracy; no int")
    top = rows["test", 108, ALL, "top_1_regret"]
    assert top["value"] == pytest.approx(4 / 5 * (0.11 - truth.mean()))
    assert top["statement"].startswith("4 of 5 seeds") and "at random" in top["statement"]
    assert (tau["fewest_distinct"], tau["most_distinct"]) == (1, 12)


def test_weights_at_chance_are_called_that() -> None:
    """With 900 images and 10 classes guessing has a standard error of one point."""
    rng = np.random.default_rng(0)
    for mean, by_chance in ((0.12, True), (0.14, False)):
        scores = mean + 0.01 * (rng.permutation(10) - 4.5)
        row = found([scores], np.arange(10) / 100)["test", 108, ALL, "kendall"]
        assert row["by_chance"] is by_chance
        assert row["mean_accuracy"] == pytest.approx(mean)
        assert row["accuracy_deviation"] == pytest.approx(0.01 * np.sqrt(99 / 12))
        assert (row["chance_accuracy"], row["fewest_distinct"]) == (pytest.approx(0.1), 10)
        assert (row["images"], row["guessing_bar"]) == (900, pytest.approx(0.13))


def test_ceilings_with_noise() -> None:
    """The ceiling is above one training against the others; both by the chosen repeats."""
    rng = np.random.default_rng(1)
    expected = rng.normal(0.9, 0.01, 400)
    repeats = expected[:, None] + rng.normal(0, 0.01, (400, 3))
    rows = found([expected], repeats)
    row = rows["test", 108, ALL, "pearson"]
    assert row["ceiling"] == pytest.approx(np.sqrt(1 / (1 + 1 / 3)), abs=0.03)
    one = 1 / np.sqrt(2 * 1.5)
    assert row["one_against_others"] == pytest.approx(one, abs=0.05)
    assert row["value"] == pytest.approx(row["ceiling"], abs=0.04)  # this score knows them
    best = rows["test", 108, BEST_TRUE, "kendall"]
    by_others = statistics.one_against_others(
        repeats, statistics.kendall_tau, lambda rest: np.argsort(-rest)[:40]
    )
    assert best["one_against_others"] == pytest.approx(by_others)
    for one in (row, best):
        low, high = one["one_against_others_low"], one["one_against_others_high"]
        assert low < one["one_against_others"] < high
    assert row["one_against_others_high"] < row["ceiling"]
    assert (
        best["one_against_others"] < best["ceiling"] < rows["test", 108, ALL, "kendall"]["ceiling"]
    )


def test_notices_name_weights_at_chance_and_lost_seeds() -> None:
    truth = np.arange(12) / 100
    scores = np.full((5, 12), 0.1)
    scores[0] = 0.1 + truth / 10
    at_chance, lost = notices(list(found(scores, truth).values()))
    assert "the weights of darts at epoch 40 (10.1 %) are not shown to be better than" in at_chance
    assert "than guessing with 900 images (the bar is 13.0 %)" in at_chance
    assert lost == (
        "corrected rule, batch statistics: seeds without a tau, as they gave all cells the same "
        "accuracy: darts at epoch 40 (4 of 5)"
    )
    good = 0.5 + np.stack([truth, truth])
    assert notices(list(found(good, truth).values())) == []


def test_every_setting_of_a_method_has_its_scatter() -> None:
    cells, labels = np.arange(12), [f"darts (learning_rate={rate})" for rate in (0.0025, 0.025)]
    table = Trained(cells[:, None].repeat(3, axis=1) / 100, [5] * 12)
    truth = Truth(table, cells)  # type: ignore[arg-type]
    scores = np.random.default_rng(0).random((2, 1, 12))
    same = ("3", 40, "corrected", "batch", (0, 1), cells, scores)
    groups = [Group(label, *same) for label in labels]
    rows = coefficients(groups, {"3": truth}, IMAGES).to_pylist()
    drawn = figures(rows, groups, truth, styles(labels))
    assert list(drawn)[:2] == labels
    assert [drawn[label]["data"][0]["meta"]["method"] for label in labels] == labels
    lines = [trace for trace in drawn["budgets"]["data"] if trace["meta"]["role"] == "mean"]
    assert len({trace["line"]["dash"] for trace in lines}) == 2


def test_counting_parameters_is_a_scale() -> None:
    """Twenty cells; the two with most parameters are the worst and the best."""
    truth = np.arange(20) / 100
    counts = [10 * row for row in range(20)]
    counts[0] = 1000
    table = Trained(truth[:, None].repeat(3, axis=1), [5] * 20, parameters=counts)
    cells = np.arange(20)
    group = Group("darts", "3", 40, "corrected", "batch", (0,), cells, truth[None, None])
    rows = coefficients([group], {"3": Truth(table, cells)}, IMAGES).to_pylist()  # type: ignore[arg-type]
    of = {
        (r["subset"], r["measure"]): r["parameters"]
        for r in rows
        if (r["quantity"], r["budget"]) == ("test", 108)
    }
    assert of[ALL, "kendall"] == pytest.approx((190 - 2 * 19) / 190)
    assert of[BEST_TRUE, "kendall"] == pytest.approx(1)  # cells 18 and 19
    assert of[BEST_SCORED, "kendall"] == pytest.approx(-1)  # cells 0 and 19
    assert of[ALL, "top_1_regret"] == pytest.approx(0.19) and of[ALL, "top_10_regret"] == 0
    early = next(r for r in rows if (r["budget"], r["measure"]) == (4, "kendall"))
    assert early["parameters"] == pytest.approx(-(190 - 2 * 19) / 190)
