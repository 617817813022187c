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

    It is of two *vectors of values*. Two lists of item numbers in rank order are something else:
    their tau depends on how the items are numbered.
    """
    from scipy import stats

    pairs = _pairs(scores, truth)
    return pairs if isinstance(pairs, Statement) else float(stats.kendalltau(*pairs).statistic)


def spearman(scores: npt.ArrayLike, truth: npt.ArrayLike) -> float | Statement:
    """Spearman's rho: Pearson's correlation of the ranks, equal values sharing their mean rank."""
    from scipy import stats

    pairs = _pairs(scores, truth)
    return pairs if isinstance(pairs, Statement) else float(stats.spearmanr(*pairs).statistic)


def pearson(scores: npt.ArrayLike, truth: npt.ArrayLike) -> float | Statement:
    """Pearson's product-moment correlation; a few extreme values can make it."""
    pairs = _pairs(scores, truth)
    if isinstance(pairs, Statement):
        return pairs
    x, y = (side - side.mean() for side in pairs)
    return float((x @ y) / np.sqrt((x @ x) * (y @ y)))


def sparse_kendall_tau(
    scores: npt.ArrayLike, truth: npt.ArrayLike, width: float
) -> float | Statement:
    """Kendall's tau-b with a truth that is known to bins of some width only.

    Differences of the truth that are smaller than its noise count as ties; the scores are as they
    are, so the value does not change when they are transformed monotonically. For a width below
    all differences it is `kendall_tau`.

    Args:
        scores: (n,).
        truth: (n,).
        width: of a bin, in the unit of the truth; bins begin at multiples of it.
    """
    return kendall_tau(scores, _bins(truth, width))


def published_sparse_kendall_tau(
    scores: npt.ArrayLike, truth: npt.ArrayLike, width: float
) -> float | Statement:
    """The "sparse Kendall tau" of the released code of Yu et al. (ICLR 2020).

    The items are sorted by truth and numbered by bin; tau-b is between these numbers and the same
    numbers in the order of the scores. So the predicted order is coarsened too, to bins of the
    same sizes, and places in it are compared rather than scores. Equal scores keep the order in
    which the items are given. Use `sparse_kendall_tau` unless that code is to be compared with.

    Args:
        scores: (n,).
        truth: (n,).
        width: of a bin, in the unit of the truth.
    """
    pairs = _pairs(scores, truth)
    if isinstance(pairs, Statement):
        return pairs
    _, numbers = np.unique(_bins(pairs[1], width), return_inverse=True)
    return kendall_tau(numbers[np.argsort(pairs[0], kind="stable")], np.sort(numbers))


def kendall_null_deviation(items: int) -> float:
    """Standard deviation of tau over random orders without ties (Kendall 1938)."""
    return float(np.sqrt(2 * (2 * items + 5) / (9 * items * (items - 1))))


def correlation_test(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    correlation: Correlation = kendall_tau,
    *,
    resamples: int = 999,
    seed: int = 0,
) -> Significance | Statement:
    """Two-sided permutation test of "the scores are in random order".

    Args:
        scores: (n,).
        truth: (n,).
        correlation: one of this module.
        resamples: random orders; the given one is added, so p is at least 1 / (resamples + 1).
        seed: of the orders.
    """
    given = correlation(scores, truth)
    if isinstance(given, Statement):
        return given
    pairs = _pairs(scores, truth)
    assert not isinstance(pairs, Statement)
    rng = np.random.default_rng(seed)
    shuffled = [correlation(rng.permutation(pairs[0]), pairs[1]) for _ in range(resamples)]
    further = sum(abs(value) >= abs(given) - 1e-12 for value in map(_number, shuffled))
    return Significance(given, (further + 1) / (resamples + 1), "simulated")


def _number(value: float | Statement) -> float:
    assert not isinstance(value, Statement)  # a permutation has the values of the given order
    return value


def _bins(truth: npt.ArrayLike, width: float) -> Floats:
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
