"""Tests of two or more samples of independent runs.

Where samples are small, p-values are exact: of all ways to split the pooled values in two, the
share that is at least as far from the expected. `scipy.stats.permutation_test` does the same, a
thousand times slower.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations
from math import comb

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics.statement import (
    LEVEL,
    Estimate,
    Floats,
    Significance,
    Statement,
    known,
    too_few,
)

LARGEST_LISTED = 200_000
"""Splits that are listed; two samples of ten have 184,756."""
SIMULATED = 20_000
# Sums that should be equal differ by rounding.
_SLACK = 1e-9

Drawn = Callable[[np.random.Generator, int], Floats]
"""Takes a generator and a number of draws."""


@dataclass(frozen=True, slots=True)
class MannWhitney:
    """A Mann-Whitney test.

    Attributes:
        u: number of pairs in which the first sample is greater; equal values count half.
        p: two-sided p-value of "both samples are of one distribution".
        method: how p was found.
        superiority: probability that a value of the first sample is greater than one of the
            second (equal ones count half): A = U / (n1 n2), with the interval of Brunner and
            Munzel.
    """

    u: float
    p: float
    method: str
    superiority: Estimate


def mann_whitney(first: npt.ArrayLike, second: npt.ArrayLike) -> MannWhitney | Statement:
    """Two-sided Mann-Whitney U test (Mann and Whitney 1947) of two independent samples.

    It assumes independent runs and asks whether both samples are of one distribution; only if
    the distributions are of one shape is that a question about their medians. p is exact if no
    values are equal or the splits can be listed, else asymptotic with the correction for ties
    (`scipy.stats.mannwhitneyu`). nan is left out.
    """
    from scipy import stats

    x, y = known(first), known(second)
    few = too_few(min(len(x), len(y)), 2)
    if few is not None:
        return few
    pooled = np.concatenate([x, y])
    if np.ptp(pooled) == 0:
        return Statement("all values are equal")
    ties = len(np.unique(pooled)) < len(pooled)
    listed = comb(len(pooled), len(x)) <= LARGEST_LISTED
    method = "exact" if listed or (not ties and len(pooled) <= 200) else "asymptotic"
    found = stats.mannwhitneyu(x, y, method="asymptotic" if ties else method)
    u = float(found.statistic)
    p = float(found.pvalue)
    if ties and listed:
        p = _exact(np.asarray(stats.rankdata(pooled)), len(x))
    return MannWhitney(u, p, method, superiority(x, y))


def superiority(first: npt.ArrayLike, second: npt.ArrayLike, *, level: float = LEVEL) -> Estimate:
    """Probability that a value of the first sample is greater, with an interval.

    Equal values count half. It assumes independent runs, of any two distributions. The interval is
    that of Brunner and Munzel ("The nonparametric Behrens-Fisher problem", Biometrical Journal
    2000), which lets the samples differ in spread and shape, formed on the logit scale so that it
    stays between 0 and 1. With few runs it is on the wide side (98 % instead of 95 % at ten runs
    each, in simulations). There is none where every value of one sample is greater than every one
    of the other: the variance is estimated as zero then.

    Args:
        first: at least one value.
        second: at least one value.
        level: coverage.
    """
    from scipy import stats

    x, y = known(first), known(second)
    pooled = stats.rankdata(np.concatenate([x, y]))
    sizes = len(x), len(y)
    above = (pooled[: sizes[0]] - stats.rankdata(x)) / sizes[1]
    below = (pooled[sizes[0] :] - stats.rankdata(y)) / sizes[0]
    value = float(above.mean())
    few = too_few(min(sizes))
    if few is not None:
        return Estimate(value, few)
    parts = np.array([above.var(ddof=1) / sizes[0], below.var(ddof=1) / sizes[1]])
    if parts.sum() == 0 or value in (0.0, 1.0):
        return Estimate(value, Statement("no overlap, no interval"))
    freedom = parts.sum() ** 2 / (parts**2 / (np.array(sizes) - 1)).sum()
    scale = float(np.sqrt(parts.sum())) / (value * (1 - value))
    reach = float(stats.t.ppf((1 + level) / 2, freedom)) * scale
    centre = np.log(value / (1 - value))
    low, high = 1 / (1 + np.exp(-(centre + np.array([-reach, reach]))))
    return Estimate(value, (float(low), float(high)))


def permutation_test(
    first: npt.ArrayLike, second: npt.ArrayLike, *, paired: bool = False, seed: int = 0
) -> Significance | Statement:
    """Two-sided permutation test on the difference of means.

    Unpaired it assumes that, if nothing differs, every split of the pooled values was equally
    likely; paired, that every sign of each difference was. All splits (sign patterns) are listed
    if they are at most `LARGEST_LISTED`, else `SIMULATED` are drawn and the given one is added.

    Args:
        first: one value per run; nan is left out (with its partner, if paired).
        second: the same of the other method.
        paired: value i of both belongs together.
        seed: of the draws.
    """
    if paired:
        return _sign_test(known(np.asarray(first, float) - np.asarray(second, float)), seed)
    x, y = known(first), known(second)
    few = too_few(min(len(x), len(y)), 2)
    if few is not None:
        return few
    pooled = np.concatenate([x, y])
    if np.ptp(pooled) == 0:
        return Statement("all values are equal")
    gap = float(x.mean() - y.mean())
    if comb(len(pooled), len(x)) <= LARGEST_LISTED:
        return Significance(gap, _exact(pooled, len(x)), "exact")
    rng = np.random.default_rng(seed)
    drawn = rng.permuted(np.tile(pooled, (SIMULATED, 1)), axis=1)[:, : len(x)]
    return Significance(
        gap, _share(drawn.sum(axis=1), x.sum(), _middle(pooled, len(x))), "simulated"
    )


def drawn_mean_test(gap: float, draws: Sequence[Drawn], *, seed: int = 0) -> Significance:
    """Two-sided test of a mean against the means of draws from laws that are known.

    It assumes that, if nothing differs, run i is one independent draw from law i. p is twice the
    smaller share of simulated means that are at least as far on that side, the given one included
    (Phipson and Smyth 2010).

    Args:
        gap: mean over the runs of the value less the expectation of its law.
        draws: of each run, what draws so many values of its law less its expectation.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    total = np.zeros(SIMULATED)
    for draw in draws:
        total += draw(rng, SIMULATED)
    means = total / len(draws)
    slack = 1e-12
    tails = (np.sum(means >= gap - slack), np.sum(means <= gap + slack))
    p = min(1.0, 2 * (int(min(tails)) + 1) / (SIMULATED + 1))
    return Significance(gap, float(p), "simulated")


