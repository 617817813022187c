from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from raynas.artefacts import Reading, Verdict, readings
from raynas.artefacts.verdicts import (
    RULES,
    Claim,
    above,
    below,
    drawn_only,
    elsewhere,
    exact,
    finding,
    not_lower,
    printed,
    similar,
)

DIGITS = ["digits instead of CIFAR-10"]


def figure(low: float | None, high: float | None, runs: int | None = 10) -> Reading:
    value = 0.0 if low is None or high is None else (low + high) / 2
    return Reading("a figure", value, low, high, runs)


def test_counts_agree_only_if_all_are_equal() -> None:
    assert exact([1, 2], [1, 2]).verdict is Verdict.AGREE
    found = exact([1, 2], [1, 3])
    assert found.verdict is Verdict.DISAGREE and found.reason.startswith("1 of 2")


def test_numbers_without_chance_agree_to_their_printed_digits() -> None:
    assert printed(["89.68", "5.8"], [89.684, 5.76]).verdict is Verdict.AGREE
    assert printed(["89.68", "5.80"], [89.684, 5.76]).verdict is Verdict.DISAGREE


@pytest.mark.parametrize(
    ("claims", "differences", "verdict"),
    [
        ([above(figure(0.1, 0.2))], [], Verdict.AGREE),
        ([above(figure(0.1, 0.2)), below(figure(-2, -1))], [], Verdict.AGREE),
        ([above(figure(0.1, 0.2))], DIGITS, Verdict.DIRECTION),
        # One part that is undecided keeps the finding from being confirmed, here and there.
        ([above(figure(0.1, 0.2)), above(figure(-0.1, 0.2))], [], Verdict.NOT_COMPARABLE),
        ([above(figure(0.1, 0.2)), above(figure(-0.1, 0.2))], DIGITS, Verdict.NOT_COMPARABLE),
        # One part that is opposite refutes it, but only under the source's conditions.
        ([above(figure(0.1, 0.2)), above(figure(-2, -1))], [], Verdict.DISAGREE),
        ([above(figure(0.1, 0.2)), above(figure(-2, -1))], DIGITS, Verdict.NOT_COMPARABLE),
        # Few runs decide nothing, whatever their interval.
        ([above(figure(0.1, 0.2, runs=4))], [], Verdict.NOT_COMPARABLE),
        ([above(figure(0.1, 0.2, runs=4))], DIGITS, Verdict.NOT_COMPARABLE),
        ([above(figure(0.1, 0.2, runs=None))], [], Verdict.AGREE),
        ([], [], Verdict.NOT_COMPARABLE),
        ([], DIGITS, Verdict.NOT_COMPARABLE),
        # A range needs an interval inside it; one that is merely wide shows nothing.
        ([Claim(figure(-0.1, 0.1), -0.2, 0.2)], [], Verdict.AGREE),
        ([Claim(figure(-0.1, 0.3), -0.2, 0.2)], [], Verdict.NOT_COMPARABLE),
        ([Claim(figure(0.3, 0.4), -0.2, 0.2)], [], Verdict.DISAGREE),
        ([Claim(figure(-0.1, 9.0), -0.2, math.inf)], [], Verdict.AGREE),
    ],
)
def test_a_finding(claims, differences, verdict) -> None:
    found = finding(claims, differences)
    assert found.verdict is verdict
    assert not differences or DIGITS[0] in found.reason


def test_an_interval_without_significance_decides_nothing() -> None:
    weak = Reading("gap", 0.2, 0.1, 0.3, 5, p=0.33)
    assert finding([above(weak)]).verdict is Verdict.NOT_COMPARABLE
    assert finding([below(weak)]).verdict is Verdict.NOT_COMPARABLE
    assert finding([above(replace(weak, p=0.04))]).verdict is Verdict.AGREE
    # Nor does it refute.
    assert finding([below(weak)]).verdict is Verdict.NOT_COMPARABLE
    assert finding([below(replace(weak, p=0.04))]).verdict is Verdict.DISAGREE


