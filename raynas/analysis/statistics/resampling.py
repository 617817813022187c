"""Coefficients of many bootstrap samples of the same items at once.

A sample drawn with replacement is a vector of weights: how often each item was drawn. All
coefficients of the same items are computed from one set of such vectors, so their intervals are
of the same samples, and a subset of the items has the columns of its items.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics.statement import Floats

Weights = npt.NDArray[np.float32]
Draws = Callable[[Floats, Floats, Weights], Floats]
"""Takes two sides (n,) and weights (samples, n); gives one coefficient per sample, or nan."""

#: Up to so many items tau is computed from all pairs of each sample, above by its linear part.
ALL_PAIRS = 150
_AT_ONCE = 4_000_000


def item_weights(items: int, resamples: int, seed: int) -> Weights:
    """How often each of so many items is drawn in each sample, shape (resamples, items)."""
    rng = np.random.default_rng(seed)
    drawn = np.empty((resamples, items), np.float32)
    for line in drawn:
        line[:] = np.bincount(rng.integers(items, size=items), minlength=items)
    return drawn


def pearson_draws(x: Floats, y: Floats, weights: Weights) -> Floats:
    """Pearson's correlation of each sample."""
    return _in_parts(lambda part: _weighted(x[None], y[None], part), weights)


def spearman_draws(x: Floats, y: Floats, weights: Weights) -> Floats:
    """Spearman's rho of each sample, ranked anew in it."""
    sides = [_ties(side) for side in (x, y)]

    def of(part: Floats) -> Floats:
        ranks = [_ranks(part, *side) for side in sides]
        return _weighted(ranks[0], ranks[1], part)

    return _in_parts(of, weights)


def kendall_draws(x: Floats, y: Floats, weights: Weights) -> Floats:
    """Kendall's tau-b of each sample.

    Tau is a ratio of sums over pairs, so quadratic in the weights. Of more than `ALL_PAIRS` items
    its derivative by the weights is used, whose error falls with the number of items faster than
    the width of an interval does.
    """
    if len(x) <= ALL_PAIRS:
        return _in_parts(_all_pairs(x, y), weights)
    agreement = _below(x, y) + _below(-x, -y) - _below(x, -y) - _below(-x, y)
    apart = [len(side) - _ties_of_each(side) for side in (x, y)]
    first, second = (float(side.sum()) for side in apart)
    if first == 0 or second == 0:
        return np.full(len(weights), np.nan)
    scale = np.sqrt(first * second)
    tau = float(agreement.sum()) / scale
    slope = 2 * agreement / scale - tau * (apart[0] / first + apart[1] / second)
    return np.asarray(tau + weights @ slope, np.float64)


def _in_parts(function: Callable[[Floats], Floats], weights: Weights) -> Floats:
    size = max(1, _AT_ONCE // max(weights.shape[1], 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = [
            function(np.asarray(weights[start : start + size], np.float64))
            for start in range(0, len(weights), size)
        ]
    return np.concatenate(parts)


def _weighted(x: Floats, y: Floats, weights: Floats) -> Floats:
    total = weights.sum(axis=1, keepdims=True)
    x = x - (weights * x).sum(axis=1, keepdims=True) / total
    y = y - (weights * y).sum(axis=1, keepdims=True) / total
    heavy = weights * x
    both, first = (heavy * y).sum(axis=1), (heavy * x).sum(axis=1)
    second = (weights * y * y).sum(axis=1)
    # What rounding leaves of equal values is no spread.
    spread = (first > 1e-12) & (second > 1e-12)
    return np.where(spread, both / np.sqrt(first * second), np.nan)


def _ties(side: Floats) -> tuple[npt.NDArray[np.int64], ...]:
    """Order of the values, where each group of equal ones begins in it, and the group of each."""
    order = np.argsort(side, kind="stable")
    _, starts = np.unique(side[order], return_index=True)
    _, group = np.unique(side, return_inverse=True)
    return order, starts, group.reshape(-1)


def _ranks(
    weights: Floats,
    order: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    group: npt.NDArray[np.int64],
) -> Floats:
    """Mean rank of each item in each sample, but for a constant."""
    drawn = np.add.reduceat(weights[:, order], starts, axis=1)
    return np.asarray((np.cumsum(drawn, axis=1) - drawn / 2)[:, group])


def _all_pairs(x: Floats, y: Floats) -> Callable[[Floats], Floats]:
    first, second = (np.sign(side[:, None] - side[None, :]) for side in (x, y))
    forms = (first * second, np.abs(first), np.abs(second))

    def of(part: Floats) -> Floats:
        both, one, other = (np.einsum("bn,bn->b", part @ form, part) for form in forms)
        return np.asarray(both / np.sqrt(one * other))

    return of


def _ties_of_each(side: Floats) -> Floats:
    _, group, counts = np.unique(side, return_inverse=True, return_counts=True)
    return np.asarray(counts[group.reshape(-1)], np.float64)


def _below(x: Floats, y: Floats) -> Floats:
    """How many items are below each on both sides, by merging halves of the order of x."""
    # Of equal x the greater y comes first, so an earlier item with less y has less x.
    order = np.lexsort((-y, x))
    _, ranks = np.unique(y[order], return_inverse=True)
    ranks = ranks.reshape(-1)
    places = np.arange(len(x))
    found = np.zeros(len(x))
    size = 1
    while size < len(x):
        late = (places // size) % 2 == 1
        pair = places // (2 * size)
        # Of equal y the later half comes first, so that only lesser ones are counted before it.
        sequence = np.lexsort((~late, ranks, pair))
        early = ~late[sequence]
        before = np.cumsum(early)
        start = np.searchsorted(pair[sequence], pair[sequence])
        base = before[start] - early[start]
        found[sequence] += np.where(early, 0, before - base)
        size *= 2
    result = np.empty(len(x))
    result[order] = found
    return result
