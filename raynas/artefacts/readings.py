"""Figures with intervals, from the values of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from raynas.analysis import statistics
from raynas.analysis.statistics import Estimate, Statement
from raynas.artefacts._base import Reading

POINTS = "points"


def mean(label: str, values: npt.ArrayLike, unit: str = "") -> Reading:
    """Mean over runs."""
    known = _known(values)
    return estimated(label, statistics.bootstrap(known), len(known), unit)


def difference(
    label: str, first: npt.ArrayLike, second: npt.ArrayLike, unit: str = POINTS
) -> Reading:
    """Mean of the first sample less that of the second; `runs` is the smaller sample."""
    samples = _known(first), _known(second)
    found = statistics.difference(*samples)
    return _with_p(estimated(label, found, min(map(len, samples)), unit), *samples)


def ratio(label: str, first: npt.ArrayLike, second: npt.ArrayLike) -> Reading:
    """Mean of the first sample divided by that of the second; p is of their difference."""
    samples = _known(first), _known(second)
    reading = estimated(label, statistics.ratio(*samples), min(map(len, samples)), "")
    return _with_p(reading, *samples)


def apart(label: str, first: Reading, second: Reading) -> Reading:
    """First less second of two figures of which only the intervals are known.

    The ends are those that both intervals allow at worst, so the interval is wider than one from
    the runs would be.
    """
    unit, runs = first.unit, _fewer(first.runs, second.runs)
    if first.value is None or second.value is None:
        note = next(r.note or "no value" for r in (first, second) if r.value is None)
        return Reading(label, None, runs=runs, unit=unit, note=note)
    value = first.value - second.value
    ends = (first.low, first.high, second.low, second.high)
    if any(end is None for end in ends):
        return Reading(label, value, runs=runs, unit=unit, note="no interval")
    low, high = ends[0] - ends[3], ends[1] - ends[2]  # type: ignore[operator]
    return Reading(label, value, low, high, runs, unit)


def counts(labels: Sequence[str], values: Sequence[float]) -> tuple[Reading, ...]:
    """Figures that are computed, not measured."""
    return tuple(Reading(label, float(v)) for label, v in zip(labels, values, strict=True))


def estimated(
    label: str, found: Estimate | Statement, runs: int | None = None, unit: str = ""
) -> Reading:
    """What a function of `raynas.analysis.statistics` gave."""
    if isinstance(found, Statement):
        return Reading(label, None, runs=runs, unit=unit, note=str(found))
    if isinstance(found.interval, Statement):
        return Reading(label, found.value, runs=runs, unit=unit, note=str(found.interval))
    return Reading(label, found.value, *found.interval, runs=runs, unit=unit)


def _with_p(reading: Reading, first: npt.ArrayLike, second: npt.ArrayLike) -> Reading:
    tested = statistics.permutation_test(first, second)
    return reading if isinstance(tested, Statement) else replace(reading, p=tested.p)


def _known(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    return flat[~np.isnan(flat)]


def _fewer(first: int | None, second: int | None) -> int | None:
    known = [n for n in (first, second) if n is not None]
    return min(known) if known else None
