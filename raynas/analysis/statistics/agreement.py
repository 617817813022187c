"""How certain a correlation is, and how well repeats of the truth agree with each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics.correlation import (
    Correlation,
    bins,
    kendall_tau,
    pearson,
    sparse_kendall_tau,
    spearman,
)
from raynas.analysis.statistics.resampling import (
    Draws,
    item_weights,
    kendall_draws,
    pearson_draws,
    spearman_draws,
)
from raynas.analysis.statistics.statement import FEWEST, LEVEL, Floats, Statement

RESAMPLES = 500

#: From so many items on, an interval is computed from a part of them.
MOST_ITEMS = 2000


def one_against_others(
    repeats: npt.ArrayLike,
    correlation: Correlation = kendall_tau,
    choose: Callable[[Floats], npt.NDArray[np.int64]] | None = None,
) -> float | Statement:
    """Correlation of one repeat of the truth with the mean of the others, averaged over repeats.

    It says how well a single training of each item would serve as a score. It is not the most
    that a score can reach: a single training has noise of its own, see `oracle_worlds`.

    Args:
        repeats: (items, repeats), at least two repeats; items with a nan are left out.
        correlation: one of `raynas.analysis.statistics`.
        choose: positions of the items to correlate, given the mean of the others. Items that
            were chosen by the mean of all repeats would be chosen by the noise of both sides,
            which pushes the two sides apart.
    """
    values = _complete(repeats)
    if isinstance(values, Statement):
        return values
    found = []
    for i in range(values.shape[1]):
        rest = np.delete(values, i, axis=1).mean(axis=1)
        inside = slice(None) if choose is None else choose(rest)
        found.append(correlation(values[inside, i], rest[inside]))
    return _mean(found)


def repeat_agreement(
    repeats: npt.ArrayLike, correlation: Correlation = kendall_tau
) -> float | Statement:
    """Correlation of one repeat with one other, averaged over all pairs."""
    values = _complete(repeats)
    if isinstance(values, Statement):
        return values
    pairs = combinations(range(values.shape[1]), 2)
    return _mean([correlation(values[:, i], values[:, j]) for i, j in pairs])


@dataclass(frozen=True, slots=True)
class Measure:
    """A coefficient of two sides, of one sample and of many.

    Attributes:
        value: of the items themselves.
        draws: of many bootstrap samples of them.
    """

    value: Correlation
    draws: Draws


KENDALL = Measure(kendall_tau, kendall_draws)
SPEARMAN = Measure(spearman, spearman_draws)
PEARSON = Measure(pearson, pearson_draws)


def sparse_kendall(width: float) -> Measure:
    """`sparse_kendall_tau` with bins of some width."""
    return Measure(
        partial(sparse_kendall_tau, width=width),
        lambda x, y, weights: kendall_draws(x, bins(y, width), weights),
    )


@dataclass(frozen=True, slots=True)
class SeedMean:
    """The mean of a coefficient over the seeds that have one.

    Attributes:
        value: None if no seed has one.
        interval: None where there is none.
        used: seeds with a value.
        seeds: all of them.
        statement: which seeds are left out and why, and why there is no value or interval.
    """

    value: float | None
    interval: tuple[float, float] | None
    used: int
    seeds: int
    statement: str | None = None


class TwoWay:
    """Bootstrap over items and seeds, the same samples for all coefficients of the same items.

    Both are drawn anew with replacement, independently of each other (Owen 2007, "The pigeonhole
    bootstrap"), so an interval (percentiles) is for other items and other search seeds; it is on
    the wide side. Of fewer than three seeds only the items are drawn, and the interval is for
    other items with these very seeds; but if there are so few because others gave all items the
    same score, there is no interval.

    Args:
        items: how many.
        resamples: bootstrap samples.
        seed: of the resampling.
        level: coverage.
    """

    def __init__(
        self, items: int, *, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
    ) -> None:
        self.weights = item_weights(items, resamples, seed)
        self._resamples, self._seed = resamples, seed
        self._ends = [(1 - level) / 2, (1 + level) / 2]

    def mean(
        self,
        scores: npt.ArrayLike,
        truth: npt.ArrayLike,
        measure: Measure = KENDALL,
        inside: Sequence[npt.NDArray[np.int64]] | None = None,
    ) -> SeedMean:
        """The mean over seeds of the coefficient between the scores of each and the truth.

        Args:
            scores: (seeds, items), or (items,) of one seed.
            truth: (items,).
            measure: which coefficient.
            inside: positions of the items of each seed that count; None: all.
        """
        rows = np.atleast_2d(np.asarray(scores, dtype=np.float64))
        right = np.asarray(truth, dtype=np.float64)
        inside = inside or [np.arange(len(right))] * len(rows)
        found = [measure.value(r[i], right[i]) for r, i in zip(rows, inside, strict=True)]
        usable = [s for s, value in enumerate(found) if not isinstance(value, Statement)]
        lost = left_out(found)
        if not usable:
            return SeedMean(None, None, 0, len(rows), lost)
        value = float(np.mean([found[s] for s in usable]))
        none = _no_interval(len(usable), len(rows), min(len(inside[s]) for s in usable))
        interval = None
        if none is None:
            drawn = [self._draws(rows[s], right, inside[s], measure) for s in usable]
            interval = self._interval(np.stack(drawn, axis=1))
            none = None if interval else "no interval: too few distinct values"
        if interval and len(rows) < FEWEST:
            none = f"{_seeds(len(rows))}: the interval is over cells only"
        statement = "; ".join(part for part in (lost, none) if part) or None
        return SeedMean(value, interval, len(usable), len(rows), statement)

    def _draws(
        self, scores: Floats, truth: Floats, inside: npt.NDArray[np.int64], measure: Measure
    ) -> Floats:
        """The coefficient of one seed in each sample.

        Of more than `MOST_ITEMS` items a random part is drawn from, and the deviations from its
        coefficient shrink with the square root of the part, as those of larger samples do.
        """
        part = inside
        if len(inside) > MOST_ITEMS:
            rng = np.random.default_rng([self._seed, len(inside)])
            part = np.sort(rng.choice(inside, MOST_ITEMS, replace=False))
        drawn = measure.draws(scores[part], truth[part], self.weights[:, part])
        if len(part) == len(inside):
            return drawn
        whole, own = (measure.value(scores[i], truth[i]) for i in (inside, part))
        if isinstance(whole, Statement) or isinstance(own, Statement):
            return np.full(len(drawn), np.nan)
        return np.asarray(whole + (drawn - own) * np.sqrt(len(part) / len(inside)))

    def _interval(self, drawn: Floats) -> tuple[float, float] | None:
        """Of the mean over seeds of draws of shape (resamples, seeds)."""
        seeds = drawn.shape[1]
        times = np.ones(drawn.shape, np.int64)
        if seeds >= FEWEST:
            rng = np.random.default_rng([self._seed, seeds])
            times = rng.multinomial(seeds, np.full(seeds, 1 / seeds), self._resamples)
        known = ~np.isnan(drawn)
        counts = (times * known).sum(axis=1)
        sums = (times * np.where(known, drawn, 0)).sum(axis=1)
        means = sums[counts > 0] / counts[counts > 0]
        if len(means) < self._resamples / 2:
            return None
        low, high = np.quantile(means, self._ends)
        return float(low), float(high)


def left_out(found: Sequence[float | Statement]) -> str | None:
    """How many seeds have no value, and why; None if all have one."""
    reasons = [str(value) for value in found if isinstance(value, Statement)]
    if not reasons:
        return None
    of = f"{len(reasons)} of {_seeds(len(found))}"
    if reasons[0] == "all scores are equal":
        return f"{of} gave all cells the same accuracy"
    return reasons[0] if len(reasons) == len(found) else f"{of} without a value: {reasons[0]}"


def _no_interval(used: int, seeds: int, items: int) -> str | None:
    if items < FEWEST:
        return f"no interval: {items} cells, at least {FEWEST} are needed"
    if used < seeds and used < FEWEST:
        return f"no interval: {_seeds(used)} left, at least {FEWEST} are needed"
    return None


def _seeds(count: int) -> str:
    return f"{count} seed{'s' * (count != 1)}"


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