def test_that_a_difference_is_small_is_shown_by_tests_for_its_margin() -> None:
    inside = Reading("gap", 0.0, -0.1, 0.1, 5, p=0.9)
    assert finding([similar(inside, 0.2)]).verdict is Verdict.NOT_COMPARABLE
    assert finding([similar(replace(inside, p_margin=0.06), 0.2)]).verdict is Verdict.NOT_COMPARABLE
    assert finding([similar(replace(inside, p_margin=0.04), 0.2)]).verdict is Verdict.AGREE
    assert finding([not_lower(replace(inside, p_margin=0.04), 0.2)]).verdict is Verdict.AGREE
    assert "gap: no test of the margin" in finding([similar(inside, 0.2)]).reason
    beyond = Reading("gap", 0.4, 0.3, 0.5, 5, p=0.01, p_margin=0.99)
    assert finding([similar(beyond, 0.2)]).verdict is Verdict.DISAGREE
    assert finding([similar(replace(beyond, p=0.2), 0.2)]).verdict is Verdict.NOT_COMPARABLE
    assert finding([not_lower(beyond, 0.2)]).verdict is Verdict.NOT_COMPARABLE


def test_an_opposite_part_is_adjusted_for_the_number_of_parts() -> None:
    """Of many parts one is below zero by chance."""
    low = Reading("gap", -0.2, -0.3, -0.1, 5, p=0.02)
    others = [Reading("gap", 0.1, -0.1, 0.3, 5, p=0.5) for _ in range(2)]
    assert finding([above(low)]).verdict is Verdict.DISAGREE
    found = finding([above(low), *map(above, others)])
    assert found.verdict is Verdict.NOT_COMPARABLE and "opposite" not in found.reason
    strong = replace(low, p=0.01)
    assert finding([above(strong), *map(above, others)]).verdict is Verdict.DISAGREE


def test_a_factor_is_held_against_one() -> None:
    gain = Reading("gain", 2.0, 1.2, 3.0, 5, p=0.2)
    assert finding([above(gain, 1.0)], DIGITS).verdict is Verdict.NOT_COMPARABLE
    assert finding([above(replace(gain, p=0.01), 1.0)], DIGITS).verdict is Verdict.DIRECTION


def test_a_difference_has_the_p_of_its_permutation_test() -> None:
    found = readings.difference("gap", [1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    assert found.p == pytest.approx(2 / 20)  # of C(6, 3) splits two are as far apart


def test_reasons_name_the_parts() -> None:
    weak = Reading("space 3, gdas", 0.1, 0.05, 0.2, runs=2)
    found = finding([above(weak), above(Reading("space 3, darts", -1, -2, -0.5, 9))])
    assert found.verdict is Verdict.DISAGREE
    assert "0 of 2 parts" in found.reason
    assert "opposite: space 3, darts" in found.reason
    assert "space 3, gdas: 2 runs, at least 5 are needed" in found.reason


def test_curves_without_numbers_are_not_comparable() -> None:
    assert drawn_only().verdict is Verdict.NOT_COMPARABLE
    assert drawn_only(DIGITS).reason.endswith(DIGITS[0])
    assert elsewhere(DIGITS, "more").reason.endswith("here more")


def test_every_verdict_has_a_rule() -> None:
    assert set(RULES) == {str(verdict) for verdict in Verdict}


# Readings -----------------------------------------------------------------------------------------


def test_a_ratio_has_the_p_of_the_difference() -> None:
    found = readings.ratio("gain", [4.0, 5.0, 6.0], [1.0, 2.0, 3.0])
    assert found.value == pytest.approx(2.5) and found.p == pytest.approx(2 / 20)
    assert found.low is not None and found.low < 2.5
    same = readings.ratio("gain", [4.0, 4.0, 4.0], [2.0, 2.0, 2.0])
    assert (same.value, same.has_interval) == (2.0, False) and "equal" in same.note


def test_figures_of_which_only_intervals_are_known() -> None:
    first, second = figure(0.4, 0.6, runs=7), figure(0.1, 0.2, runs=5)
    gap = readings.apart("gap", first, second)
    assert gap.value == pytest.approx(0.35) and gap.runs == 5
    assert (gap.low, gap.high) == (pytest.approx(0.2), pytest.approx(0.5))
    assert readings.apart("gap", figure(None, None), second).note == "no interval"
    assert readings.apart("gap", Reading("x", None, note="gone"), second).note == "gone"


def test_few_runs_have_a_mean_and_no_interval() -> None:
    found = readings.mean("two", [1.0, 3.0, np.nan])
    assert (found.value, found.runs, found.has_interval) == (2.0, 2, False)
    assert "at least 3" in found.note
    assert readings.difference("none", [], [1.0]).value is None
