"""What the models learn: accuracy of the runs that learned anything, chance of the others.

A run that never leaves chance (accuracy near 0.1) says nothing about how good a cell is when it
trains, so levels are means over the other runs and failures are a target of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search_spaces.benchmark import BUDGETS
from search_spaces.surrogate.measurements import Measurements

Floats = npt.NDArray[np.float64]

#: A run below this accuracy counts as failed; chance is 0.1.
FAILED_BELOW = 0.12
CHANCE = 0.1

#: Whether the smooth prediction at 4, 12, 36, 108 epochs is the mean of all runs. At long budgets
#: failures are rare chance events, and the level of the other runs ranks cells better.
SMOOTH_COUNTS_FAILURES = (True, True, False, False)

SECONDS, FAILURE = 8, slice(9, 13)
HEADS = 13
_FLOORS = (0.0, 0.0, 0.7, 0.8)  # below them the loss of long budgets would see little else
_CEILING = 0.99
_WEIGHTS = (0.0, 0.4, 0.7, 1.0)  # of a mean, by the number of runs it is made of


@dataclass(frozen=True, slots=True)
class Targets:
    """Values (n, 13) and weights (n, 13), zero where unknown.

    Columns: validation and test levels at the four budgets, logarithm of the seconds at 108
    epochs, share of failed runs at the four budgets (weight = number of runs).
    """

    values: Floats
    weights: Floats


@dataclass(frozen=True, slots=True)
class Levels:
    """Means over the runs that did not fail, (n, 4) each, NaN where there is none."""

    validation: Floats
    test: Floats
    failed: npt.NDArray[np.bool_]
    known: npt.NDArray[np.bool_]


def levels(measured: Measurements) -> Levels:
    """Levels, failed runs (n, 4, 3) and which budgets are known (n, 4)."""
    known = np.asarray(~np.isnan(measured.validation + measured.test).any(2))
    failed: npt.NDArray[np.bool_] = (measured.validation + measured.test) / 2 < FAILED_BELOW
    failed &= known[..., None]
    count = (~failed).sum(2)

    def mean(values: Floats) -> Floats:
        total = np.where(failed, 0.0, values).sum(2)
        return np.where(known & (count > 0), total / np.maximum(count, 1), np.nan)

    return Levels(mean(measured.validation), mean(measured.test), failed, known)


def to_scale(accuracy: Floats, budget: int) -> Floats:
    """Accuracy as the models see it: minus log error at 36 and 108 epochs."""
    if _FLOORS[budget] == 0.0:
        return accuracy
    return -np.log(1 - np.clip(accuracy, _FLOORS[budget], _CEILING))


def from_scale(value: Floats, budget: int) -> Floats:
    """The inverse of `to_scale`, within what an accuracy can be."""
    accuracy = value if _FLOORS[budget] == 0.0 else 1 - np.exp(-np.clip(value, 0.0, 10.0))
    return np.clip(accuracy, CHANCE, _CEILING)


def make_targets(measured: Measurements) -> Targets:
    """The values to learn, with weights; cells without any figure have weight zero."""
    values = np.full((len(measured.hashes), HEADS), np.nan)
    weights = np.zeros(values.shape)
    _add_single_runs(measured, values, weights)
    _add_means(measured, values, weights)
    _add_runs(measured, values, weights)
    values[:, SECONDS] = np.log(measured.seconds)
    weights[:, SECONDS] = 1
    weights[np.isnan(values)] = 0
    return Targets(np.nan_to_num(values), weights)


def _add_single_runs(measured: Measurements, values: Floats, weights: Floats) -> None:
    for budget in range(len(BUDGETS)):
        run = measured.single_validation[:, budget]
        known = ~np.isnan(run)
        learned = known & (run >= FAILED_BELOW)
        values[learned, budget] = to_scale(run[learned], budget)
        weights[learned, budget] = _WEIGHTS[1]
        values[known, 9 + budget] = ~learned[known]
        weights[known, 9 + budget] = 1


def _add_means(measured: Measurements, values: Floats, weights: Floats) -> None:
    level, failures = unfail(measured.test_mean)
    known = ~np.isnan(measured.test_mean)
    values[known, 7] = to_scale(level[known], 3)
    weights[known, 7] = np.array(_WEIGHTS)[3 - failures[known]]
    values[known, 12] = failures[known] / 3
    weights[known, 12] = 3


def _add_runs(measured: Measurements, values: Floats, weights: Floats) -> None:
    found = levels(measured)
    learned = 3 - found.failed.sum(2)
    for budget in range(len(BUDGETS)):
        known = found.known[:, budget]
        for head, level in ((budget, found.validation), (4 + budget, found.test)):
            values[known, head] = to_scale(level[known, budget], budget)
            weights[known, head] = np.array(_WEIGHTS)[learned[known, budget]]
        values[known, 9 + budget] = found.failed[known, budget].mean(1)
        weights[known, 9 + budget] = 3


def unfail(mean: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Level and number of failed runs behind a mean of three test accuracies at 108 epochs.

    One or two failures leave gaps in the distribution of the means that cells without failures
    do not reach: a level of 0.79 to 0.96 gives 0.56-0.67 with one and 0.33-0.385 with two.
    """
    one, two, three = (mean > 0.56) & (mean < 0.67), (mean > 0.33) & (mean < 0.385), mean < 0.12
    level = np.where(one, (3 * mean - CHANCE) / 2, np.where(two, 3 * mean - 2 * CHANCE, mean))
    return np.where(three, np.nan, level), one * 1 + two * 2 + three * 3
