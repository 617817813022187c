"""The rules that turn readings into verdicts.

A reproduction under other conditions than the source's (a surrogate for the measured table, digits
for CIFAR-10, a smaller supernet) cannot agree or disagree with it. It can show the same direction,
and that only where every part of the finding is decided by an interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from raynas.artefacts._base import Judged, Reading, Verdict
from raynas.report.wording import FEWEST_RUNS

#: p of a permutation test above which a difference of two samples is not told apart from none.
SIGNIFICANT = 0.05

#: Stands on every page beside the verdicts.
RULES = {
    "agree": "A count equals the published one; a published number lies in the 95 % interval of "
    "the obtained one; or every part of a finding is as published with its whole interval, and, "
    "if it is a difference between two samples of runs, with p up to 0.05 in a permutation test.",
    "disagree": "A count differs; the interval excludes the published number; or the whole "
    "interval of at least one part of a finding lies elsewhere, with p as above.",
    "agrees in direction": "The conditions differ from the source's, which are named, and every "
    "part of the finding is as published by the same rule. It is no agreement in size.",
    "not comparable": "The conditions differ and the direction is not clear in every part; or the "
    f"runs are too few (fewer than {FEWEST_RUNS}) or too scattered to decide; or the source gives "
    "curves without numbers.",
    "not run": "The studies that it needs are not there yet.",
    "not available": "raynas has no such method.",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A part of a finding: where a figure should lie by the source.

    Attributes:
        reading: the figure, usually a difference.
        low: least value that agrees with the source.
        high: greatest one.
    """

    reading: Reading
    low: float
    high: float


def above(reading: Reading) -> Claim:
    """The source says that it is above zero."""
    return Claim(reading, 0.0, math.inf)


def below(reading: Reading) -> Claim:
    """The source says that it is below zero."""
    return Claim(reading, -math.inf, 0.0)


def exact(published: Sequence[float], obtained: Sequence[float]) -> Judged:
    """Counts that do not depend on data: all must be equal."""
    same = sum(a == b for a, b in zip(published, obtained, strict=True))
    if same == len(published):
        return Judged(Verdict.AGREE, "equal" if same == 1 else f"all {same} are equal")
    return Judged(
        Verdict.DISAGREE, f"{len(published) - same} of {len(published)} are not the published ones"
    )


def number(published: float, reading: Reading, differences: Sequence[str] = ()) -> Judged:
    """A published number against an obtained one.

    Args:
        published: the number.
        reading: the obtained one.
        differences: where the conditions differ from the source's.
    """
    if differences:
        return elsewhere(differences)
    weak = _undecided(reading)
    if weak:
        return Judged(Verdict.NOT_COMPARABLE, weak)
    low, high = _ends(reading)
    inside = low <= published <= high
    place = "in" if inside else "outside"
    return Judged(
        Verdict.AGREE if inside else Verdict.DISAGREE,
        f"the published {published:g} is {place} the interval",
    )


def finding(claims: Sequence[Claim], differences: Sequence[str] = ()) -> Judged:
    """A finding in one or several parts that must all hold.

    A part holds if its whole interval lies where the source says, and is refuted if its whole
    interval lies elsewhere. So a finding that something is small needs an interval that is.
    """
    sides = [_side(claim) for claim in claims]
    if claims and min(sides) > 0:
        if differences:
            return Judged(Verdict.DIRECTION, f"other conditions: {'; '.join(differences)}")
        return Judged(Verdict.AGREE, "every part is as published with its whole interval")
    course = _course(claims, sides)
    if differences:
        return elsewhere(differences, course)
    return Judged(Verdict.DISAGREE if -1 in sides else Verdict.NOT_COMPARABLE, course)


def drawn_only(
    differences: Sequence[str] = (), reason: str = "the source draws it and gives no number"
) -> Judged:
    """The source has curves, or words that no figure decides, and nothing that could be checked."""
    return Judged(Verdict.NOT_COMPARABLE, "; ".join([reason, *differences]))


def elsewhere(differences: Sequence[str], course: str = "") -> Judged:
    """Conditions that differ, and no direction that could be stated all the same."""
    reason = f"other conditions: {'; '.join(differences)}"
    return Judged(Verdict.NOT_COMPARABLE, f"{reason}; here {course}" if course else reason)


def _side(claim: Claim) -> int:
    """+1 where the source says, -1 elsewhere, 0 undecided."""
    if _undecided(claim.reading):
        return 0
    low, high = _ends(claim.reading)
    p = claim.reading.p
    if 0 in (claim.low, claim.high) and p is not None and p > SIGNIFICANT:
        return 0  # the interval of a bootstrap of few runs alone is too narrow
    if claim.low <= low and high <= claim.high:
        return 1
    return -1 if high < claim.low or low > claim.high else 0


def _undecided(reading: Reading) -> str:
    """Why a figure decides nothing; empty if it may."""
    if reading.value is None:
        return f"{reading.label}: {reading.note or 'no value'}"
    if reading.runs is not None and reading.runs < FEWEST_RUNS:
        few = f"{reading.runs} run{'' if reading.runs == 1 else 's'}"
        return f"{reading.label}: {few}, at least {FEWEST_RUNS} are needed"
    if not reading.has_interval:
        return f"{reading.label}: {reading.note or 'no interval'}"
    return ""


def _ends(reading: Reading) -> tuple[float, float]:
    assert reading.low is not None and reading.high is not None
    return reading.low, reading.high


def _course(claims: Sequence[Claim], sides: Sequence[int]) -> str:
    if not claims:
        return "there is nothing to judge by"
    parts = [f"{sides.count(1)} of {len(claims)} parts are as published"]
    opposite = [c.reading.label for c, side in zip(claims, sides, strict=True) if side < 0]
    if opposite:
        parts.append(f"opposite: {', '.join(opposite)}")
    weak = [reason for c in claims if (reason := _undecided(c.reading))]
    if weak:
        parts.append(weak[0] + (f" (and {len(weak) - 1} more)" if len(weak) > 1 else ""))
    elif sides.count(0):
        parts.append(f"{sides.count(0)} undecided by interval or test")
    return "; ".join(parts)
