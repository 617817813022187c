"""The sensitivity table against figures computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from raynas.analysis.searches import SearchRun
from raynas.analysis.sensitivity import MARGIN, SENSITIVITY_SCHEMA, Studied, sensitivity
from raynas.analysis.statistics import equivalence

EPOCHS = 3


def studied(setting: str, method: str = "darts", epochs: int = EPOCHS) -> Studied:
    return Studied(f"{method} ({setting})", method, setting, setting, setting == "x=1", epochs)


def runs_of(one: Studied, finals: list[float], epochs: int = EPOCHS) -> list[SearchRun]:
    """Searches with falling regrets; the last but one epoch is 0.01 better than the last."""
    found = []
    for seed, final in enumerate(finals):
        regret = np.full(epochs, final + 0.5)
        regret[-1] = final
        if epochs > 1:
            regret[-2] = final - 0.01
        values: dict[str, Any] = {
            "epochs": np.arange(1, epochs + 1),
            "hashes": ("",) * epochs,
            "seconds": np.arange(1.0, epochs + 1),
            "one_shot_error": np.linspace(0.9, final * 2, epochs),
            "validation_regret": regret + 0.1,
            "test_regret": regret,
            "alphas": {},
            "device": "cpu",
        }
        found.append(SearchRun(one.label, "1", seed, **values))
    return found


def table(given: dict[Studied, list[SearchRun]], seeds: int) -> dict[str, dict[str, Any]]:
    runs = [run for some in given.values() for run in some]
    found = sensitivity("mine", list(given), ("1",), range(seeds), runs)
    assert found.schema == SENSITIVITY_SCHEMA
    return {row["setting"]: row for row in found.to_pylist()}


def test_means_differences_and_p_values_by_hand() -> None:
    default, worse, same = (studied(f"x={i}") for i in (1, 2, 3))
    finals = {
        default: [0.02, 0.03, 0.04, 0.05],
        worse: [0.12, 0.13, 0.14, 0.15],
        same: [0.025, 0.035, 0.045, 0.055],
    }
    rows = table({one: runs_of(one, values) for one, values in finals.items()}, 4)
    row = rows["x=1"]
    assert row["default"] and row["p"] is None and row["difference"] is None
    assert row["test_regret"] == pytest.approx(0.035)
    assert 0.02 <= row["test_regret_low"] < 0.035 < row["test_regret_high"] <= 0.05
    assert row["validation_regret"] == pytest.approx(0.135)
    assert row["best_test_regret"] == pytest.approx(0.025)
    assert row["one_shot_error"] == pytest.approx(0.07)
    row = rows["x=2"]
    assert (row["runs"], row["failed"], row["statement"]) == (4, 0, None)
    assert row["difference"] == pytest.approx(0.1)
    assert 0 < row["difference_low"] < 0.1 < row["difference_high"]
    # Of the 70 splits of eight values only this one and its mirror image are so far apart.
    assert row["p"] == pytest.approx(2 / 70)
    assert row["p_holm"] == pytest.approx(4 / 70)
    same = equivalence(finals[worse], finals[default], MARGIN)
    assert (row["p_similar"], row["p_not_lower"]) == (same.p, same.p_above)
    assert row["p_similar"] > 0.99 and row["p_not_lower"] < 0.001
    assert rows["x=3"]["p_holm"] == rows["x=3"]["p"] > 0.5


def test_searches_that_failed_are_counted_and_in_no_figure() -> None:
    default, other = studied("x=1"), studied("x=2")
    good = runs_of(other, [0.1, 0.2, 0.3])
    short = runs_of(other, [9.0], epochs=1)
    rows = table({default: runs_of(default, [0.1] * 4), other: good + short}, 5)
    assert (rows["x=2"]["runs"], rows["x=2"]["failed"]) == (5, 2)
    assert rows["x=2"]["test_regret"] == pytest.approx(0.2)
    assert rows["x=1"]["failed"] == 1


def test_one_search_gives_means_and_a_statement() -> None:
    default, other = studied("x=1"), studied("x=2")
    rows = table({default: runs_of(default, [0.1]), other: runs_of(other, [0.3])}, 1)
    row = rows["x=2"]
    assert row["test_regret"] == pytest.approx(0.3)
    assert row["difference"] == pytest.approx(0.2)
    assert [row[k] for k in ("test_regret_low", "difference_low", "p", "p_holm")] == [None] * 4
    assert row["statement"] == row["difference_statement"] == "one value, at least 3 are needed"


def test_a_statement_is_of_its_own_figure() -> None:
    """Equal regrets have no interval of their own and one of the difference, and the reverse."""
    default, equal, none = (studied(f"x={i}") for i in (1, 2, 3))
    finals = {default: [0.1, 0.2, 0.3], equal: [0.4] * 3, none: []}
    rows = table({one: runs_of(one, values) for one, values in finals.items()}, 3)
    row = rows["x=2"]
    assert row["statement"] == "all runs are equal, no interval" and row["test_regret_low"] is None
    assert row["difference_statement"] is None and row["difference_low"] is not None
    assert rows["x=1"]["statement"] is None and rows["x=1"]["difference_statement"] is None
    assert rows["x=3"]["difference"] is None and rows["x=3"]["difference_statement"] is not None
    lone = {default: runs_of(default, [0.1]), equal: runs_of(equal, [0.1, 0.2, 0.3])}
    row = table(lone, 3)["x=2"]
    assert row["statement"] is None and row["test_regret_low"] is not None
    assert row["difference_statement"] == "one value, at least 3 are needed"


def test_nothing_and_equal_values_give_statements() -> None:
    default, other = studied("x=1"), studied("x=2")
    rows = table({default: runs_of(default, [0.1] * 3), other: []}, 3)
    assert rows["x=1"]["statement"] == "all runs are equal, no interval"
    assert (rows["x=2"]["test_regret"], rows["x=2"]["failed"]) == (None, 3)
    assert rows["x=2"]["statement"] == "no search came to its end"


def test_each_method_is_held_against_its_own_default() -> None:
    given = {
        one: runs_of(one, [base, base + 0.01, base + 0.02])
        for one, base in (
            (studied("x=1", "darts"), 0.1),
            (studied("x=2", "darts"), 0.2),
            (studied("x=1", "gdas"), 0.5),
            (studied("x=2", "gdas"), 0.4),
        )
    }
    runs = [run for some in given.values() for run in some]
    rows = sensitivity("mine", list(given), ("1",), range(3), runs).to_pylist()
    gaps = {row["method"]: row["difference"] for row in rows if not row["default"]}
    assert gaps == {"darts": pytest.approx(0.1), "gdas": pytest.approx(-0.1)}
    # Tests of one method do not count in the correction of the other.
    assert all(row["p_holm"] == row["p"] for row in rows if not row["default"])