def _exact(pooled: Floats, size: int) -> float:
    """Share of the splits whose first part sums up at least as far from its expected sum."""
    sums = pooled[_splits(len(pooled), size)].sum(axis=1)
    distance = abs(pooled[:size].sum() - _middle(pooled, size))
    scale = np.abs(pooled).sum()
    return float(np.mean(np.abs(sums - _middle(pooled, size)) >= distance - _SLACK * scale))


def _middle(pooled: Floats, size: int) -> float:
    return float(size * pooled.mean())


def _share(sums: Floats, given: float, middle: float) -> float:
    """The same among draws, the given one included (Phipson and Smyth 2010)."""
    slack = _SLACK * max(abs(given), abs(middle), 1e-300)
    further = np.count_nonzero(np.abs(sums - middle) >= abs(given - middle) - slack)
    return (further + 1) / (len(sums) + 1)


@lru_cache(maxsize=4)
def _splits(count: int, size: int) -> npt.NDArray[np.uint16]:
    """All ways to choose `size` of `count` things: (splits, size)."""
    places = chain.from_iterable(combinations(range(count), size))
    number = comb(count, size)
    return np.fromiter(places, np.uint16, count=number * size).reshape(number, size)


def _sign_test(gaps: Floats, seed: int) -> Significance | Statement:
    few = too_few(len(gaps), 2)
    if few is not None:
        return few
    if not gaps.any():
        return Statement("all pairs are equal")
    listed = 2 ** len(gaps) <= LARGEST_LISTED
    if listed:
        bits = np.arange(2 ** len(gaps))[:, None] >> np.arange(len(gaps)) & 1
    else:
        bits = np.random.default_rng(seed).integers(0, 2, (SIMULATED, len(gaps)))
    sums = (1 - 2 * bits) @ gaps
    if listed:
        p = float(np.mean(np.abs(sums) >= abs(gaps.sum()) - _SLACK * np.abs(gaps).sum()))
    else:
        p = _share(sums, float(gaps.sum()), 0.0)
    return Significance(float(gaps.mean()), p, "exact" if listed else "simulated")


