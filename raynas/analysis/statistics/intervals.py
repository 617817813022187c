"""Bootstrap intervals: BCa (Efron, "Better bootstrap confidence intervals", JASA 1987).

They assume independent values, one per run. With few runs they are too narrow: in simulations
with normal values a nominal 95 % interval of a mean covers it in 71 % of the cases at 3 runs,
83 % at 5, 90 % at 10 and 94 % at 40; with log-normal values in 62, 73, 83 and 89 %.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics.statement import (
    FEWEST,
    LEVEL,
    Estimate,
    Statement,
    known,
    too_few,
)

RESAMPLES = 2000

Centre = Callable[..., np.ndarray]
"""Takes an array and `axis`: `numpy.mean`, `numpy.median`."""


def mean_interval(
    values: np.ndarray, *, seed: int = 0, resamples: int = RESAMPLES, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """BCa bootstrap interval of the mean over axis 0, one per column.

    The same as `scipy.stats.bootstrap` gives, for hundreds of columns at once. It assumes that the
    runs are independent draws of one distribution with a variance; each interval is of its column
    alone, so not all of a curve's hold at once.

    Args:
        values: (runs, ...) float64; nan is left out.
        seed: of the resampling; the same for all columns, so that curves stay smooth.
        resamples: bootstrap samples.
        level: coverage.

    Returns:
        Lower and upper ends, shaped like `values[0]`. Both are nan where fewer than `FEWEST`
        values or fewer than two distinct ones are known: the interval of two runs would be these
        two runs, and resampling equal ones would claim a certainty that is not there.
    """
    flat = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    low = np.full(flat.shape[1], np.nan)
    high = low.copy()
    present = ~np.isnan(flat)
    # Columns with the same runs present share one set of resamples.
    patterns, member = np.unique(present, axis=1, return_inverse=True)
    for i in range(patterns.shape[1]):
        columns = np.flatnonzero(member.reshape(-1) == i)
        found = flat[np.ix_(patterns[:, i], columns)]
        if len(found) < FEWEST:
            continue
        spread = np.ptp(found, axis=0) > 0
        low[columns[spread]], high[columns[spread]] = _bca(found[:, spread], seed, resamples, level)
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


def bootstrap(
    values: npt.ArrayLike,
    centre: Centre = np.mean,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate | Statement:
    """A statistic of one sample with its BCa interval (`scipy.stats.bootstrap`).

    It assumes that the runs are independent draws of one distribution, and a smooth statistic: not
    for a maximum or minimum, where the bootstrap is not consistent.

    Args:
        values: one per run; nan is left out.
        centre: the statistic; takes an array and `axis`.
        seed: of the resampling.
        resamples: bootstrap samples.
        level: coverage.
    """
    sample = known(values)
    if len(sample) == 0:
        return Statement("no run has a value")
    value = float(centre(sample, axis=0))
    return Estimate(value, _interval((sample,), centre, seed, resamples, level))


def difference(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    centre: Centre = np.mean,
    *,
    paired: bool = False,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate | Statement:
    """centre(first) - centre(second) with its BCa interval.

    It assumes that the runs of a sample (the pairs, if paired) are independent draws of one
    distribution; unpaired, that the samples are independent of each other, with any two spreads.

    Args:
        first: one value per run.
        second: the same of the other method.
        centre: the statistic, `numpy.mean` or `numpy.median`.
        paired: value i of both has the same seed; then the interval is of the centre of the
            differences, and pairs with a missing value are left out. Unpaired, runs are
            independent and missing values are left out of either sample.
        seed: of the resampling.
        resamples: bootstrap samples.
        level: coverage.

    Raises:
        ValueError: paired samples differ in length.
    """
    if paired:
        if np.size(first) != np.size(second):
            raise ValueError(f"{np.size(first)} and {np.size(second)} values cannot be paired")
        gaps = np.asarray(first, np.float64) - np.asarray(second, np.float64)
        return bootstrap(gaps, centre, seed=seed, resamples=resamples, level=level)
    samples = known(first), known(second)
    if min(map(len, samples)) == 0:
        return Statement("one of the samples has no value")
    value = float(centre(samples[0], axis=0)) - float(centre(samples[1], axis=0))

    def statistic(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.asarray(centre(a, axis=axis) - centre(b, axis=axis))

    return Estimate(value, _interval(samples, statistic, seed, resamples, level))


def ratio(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate | Statement:
    """mean(first) / mean(second) with its percentile interval.

    It assumes independent runs and a positive mean of the second sample; the samples are drawn
    anew independently of each other. Like the others of few runs it is too narrow.

    Args:
        first: one value per run; nan is left out.
        second: the same of the other method.
        seed: of the resampling.
        resamples: bootstrap samples.
        level: coverage.
    """
    samples = known(first), known(second)
    if min(map(len, samples)) == 0:
        return Statement("one of the samples has no value")
    if samples[1].mean() <= 0:
        return Statement("the second mean is not above zero")
    value = float(samples[0].mean() / samples[1].mean())
    few = too_few(min(map(len, samples)))
    if few is not None:
        return Estimate(value, few)
    if all(np.ptp(sample) == 0 for sample in samples):
        return Estimate(value, Statement("all runs are equal, no interval"))
    rng = np.random.default_rng(seed)
    above, below = (rng.choice(s, (resamples, len(s))).mean(axis=1) for s in samples)
    if (below <= 0).any():
        return Estimate(value, Statement("a mean of zero is possible, no interval"))
    low, high = np.quantile(above / below, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, (float(low), float(high)))


def difference_interval(
    first: np.ndarray, second: np.ndarray, *, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """The 95 % interval of mean(first) - mean(second), nan if there is none: see `difference`.

    It assumes independent runs and samples.
    """
    found = difference(first, second, seed=seed, resamples=resamples)
    if isinstance(found, Statement) or isinstance(found.interval, Statement):
        return float("nan"), float("nan")
    return found.interval


def _interval(
    samples: tuple[np.ndarray, ...], statistic: Centre, seed: int, resamples: int, level: float
) -> tuple[float, float] | Statement:
    from scipy import stats

    few = too_few(min(map(len, samples)))
    if few is not None:
        return few
    if all(np.ptp(sample) == 0 for sample in samples):
        return Statement("all runs are equal, no interval")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = stats.bootstrap(
            samples,
            statistic,
            n_resamples=resamples,
            confidence_level=level,
            method="BCa",
            vectorized=True,
            rng=np.random.default_rng(seed),
        ).confidence_interval
    if not np.isfinite([found.low, found.high]).all():
        return Statement("too few distinct values for an interval")
    return float(found.low), float(found.high)
