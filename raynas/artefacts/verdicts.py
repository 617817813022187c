"""The rules that turn readings into verdicts.

A reproduction under other conditions than the source's (a surrogate for the measured table, digits
for CIFAR-10, a smaller supernet) cannot agree or disagree with it. It can show the same direction,
and that only where every part of the finding is decided by interval and test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from raynas.analysis import statistics
from raynas.artefacts._base import Judged, Reading, Verdict
from raynas.report.wording import FEWEST_RUNS

#: p above which a test shows nothing.
SIGNIFICANT = 0.05

#: Stands on every page beside the verdicts.
RULES = {
    "agree": "A count equals the published one, or a number that is computed without chance does "
    "to its printed digits; or every part of a finding is as published: with its whole interval, "
    "and, if it is a difference between two samples of runs, with p up to 0.05 in a permutation "
    "test. That a difference is small, or no loss, is a part that two one-sided tests must show "
    "with p up to 0.05 for a margin set beforehand; an interval of few runs is too narrow for it.",
    "disagree": "A count or such a number differs; or the whole interval of at least one part of a "
    "finding lies elsewhere, with p up to 0.05 as above after Holm's correction over the parts "
    "that have a test.",
    "agrees in direction": "The conditions differ from the source's, which are named, and every "
    "part of the finding is as published by the same rule. It is no agreement in size.",
    "not comparable": "The conditions differ and the direction is not clear in every part; or the "
    f"runs are too few (fewer than {FEWEST_RUNS}) or too scattered to decide; or the source gives "
    "curves without numbers; or the benchmark was made to behave as published.",
    "not run": "The studies that it needs are not there yet.",
    "not available": "raynas has no such method, or no study of it; which, is said.",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A part of a finding: where a figure should lie by the source.

    Attributes:
        reading: the figure, usually a difference.
        low: least value that agrees with the source.
        high: greatest one.
        null: value of no effect, if the part says on which side of it the figure is: then p of the
            reading's permutation test must be small, too.
        margin: whether the part says that the figure is small or no loss: then the reading's
            `p_margin` decides, and not its interval.
    """

    reading: Reading
    low: float
    high: float
    null: float | None = None
    margin: bool = False


def above(reading: Reading, null: float = 0.0) -> Claim:
    """The source says that it is above zero, or another value of no effect."""
    return Claim(reading, null, math.inf, null)


def below(reading: Reading) -> Claim:
    """The source says that it is below zero."""
    return Claim(reading, -math.inf, 0.0, 0.0)


def similar(reading: Reading, margin: float) -> Claim:
    """The source says that it is about zero; `p_margin` must be of the same margin."""
    return Claim(reading, -margin, margin, margin=True)


def not_lower(reading: Reading, margin: float) -> Claim:
    """The source says that it is not below zero; `p_margin` must be of the same margin."""
    return Claim(reading, -margin, math.inf, margin=True)


def exact(published: Sequence[float], obtained: Sequence[float]) -> Judged:
    """Counts that do not depend on data: all must be equal."""
    same = sum(a == b for a, b in zip(published, obtained, strict=True))
    if same == len(published):
        return Judged(Verdict.AGREE, "equal" if same == 1 else f"all {same} are equal")
    return Judged(
        Verdict.DISAGREE, f"{len(published) - same} of {len(published)} are not the published ones"
    )


def printed(published: Sequence[str], obtained: Sequence[float]) -> Judged:
    """Numbers computed without chance: all must be equal to as many digits as are printed."""
    digits = [len(text.partition(".")[2]) for text in published]
    rounded = [round(value, n) for value, n in zip(obtained, digits, strict=True)]
    return exact([float(text) for text in published], rounded)


def finding(claims: Sequence[Claim], differences: Sequence[str] = ()) -> Judged:
    """A finding in one or several parts that must all hold.

    A part holds if its whole interval lies where the source says, and is refuted if its whole
    interval lies elsewhere; p-values guard both where there are any. All parts must hold, so their
    p-values need no correction for that; that some part is refuted is looked for in all of them,
    so there they are adjusted by Holm.
    """
    sides = _sides(claims)
    if claims and min(sides) > 0:
        if differences:
            return Judged(Verdict.DIRECTION, f"other conditions: {'; '.join(differences)}")
        return Judged(Verdict.AGREE, "every part is as published")
    found = _course(claims, sides)
    if differences:
        return elsewhere(differences, found)
    return Judged(Verdict.DISAGREE if -1 in sides else Verdict.NOT_COMPARABLE, found)


def course(claims: Sequence[Claim]) -> str:
    """How many parts are as published, and why the others are not; no verdict."""
    return _course(claims, _sides(claims))


def drawn_only(
    differences: Sequence[str] = (), reason: str = "the source draws it and gives no number"
) -> Judged:
    """The source has curves, or words that no figure decides, and nothing that could be checked."""
    return Judged(Verdict.NOT_COMPARABLE, "; ".join([reason, *differences]))


def elsewhere(differences: Sequence[str], found: str = "") -> Judged:
    """Conditions that differ, and no direction that could be stated all the same."""
    reason = f"other conditions: {'; '.join(differences)}"
    return Judged(Verdict.NOT_COMPARABLE, f"{reason}; here {found}" if found else reason)


def _sides(claims: Sequence[Claim]) -> list[int]:
    """+1 where the source says, -1 elsewhere, 0 undecided; of each part."""
    tested = [math.nan if c.reading.p is None else c.reading.p for c in claims]
    return [_side(*pair) for pair in zip(claims, statistics.holm(tested), strict=True)]


def _side(claim: Claim, adjusted: float) -> int:
    reading = claim.reading
    if _undecided(reading):
        return 0
    low, high = _ends(reading)
    if high < claim.low or low > claim.high:
        return 0 if adjusted > SIGNIFICANT else -1
    if claim.margin:
        return int(reading.p_margin is not None and reading.p_margin <= SIGNIFICANT)
    if claim.null is not None and reading.p is not None and reading.p > SIGNIFICANT:
        return 0  # the interval of a bootstrap of few runs alone is too narrow
    return int(claim.low <= low and high <= claim.high)


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


def _untested(claim: Claim) -> str:
    """Why nothing is known of a margin; empty if the part has none, or it was tested."""
    if not claim.margin or claim.reading.p_margin is not None:
        return ""
    return f"{claim.reading.label}: no test of the margin in what was read"


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
    weak = [reason for c in claims if (reason := _undecided(c.reading) or _untested(c))]
    if weak:
        parts.append(weak[0] + (f" (and {len(weak) - 1} more)" if len(weak) > 1 else ""))
    elif sides.count(0):
        parts.append(f"{sides.count(0)} undecided by interval or test")
    return "; ".join(parts)
