"""Figures and times of a reproduction in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from raynas.artefacts import Reading, Verdict
from raynas.artefacts.readings import POINTS
from raynas.report.wording import counted, duration

if TYPE_CHECKING:
    from raynas.reproduction import Result

_SHOWN_IN_SHORT = 3
#: Of one and of several.
_VERBS = {
    Verdict.AGREE: ("agrees", "agree"),
    Verdict.DIRECTION: ("agrees in direction", "agree in direction"),
    Verdict.DISAGREE: ("disagrees", "disagree"),
}


def value(reading: Reading) -> str:
    """A figure with its interval: "0.504 [0.434, 0.582] points"."""
    if reading.value is None:
        return reading.note or "no value"
    shown = _number(reading.value, reading.unit)
    if reading.has_interval and not reading.unit:
        shown = f"{reading.value:.3f} [{reading.low:.3f}, {reading.high:.3f}]"
    elif reading.has_interval:
        assert reading.low is not None and reading.high is not None
        low, high = _number(reading.low, reading.unit), _number(reading.high, reading.unit)
        shown += f" [{low}, {high}]"
    return f"{shown} points" if reading.unit == POINTS else shown


def remark(reading: Reading) -> str:
    """How many runs a figure is of, and what else is to be said."""
    runs = "" if reading.runs is None else f"{reading.runs} run{'' if reading.runs == 1 else 's'}"
    note = reading.note if reading.value is not None else ""
    within = _p("p of the margin", reading.p_margin)
    return "; ".join(part for part in (runs, _p("p", reading.p), within, note) if part)


def _p(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{name} < 0.001" if value < 0.001 else f"{name} {value:.3f}"


def figures_in_short(readings: Sequence[Reading]) -> str:
    """The first figures in one line."""
    shown = [f"{reading.label}: {value(reading)}" for reading in readings[:_SHOWN_IN_SHORT]]
    more = len(readings) - len(shown)
    return "; ".join(shown + ([f"and {more} more"] if more > 0 else [])) or "–"


def counts(results: Sequence[Result]) -> str:
    """How many artefacts have which verdict."""
    found = Counter(result.obtained.judged.verdict for result in results)
    parts = [_counted(verdict, found[verdict]) for verdict in Verdict if found[verdict]]
    return f"{counted(len(results), 'artefact')}: {', '.join(parts)}."


def _counted(verdict: Verdict, number: int) -> str:
    """For instance "1 agrees", "2 agree in direction", "3 not run"."""
    return f"{number} {_VERBS.get(verdict, (verdict, verdict))[number != 1]}"


def estimate(seconds: float) -> str:
    """A time that was not measured as it stands."""
    return f"about {duration(seconds)}"


def _number(number: float, unit: str) -> str:
    if unit == POINTS:
        return f"{100 * number:.3f}"
    if float(number).is_integer() and abs(number) >= 1:
        return f"{int(number):,}"
    return f"{number:.4g}" if abs(number) < 0.1 else f"{number:.3f}"
