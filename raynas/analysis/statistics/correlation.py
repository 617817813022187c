"""Rank and linear correlation of scores with the truth, over the same items in the same order.

Higher is better on both sides: an accuracy with an accuracy, not with an error. Each function
returns a float, or a `Statement` where there is no correlation: fewer than two items, or one side
without two distinct values. Items of which either value is nan are left out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics.statement import Floats, Significance, Statement

Correlation = Callable[[npt.ArrayLike, npt.ArrayLike], float | Statement]


def kendall_tau(scores: npt.ArrayLike, truth: npt.ArrayLike) -> float | Statement:
    """Kendall's tau-b (Kendall 1945): concordant less discordant pairs, corrected for ties.

    A pair that is tied on a side is neither; the divisor is the geometric mean of the numbers of
    pairs without a tie on the one and on the other side (`scipy.stats.kendalltau`). It assumes
    values that can be ordered, nothing of their distribution; as an estimate for other items,
    independent ones. It is of two *vectors of values*: the tau of two lists of item numbers in
    rank order depends on how the items are numbered.
    """
    from scipy import stats

    pairs = _pairs(scores, truth)
    return pairs if isinstance(pairs, Statement) else float(stats.kendalltau(*pairs).statistic)


def spearman(scores: npt.ArrayLike, truth: npt.ArrayLike) -> float | Statement:
    """Spearman's rho (1904): Pearson's correlation of the ranks, ties sharing their mean rank.

    It assumes values that can be ordered, nothing of their distribution; as an estimate for other
    items, independent ones (`scipy.stats.spearmanr`).
    """
    from scipy import stats

    pairs = _pairs(scores, truth)
    return pairs if isinstance(pairs, Statement) else float(stats.spearmanr(*pairs).statistic)


def pearson(scores: npt.ArrayLike, truth: npt.ArrayLike) -> float | Statement:
    """Pearson's product-moment correlation (1895): covariance over the product of deviations.

    It assumes that distances between values mean the same everywhere, and measures how near the
    relation is to a line: a few extreme values can make it. Equal values are no special case.
    """
    pairs = _pairs(scores, truth)
    if isinstance(pairs, Statement):
        return pairs
    x, y = (side - side.mean() for side in pairs)
    return float((x @ y) / np.sqrt((x @ x) * (y @ y)))


def sparse_kendall_tau(
    scores: npt.ArrayLike, truth: npt.ArrayLike, width: float
) -> float | Statement:
    """Kendall's tau-b with a truth that is known to bins of some width only.

    Differences of the truth that are smaller than its noise are to count as ties (Yu et al. 2020,
    "Evaluating the search phase of neural architecture search", whose code bins the scores, too;
    here they are as they are, so a monotone map of them changes nothing). It assumes what
    `kendall_tau` does and one width for all values; near neighbours on two sides of an edge are
    still a pair. For a width below all differences it is `kendall_tau`.

    Args:
        scores: (n,).
        truth: (n,).
        width: of a bin, in the unit of the truth; bins begin at multiples of it.
    """
    return kendall_tau(scores, bins(truth, width))


def kendall_null_deviation(items: int) -> float:
    """Standard deviation of tau over random orders (Kendall 1938).

    It assumes that every order is equally likely and that neither side has ties; with ties that of
    tau-b is greater.
    """
    return float(np.sqrt(2 * (2 * items + 5) / (9 * items * (items - 1))))


def correlation_test(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    correlation: Correlation = kendall_tau,
    *,
    resamples: int = 999,
    seed: int = 0,
) -> Significance | Statement:
    """Two-sided permutation test of "the scores are in random order" (Fisher 1935).

    It assumes that, if the scores say nothing, items are exchangeable: every order of the truth
    was equally likely. p is the share of orders, the given one among them, whose coefficient is at
    least as far from 0 (Phipson and Smyth 2010); equal values stay equal in every order. Of several
    seeds the mean of their coefficients is tested, in one order for all, as seeds are not
    independent of each other, and p is of these seeds. Those without a coefficient are left out.

    Args:
        scores: (n,), or (seeds, n).
        truth: (n,).
        correlation: one of this module.
        resamples: random orders; the given one is added, so p is at least 1 / (resamples + 1).
        seed: of the orders.
    """
    rows = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    found = [correlation(row, truth) for row in rows]
    usable = [i for i, value in enumerate(found) if not isinstance(value, Statement)]
    if not usable:
        return next(value for value in found if isinstance(value, Statement))
    right = np.asarray(truth, dtype=np.float64).reshape(-1)
    given = float(np.mean([_number(found[i]) for i in usable]))
    rng = np.random.default_rng(seed)
    further = 0
    for _ in range(resamples):
        order = rng.permutation(len(right))
        drawn = [_number(correlation(rows[i], right[order])) for i in usable]
        further += int(abs(np.mean(drawn)) >= abs(given) - 1e-12)
    return Significance(given, (further + 1) / (resamples + 1), "simulated")


def _number(value: float | Statement) -> float:
    assert not isinstance(value, Statement)  # a permutation has the values of the given order
    return value


def bins(truth: npt.ArrayLike, width: float) -> Floats:
    """The number of the bin of each value; bins begin at multiples of their width."""
    if not width > 0:
        raise ValueError(f"a bin of width {width} is not above 0")
    # 0.3 / 0.1 is a little less than 3.
    return np.floor(np.round(np.asarray(truth, np.float64) / width, 9))


def _pairs(scores: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[Floats, Floats] | Statement:
    x, y = (np.asarray(side, dtype=np.float64).reshape(-1) for side in (scores, truth))
    if len(x) != len(y):
        raise ValueError(f"{len(x)} scores and {len(y)} true values are not of the same items")
    both = ~(np.isnan(x) | np.isnan(y))
    x, y = x[both], y[both]
    if len(x) < 2:
        return Statement(f"{len(x)} item{'s' * (len(x) != 1)} with both values, 2 are needed")
    for name, side in (("scores", x), ("true values", y)):
        if np.ptp(side) == 0:
            return Statement(f"all {name} are equal")
    return x, y
