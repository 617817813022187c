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
    return _reading(label, statistics.bootstrap(known), len(known), unit)


def difference(
    label: str, first: npt.ArrayLike, second: npt.ArrayLike, unit: str = POINTS
) -> Reading:
    """Mean of the first sample less that of the second; `runs` is the smaller sample."""
    samples = _known(first), _known(second)
    found = statistics.difference(*samples)
    reading = _reading(label, found, min(map(len, samples)), unit)
    tested = statistics.permutation_test(*samples)
    return reading if isinstance(tested, Statement) else replace(reading, p=tested.p)


def ratio(label: str, first: npt.ArrayLike, second: npt.ArrayLike) -> Reading:
    """Mean of the first sample divided by that of the second, percentile bootstrap.

    The samples are drawn anew independently of each other.
    """
    above, below = _known(first), _known(second)
    runs = min(len(above), len(below))
    if runs == 0:
        return Reading(label, None, note="one of the samples has no value", runs=0)
    if below.mean() <= 0:
        return Reading(label, None, note="the second mean is not above zero", runs=runs)
    value = float(above.mean() / below.mean())
    if runs < statistics.FEWEST:
        return Reading(label, value, runs=runs, note=f"{runs} runs, no interval")
    rng = np.random.default_rng(0)
    means = [
        rng.choice(sample, (statistics.RESAMPLES, len(sample))).mean(axis=1)
        for sample in (above, below)
    ]
    if (means[1] <= 0).any():
        return Reading(label, value, runs=runs, note="a mean of zero is possible, no interval")
    low, high = np.quantile(means[0] / means[1], [0.025, 0.975])
    return Reading(label, value, float(low), float(high), runs)


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


def _reading(label: str, found: Estimate | Statement, runs: int, unit: str) -> Reading:
    if isinstance(found, Statement):
        return Reading(label, None, runs=runs, unit=unit, note=str(found))
    if isinstance(found.interval, Statement):
        return Reading(label, found.value, runs=runs, unit=unit, note=str(found.interval))
    return Reading(label, found.value, *found.interval, runs=runs, unit=unit)


def _known(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    return flat[~np.isnan(flat)]


def _fewer(first: int | None, second: int | None) -> int | None:
    known = [n for n in (first, second) if n is not None]
    return min(known) if known else None
