"""What a score that knows each item's expectation reaches against a truth with noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics.statement import Floats, Statement

#: Moves of the expectations for each draw; each draw has its own, as one fits its own noise too.
_ROUNDS = 8


def oracle_worlds(
    repeats: npt.ArrayLike, draws: int, seed: int = 0
) -> Iterator[tuple[Floats, Floats]] | Statement:
    """Simulated pairs of expectations and of means over repeats, each of shape (items,).

    A coefficient between both sides, averaged over the draws, is the most that a score can reach
    on average against the mean of so many repeats: the ceiling.

    The noise of an item is drawn with replacement from the deviations of its own repeats from
    their mean, times sqrt(r / (r - 1)). Simulated means are kept within its repeats and twice the
    median deviation beyond them: of an item with one failed repeat no mean is far better than its
    others. The observed means are wider spread than the expectations, by that noise; so the
    expectations are moved, in their order, until the means simulated from them have the quantiles
    of the observed ones. It assumes that repeats are independent, and that items of similar means
    have similar noise.

    Args:
        repeats: (items, repeats), at least two repeats; items with a nan are nan in the result.
        draws: simulated means.
        seed: of the noise.
    """
    values = np.asarray(repeats, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        return Statement("one repeat, so its noise is not known")
    known = np.flatnonzero(~np.isnan(values).any(axis=1))
    if len(known) < 2:
        return Statement("fewer than two items have all repeats")
    order = known[np.argsort(values[known].mean(axis=1), kind="stable")]
    return _worlds(values, order, draws, np.random.default_rng(seed))


def _worlds(
    values: Floats, order: npt.NDArray[np.int64], draws: int, rng: np.random.Generator
) -> Iterator[tuple[Floats, Floats]]:
    items, count = values.shape
    values = values[order]
    means = values.mean(axis=1)
    deviations = (values - means[:, None]) * np.sqrt(count / (count - 1))
    margin = 2 * np.median(values.std(axis=1, ddof=1))
    least, greatest = values.min(axis=1) - margin, values.max(axis=1) + margin

    def simulated(expected: Floats) -> Floats:
        places = rng.integers(count, size=values.shape)
        noise = np.take_along_axis(deviations, places, axis=1).mean(axis=1)
        return np.asarray(np.clip(expected + noise, least, greatest))

    for _ in range(draws):
        expected = means
        for step in range(1, _ROUNDS + 1):
            expected = np.sort(expected + (means - np.sort(simulated(expected))) / step)
        pair = np.full((2, items), np.nan)
        pair[:, order] = expected, simulated(expected)
        yield pair[0], pair[1]