def holm(p_values: npt.ArrayLike) -> Floats:
    """Holm's step-down adjusted p-values (Holm 1979): any of a family at most at the level.

    It assumes nothing about how the tests depend on each other; each p-value must be valid alone.

    Args:
        p_values: (m,) of one family of tests; nan where there was no test, which then does not
            count as one.

    Returns:
        (m,) adjusted, nan where nan.
    """
    # The same sums as in statsmodels' `multipletests`, which collects garbage at each call: a third
    # of a second in a process with torch.
    given = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(given.shape, np.nan)
    (tested,) = np.nonzero(~np.isnan(given))
    rising = tested[np.argsort(given[tested])]
    factors = np.arange(len(rising), 0, -1)
    adjusted[rising] = np.minimum(np.maximum.accumulate(factors * given[rising]), 1)
    return adjusted


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Two one-sided tests (Schuirmann 1987).

    Attributes:
        difference: mean(first) - mean(second).
        interval: its interval at 1 - 2 alpha: 90 % for tests at 5 %.
        margin: largest difference that counts as none.
        p: the larger of the two one-sided p-values.
        p_above: that of the one test that the difference is above minus the margin: the first
            mean is greater, or less by no more than the margin.
        equivalent: whether the difference was shown to be smaller than the margin.
    """

    difference: float
    interval: tuple[float, float]
    margin: float
    p: float
    p_above: float
    equivalent: bool


def equivalence(
    first: npt.ArrayLike, second: npt.ArrayLike | float, margin: float, *, level: float = LEVEL
) -> Equivalence | Statement:
    """Is the difference of two means smaller than a margin? Two one-sided Welch t-tests.

    "No significant difference" does not show that there is none; this does. It assumes about
    normal means of independent runs, not equal variances; the margin must be set before the data
    are seen. The tests are `statsmodels.stats.weightstats.ttost_ind` and `ttost_mean`.

    Args:
        first: one value per run; nan is left out.
        second: the same of the other method; or one number, a mean that is known exactly.
        margin: in the unit of the values, above 0.
        level: one minus the level of each test.

    Raises:
        ValueError: the margin is not above 0.
    """
    from scipy import stats
    from statsmodels.stats.weightstats import DescrStatsW, ttost_ind

    if not margin > 0:
        raise ValueError(f"an equivalence margin of {margin} is not above 0")
    x, y = known(first), known(second)
    sampled = np.ndim(second) > 0
    few = too_few(min(len(x), len(y)) if sampled else len(x))
    if few is not None:
        return few
    if np.ptp(x) == 0 and np.ptp(y) == 0:
        return Statement("no spread within the samples")
    with warnings.catch_warnings():
        # That one sample has no spread is said for nothing: the other one has.
        warnings.simplefilter("ignore", RuntimeWarning)
        if sampled:
            p, above, _ = ttost_ind(x, y, -margin, margin, usevar="unequal")
            found = stats.ttest_ind(x, y, equal_var=False)
        else:
            p, above, _ = DescrStatsW(x - y[0]).ttost_mean(-margin, margin)
            found = stats.ttest_1samp(x, y[0])
    ends = found.confidence_interval(2 * level - 1)
    gap = float(x.mean() - y.mean())
    return Equivalence(
        gap,
        (float(ends.low), float(ends.high)),
        margin,
        float(p),
        float(above[1]),
        bool(p < 1 - level),
    )


def brown_forsythe(*samples: npt.ArrayLike) -> Significance | Statement:
    """Do samples differ in spread? Levene's test around medians (Brown and Forsythe 1974).

    It assumes that the runs are independent, and nothing of their distribution but finite variance
    (`scipy.stats.levene`). nan is left out.

    Raises:
        ValueError: fewer than two samples.
    """
    from scipy import stats

    if len(samples) < 2:
        raise ValueError("spreads are compared of at least two samples")
    groups: Sequence[Floats] = [known(sample) for sample in samples]
    few = too_few(min(map(len, groups)))
    if few is not None:
        return few
    distances = [np.abs(group - np.median(group)) for group in groups]
    if all(np.ptp(distance) == 0 for distance in distances):
        return Statement("no spread within the samples")
    found = stats.levene(*groups, center="median")
    return Significance(float(found.statistic), float(found.pvalue), "asymptotic")
