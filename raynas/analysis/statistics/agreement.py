"""How certain a correlation is, and how large it can be at all."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics.correlation import Correlation, kendall_tau
from raynas.analysis.statistics.statement import FEWEST, LEVEL, Estimate, Floats, Statement


def noise_ceiling(
    repeats: npt.ArrayLike, correlation: Correlation = kendall_tau
) -> float | Statement:
    """Correlation of one repeat of the truth with the mean of the others, averaged over repeats.

    A score that knew each item's expectation exactly would reach about this against a truth of
    one repeat less; "no correlation" and "good correlation" are to be read on this scale.

    Args:
        repeats: (items, repeats), at least two repeats; items with a nan are left out.
        correlation: one of `raynas.analysis.statistics`.
    """
    values = _complete(repeats)
    if isinstance(values, Statement):
        return values
    count = values.shape[1]
    rest = (values.sum(axis=1, keepdims=True) - values) / (count - 1)
    return _mean([correlation(values[:, i], rest[:, i]) for i in range(count)])


def repeat_agreement(
    repeats: npt.ArrayLike, correlation: Correlation = kendall_tau
) -> float | Statement:
    """Correlation of one repeat with one other, averaged over all pairs; see `noise_ceiling`."""
    values = _complete(repeats)
    if isinstance(values, Statement):
        return values
    pairs = combinations(range(values.shape[1]), 2)
    return _mean([correlation(values[:, i], values[:, j]) for i, j in pairs])


def mean_correlation(
    scores: npt.ArrayLike, truth: npt.ArrayLike, correlation: Correlation = kendall_tau
) -> float | Statement:
    """Mean over seeds of the correlation of each seed's scores: (seeds, items) with (items,).

    Seeds without a correlation (all scores equal) are left out.
    """
    found = [correlation(row, truth) for row in np.atleast_2d(np.asarray(scores, np.float64))]
    return _mean(found)


def two_way_bootstrap(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    correlation: Correlation = kendall_tau,
    *,
    resamples: int = 500,
    seed: int = 0,
    level: float = LEVEL,
) -> Estimate | Statement:
    """`mean_correlation` with a percentile interval over items and seeds.

    Both are drawn anew with replacement, independently of each other (Owen 2007, "The pigeonhole
    bootstrap"), so the interval is for other cells and other search seeds; it is on the wide
    side. With fewer than three seeds only the items are drawn: the interval is for other cells
    with these very seeds.

    Args:
        scores: (seeds, items), or (items,) of one seed.
        truth: (items,).
        correlation: one of `raynas.analysis.statistics`.
        resamples: bootstrap samples.
        seed: of the resampling.
        level: coverage.
    """
    rows = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    right = np.asarray(truth, dtype=np.float64)
    value = mean_correlation(rows, right, correlation)
    if isinstance(value, Statement):
        return value
    rng = np.random.default_rng(seed)
    seeds, items = rows.shape
    if items < FEWEST:
        return Estimate(value, Statement(f"{items} items, at least {FEWEST} are needed"))
    found = []
    for _ in range(resamples):
        lines = rng.integers(seeds, size=seeds) if seeds >= FEWEST else np.arange(seeds)
        columns = rng.integers(items, size=items)
        drawn = mean_correlation(rows[np.ix_(lines, columns)], right[columns], correlation)
        if not isinstance(drawn, Statement):
            found.append(drawn)
    if len(found) < resamples / 2:
        return Estimate(value, Statement("too few distinct values for an interval"))
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, (float(low), float(high)))


def _complete(repeats: npt.ArrayLike) -> Floats | Statement:
    values = np.asarray(repeats, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        return Statement("one repeat, so there is nothing to compare it with")
    return np.asarray(values[~np.isnan(values).any(axis=1)])


def _mean(values: list[float | Statement]) -> float | Statement:
    numbers = [value for value in values if not isinstance(value, Statement)]
    if numbers:
        return float(np.mean(numbers))
    return next((value for value in values if isinstance(value, Statement)), Statement("no value"))
