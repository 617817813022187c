"""Repeat noise: quantile tables fitted to the runs, applied with integers alone.

Two runs of one cell differ by a common part c of validation and test accuracy and an opposite
part d (validation = level + c + d, test = level + c - d). Both are drawn from the empirical
quantiles at cells of a similar level, as shares of the error, so that no draw leaves what an
accuracy can be. All numbers are integers, so that a pseudo-repeat is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.benchmark import ACCURACY_UNIT, BUDGETS
from search_spaces.surrogate.measurements import Measurements
from search_spaces.surrogate.mixing import Words
from search_spaces.surrogate.targets import levels

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: Fixed-point steps per accuracy unit of 1/9984, and per whole error.
STEPS, SHARES = 16, 1 << 14
_KNOTS = 129
#: Bins by level; narrow at the lower end, where the noise changes quickly.
_EDGES = (0.01, 0.03, 0.06, 0.1, 0.15, 0.25, 0.4, 0.55, 0.7, 0.85)
_FRACTION_BITS = 16


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Quantile tables.

    Attributes:
        edges: (4, bins - 1) test levels that separate the bins, in accuracy units.
        common: (4, bins, knots) quantiles of c, in `SHARES` of the error.
        opposite: (4, bins, knots) quantiles of d, likewise.
        failed_validation: (4, knots) quantiles of a failed run's accuracy, in steps.
        failed_test: (4, knots) likewise.
    """

    edges: Ints
    common: Ints
    opposite: Ints
    failed_validation: Ints
    failed_test: Ints

    def to_json(self) -> dict[str, Any]:
        """As nested lists."""
        return {name: getattr(self, name).tolist() for name in self.__slots__}

    @staticmethod
    def from_json(content: dict[str, Any]) -> NoiseModel:
        """The inverse of `to_json`."""
        return NoiseModel(**{name: np.array(rows, np.int64) for name, rows in content.items()})


def draw(quantiles: Ints, bits: Words, group: Ints) -> Ints:
    """Values by inversion of quantile functions, with linear interpolation.

    Args:
        quantiles: (groups, knots), knots equally spaced in probability.
        bits: (n,) random bits.
        group: (n,) which quantile function each value is drawn from.
    """
    segments = quantiles.shape[1] - 1
    position = (bits >> np.uint64(64 - 32)).astype(np.int64) * segments
    index = position >> 32
    fraction = (position >> (32 - _FRACTION_BITS)) & ((1 << _FRACTION_BITS) - 1)
    low, high = quantiles[group, index], quantiles[group, index + 1]
    drawn: Ints = low + (((high - low) * fraction) >> _FRACTION_BITS)
    return drawn


def fit_noise(measured: Measurements) -> NoiseModel:
    """Quantile tables of all runs; deviations from a mean of n are inflated by n / (n - 1)."""
    found = levels(measured)
    validation = np.where(found.failed, np.nan, measured.validation)
    test = np.where(found.failed, np.nan, measured.test)
    unit = ACCURACY_UNIT * STEPS
    tables: dict[str, list[Any]] = {name: [] for name in NoiseModel.__slots__}
    for budget in range(len(BUDGETS)):
        level = found.test[:, budget]
        edges = np.nanquantile(level, _EDGES)
        group = np.where(np.isnan(level), -1, np.searchsorted(edges, level))
        left, right = _deviations(validation[:, budget]), _deviations(test[:, budget])
        tables["edges"].append(np.round(edges * ACCURACY_UNIT))
        for name, deviation in (("common", left + right), ("opposite", left - right)):
            share = deviation / 2 / (1 - level)[:, None] * SHARES
            rows = [_quantiles(share[group == number]) for number in range(len(_EDGES) + 1)]
            tables[name].append(rows)
        failed = found.failed[:, budget]
        tables["failed_validation"].append(
            _quantiles(measured.validation[:, budget][failed] * unit)
        )
        tables["failed_test"].append(_quantiles(measured.test[:, budget][failed] * unit))
    return NoiseModel(**{name: np.array(rows, np.int64) for name, rows in tables.items()})


def _deviations(runs: Floats) -> Floats:
    """(n, 3) deviations from the mean of the runs that learned, as if it were known exactly."""
    count = (~np.isnan(runs)).sum(1, keepdims=True)
    mean = np.nansum(runs, axis=1, keepdims=True) / np.maximum(count, 1)
    factor = np.sqrt(count / np.maximum(count - 1, 1))
    return np.where(count > 1, (runs - mean) * factor, np.nan)


def _quantiles(values: Floats) -> Ints:
    """Rounded knots; all zero where there is no value (such a bin has no noise).

    The outermost knots are not the extreme values but those that give the outermost segments
    the mean that the values beyond have.
    """
    known = np.sort(values[~np.isnan(values)])
    if len(known) == 0:
        known = np.zeros(1)
    knots = np.quantile(known, np.linspace(0, 1, _KNOTS))
    outer = max(1, round(len(known) / (_KNOTS - 1)))
    knots[0] = min(2 * known[:outer].mean() - knots[1], knots[1])
    knots[-1] = max(2 * known[-outer:].mean() - knots[-2], knots[-2])
    return np.round(knots).astype(np.int64)
