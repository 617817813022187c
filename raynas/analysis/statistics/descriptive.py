"""Means, quartiles and ranks that know about missing values."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics.statement import Statement, known, too_few


def mean(values: np.ndarray) -> np.ndarray:
    """Mean over axis 0 of the values that are not nan; nan where there is none.

    It assumes that values are missing for reasons that have nothing to do with them.
    """
    return _quiet(np.nanmean, values, axis=0)


def quartiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower quartile, median and upper quartile over axis 0, nan left out.

    It assumes that values are missing for reasons that have nothing to do with them; between two
    values it interpolates linearly (definition 7 of Hyndman and Fan 1996).
    """
    q25, median, q75 = _quiet(np.nanpercentile, values, [25, 50, 75], axis=0)
    return q25, median, q75


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """Rank methods by value within each seed, then average over seeds.

    It assumes that the values of one seed belong together, as those of one repeat of the benchmark
    do; independent seeds with one number may be ranked against each other as well, but their
    ranks are no pairs.

    Args:
        values: (methods, seeds, ...) float64, lower is better; nan ranks last.

    Returns:
        (methods, ...); equal values share the average of their ranks; a seed in which every value
        is nan is left out.
    """
    from scipy.stats import rankdata

    missing = np.isnan(values)
    ranks = np.asarray(rankdata(np.where(missing, np.inf, values), axis=0), dtype=np.float64)
    ranks[:, missing.all(axis=0)] = np.nan
    return _quiet(np.nanmean, ranks, axis=1)


def _quiet(function: Callable[..., np.ndarray], *args: object, axis: int) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(All-NaN slice|Mean of empty slice)")
        return np.asarray(function(*args, axis=axis))


@dataclass(frozen=True, slots=True)
class Description:
    """A sample in figures.

    Attributes:
        count: known values.
        missing: values that are nan.
        mean: their mean.
        deviation: standard deviation with n - 1, or why there is none.
        median: their median.
        least: the smallest.
        greatest: the largest.
    """

    count: int
    missing: int
    mean: float
    deviation: float | Statement
    median: float
    least: float
    greatest: float


def describe(values: npt.ArrayLike) -> Description | Statement:
    """Describe a sample; nan values are counted and left out.

    It assumes nothing of the distribution; the deviation is that of a population of which the
    values are independent draws.
    """
    sample = known(values)
    if len(sample) == 0:
        return Statement("no run has a value")
    return Description(
        count=len(sample),
        missing=int(np.size(values) - len(sample)),
        mean=float(sample.mean()),
        deviation=too_few(len(sample), 2) or float(sample.std(ddof=1)),
        median=float(np.median(sample)),
        least=float(sample.min()),
        greatest=float(sample.max()),
    )
