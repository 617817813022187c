"""Means, quartiles, bootstrap intervals and ranks that know about missing values."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95


def mean(values: np.ndarray) -> np.ndarray:
    """Mean over axis 0 of the values that are not nan; nan where there is none."""
    return _quiet(np.nanmean, values, axis=0)


def quartiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower quartile, median and upper quartile over axis 0, nan left out."""
    q25, median, q75 = _quiet(np.nanpercentile, values, [25, 50, 75], axis=0)
    return q25, median, q75


def _quiet(function: Callable[..., np.ndarray], *args: object, axis: int) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(All-NaN slice|Mean of empty slice)")
        return np.asarray(function(*args, axis=axis))


def mean_interval(
    values: np.ndarray, *, seed: int = 0, resamples: int = RESAMPLES, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """BCa bootstrap interval of the mean over axis 0 (Efron 1987), one per column.

    Args:
        values: (runs, ...) float64; nan is left out.
        seed: of the resampling; the same for all columns, so that curves stay smooth.
        resamples: bootstrap samples.
        level: coverage.

    Returns:
        Lower and upper ends, shaped like `values[0]`. Both are nan where fewer than two distinct
        values are known: resampling those would claim a certainty that is not there.
    """
    flat = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    low = np.full(flat.shape[1], np.nan)
    high = low.copy()
    present = ~np.isnan(flat)
    # Columns with the same runs present share one set of resamples.
    patterns, member = np.unique(present, axis=1, return_inverse=True)
    for i in range(patterns.shape[1]):
        columns = np.flatnonzero(member.reshape(-1) == i)
        known = flat[np.ix_(patterns[:, i], columns)]
        if len(known) < 2:
            continue
        spread = np.ptp(known, axis=0) > 0
        low[columns[spread]], high[columns[spread]] = _bca(known[:, spread], seed, resamples, level)
    shape = np.shape(values)[1:]
    return low.reshape(shape), high.reshape(shape)


def _bca(
    values: np.ndarray, seed: int, resamples: int, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """BCa interval of the mean of each column; every column has spread."""
    from scipy.special import ndtr, ndtri

    count = len(values)
    means = np.sort(_resampled_means(values, seed, resamples), axis=0)
    centre = values.mean(axis=0)
    below = (means < centre).mean(axis=0) + (means == centre).mean(axis=0) / 2
    bias = ndtri(np.clip(below, 0.5 / resamples, 1 - 0.5 / resamples))
    jackknife = centre - (values.sum(axis=0) - values) / (count - 1)
    acceleration = (jackknife**3).sum(axis=0) / (6 * (jackknife**2).sum(axis=0) ** 1.5)
    ends = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        shifted = bias + ndtri(tail)
        ends.append(_column_quantile(means, ndtr(bias + shifted / (1 - acceleration * shifted))))
    return ends[0], ends[1]


def _resampled_means(values: np.ndarray, seed: int, resamples: int) -> np.ndarray:
    count = len(values)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(count, np.full(count, 1 / count), size=resamples)
    return np.asarray(draws @ values / count)


def _column_quantile(ordered: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Linear-interpolation quantile of each sorted column, at a level of its own."""
    position = levels * (len(ordered) - 1)
    floor = np.floor(position).astype(np.int64)
    ceiling = np.minimum(floor + 1, len(ordered) - 1)
    columns = np.arange(ordered.shape[1])
    below = ordered[floor, columns]
    above = ordered[ceiling, columns]
    return np.asarray(below + (position - floor) * (above - below))


def difference_interval(
    first: np.ndarray, second: np.ndarray, *, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Percentile bootstrap interval (95 %) of mean(first) - mean(second), independent runs.

    Returns:
        Lower and upper end; nan when a sample has fewer than two known values.
    """
    samples = [x[~np.isnan(x)][:, None] for x in (first, second)]
    if min(len(x) for x in samples) < 2:
        return float("nan"), float("nan")
    means = [_resampled_means(x, seed + i, resamples)[:, 0] for i, x in enumerate(samples)]
    low, high = np.quantile(means[0] - means[1], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """Rank methods by value within each seed, then average over seeds.

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
