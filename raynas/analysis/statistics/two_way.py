"""How certain a coefficient is that was averaged over search seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics.agreement import Choice, Side, against_others, in_pairs
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
from raynas.analysis.statistics.statement import FEWEST, LEVEL, Estimate, Floats, Statement

RESAMPLES = 500

#: From so many items on, an interval is computed from a part of them.
MOST_ITEMS = 2000
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Measure:
    """A coefficient of two sides between -1 and 1, of one sample and of many.

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
    """`sparse_kendall_tau` with bins of some width, as a `Measure`; it assumes what that does."""
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
    """Intervals over items and seeds, of the same samples for all coefficients of the same items.

    It assumes that items and search seeds are independent draws, of each other too, and that all
    seeds score the same items. From three seeds on the interval is for other items and other
    seeds. The variance of the mean over s seeds is MS / s + C (Obuchowski and Rockette 1995,
    "Hypothesis testing of diagnostic accuracy for multiple readers and multiple tests": seeds are
    the readers, items the cases): MS is the variance between the coefficients of the seeds, C, at
    least 0, the mean covariance of two seeds over bootstrap samples of the items. The reach of the
    first part is Student's with s - 1 degrees of freedom, that of the second normal; they add up
    as the root of their squares (Zou and Donner 2008, "Construction of confidence limits about
    effect measures"), to at least the reach of a bootstrap of the items alone; Fisher's z scale
    keeps the ends between -1 and 1. Of fewer seeds it is a percentile bootstrap of the items, for
    other items with these very seeds; but if there are so few because others gave all items the
    same score, there is none.

    In 500 simulations each (tau 0.4 on average, 95 % intervals, standard error 1 %) the expected
    tau was within it, with 2, 3, 5 and 10 seeds, in 94, 96, 98 and 95 % at 30 items and in 94, 97,
    97 and 95 % at 250 where the seeds are alike; where their taus differ by up to 0.2 either way,
    in 96, 98, 97 and 95 % and in 92, 95, 96 and 95 %. (Percentiles of a bootstrap of both have
    81 % with 3 such seeds and 250 items, and 88 % with 5.)

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
        self._seed, self._level = seed, level

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
            inside: positions of the items of each seed that count; None: all. They are taken as
                given, though another sample of items may have others.
        """
        rows = np.atleast_2d(np.asarray(scores, dtype=np.float64))
        right = np.asarray(truth, dtype=np.float64)
        inside = inside or [np.arange(len(right))] * len(rows)
        sides = [Side(row, right, some) for row, some in zip(rows, inside, strict=True)]
        return self.mean_of(sides, measure)

    def mean_of(
        self, sides: Sequence[Side | Sequence[Side]], measure: Measure = KENDALL
    ) -> SeedMean:
        """The mean of the coefficients of one pair of sides for each seed, or of several.

        Args:
            sides: of each seed, over the same items; of a seed with several, such as those of its
                checkpoints, the mean of their coefficients counts, if all of them have one.
            measure: which coefficient.
        """
        count = len(sides)
        of_seeds = [[some] if isinstance(some, Side) else list(some) for some in sides]
        found = [_mean_value(some, measure) for some in of_seeds]
        usable = {s: value for s, value in enumerate(found) if not isinstance(value, Statement)}
        every = [side for some in of_seeds for side in some]
        lost = left_out(found, whole=all(len(side.inside) == len(side.scores) for side in every))
        if not usable:
            return SeedMean(None, None, 0, count, lost)
        fewest = min(len(side.inside) for s in usable for side in of_seeds[s])
        none = _no_interval(len(usable), count, fewest)
        value, interval = float(np.mean(list(usable.values()))), None
        if none is None:
            drawn = np.stack([self._mean_draws(of_seeds[s], measure) for s in usable], axis=1)
            interval = _around(value, self._interval(np.array(list(usable.values())), drawn))
            none = None if interval else "no interval: too few distinct values"
        if interval and count < FEWEST:
            none = f"{_seeds(count)}: the interval is over cells only"
        statement = "; ".join(part for part in (lost, none) if part) or None
        return SeedMean(value, interval, len(usable), count, statement)

    def one_against_others(
        self, repeats: npt.ArrayLike, measure: Measure = KENDALL, choose: Choice | None = None
    ) -> Estimate | Statement:
        """`one_against_others` of the items, with a percentile bootstrap interval over items.

        It assumes that the repeats of an item have noise of its own; then drawing items anew
        draws their noise too. Chosen items are taken as given in the interval. In 500 simulations
        each the 95 % interval had the expected tau in 95 % at 30 items, 94 % at 250, and 94 % among
        the best 30 of 300.

        Args:
            repeats: (items, repeats), see `one_against_others`.
            measure: which coefficient.
            choose: positions of the items that count, given the mean of the others.
        """
        return self._over_items(against_others(repeats, choose), measure)

    def repeat_agreement(
        self, repeats: npt.ArrayLike, measure: Measure = KENDALL
    ) -> Estimate | Statement:
        """`repeat_agreement` of the items, with an interval as that of `one_against_others`.

        Args:
            repeats: (items, repeats), see `repeat_agreement`.
            measure: which coefficient.
        """
        return self._over_items(in_pairs(repeats), measure)

    def _over_items(self, sides: list[Side] | Statement, measure: Measure) -> Estimate | Statement:
        if isinstance(sides, Statement):
            return sides
        found = [side.of(measure.value) for side in sides]
        usable = {i: value for i, value in enumerate(found) if not isinstance(value, Statement)}
        if not usable:
            return next(value for value in found if isinstance(value, Statement))
        value = float(np.mean(list(usable.values())))
        fewest = min(len(sides[i].inside) for i in usable)
        if fewest < FEWEST:
            return Estimate(value, Statement(f"{fewest} items, at least {FEWEST} are needed"))
        drawn = np.stack([self._draws(sides[i], measure) for i in usable], axis=1)
        interval = _around(value, self._percentiles(drawn))
        return Estimate(value, interval or Statement("too few distinct values for an interval"))

    def _mean_draws(self, sides: Sequence[Side], measure: Measure) -> Floats:
        return np.asarray(np.mean([self._draws(side, measure) for side in sides], axis=0))

    def _draws(self, side: Side, measure: Measure) -> Floats:
        """The coefficient of one seed in each sample.

        Of more than `MOST_ITEMS` items a random part is drawn from, and the deviations from its
        coefficient shrink with the square root of the part, as those of larger samples do.
        """
        inside = part = side.inside
        if len(inside) > MOST_ITEMS:
            rng = np.random.default_rng([self._seed, len(inside)])
            part = np.sort(rng.choice(inside, MOST_ITEMS, replace=False))
        drawn = measure.draws(side.scores[part], side.truth[part], self.weights[:, part])
        if len(part) == len(inside):
            return drawn
        whole, own = side.of(measure.value), Side(side.scores, side.truth, part).of(measure.value)
        if isinstance(whole, Statement) or isinstance(own, Statement):
            return np.full(len(drawn), np.nan)
        return np.asarray(whole + (drawn - own) * np.sqrt(len(part) / len(inside)))

    def _interval(self, values: Floats, drawn: Floats) -> tuple[float, float] | None:
        """Of the mean of the values of seeds, given draws of shape (resamples, seeds)."""
        if len(values) < FEWEST:
            return self._percentiles(drawn)
        from scipy.special import ndtri, stdtrit

        known = ~np.isnan(drawn)
        if known.mean() < 0.5:
            return None
        drawn = drawn[known.any(axis=1)]
        value, upper = values.mean(), (1 + self._level) / 2
        if abs(value) > 1 - _ROUNDING:  # of few items that happens by chance, and z has no end
            return None
        of_seeds = stdtrit(len(values) - 1, upper) ** 2 * values.var(ddof=1) / len(values)
        of_items = ndtri(upper) ** 2 * max(_covariance(drawn), 0.0)
        # Seeds that happen to agree must not make it narrower than that of other items alone.
        of_these = ndtri(upper) ** 2 * np.nanmean(drawn, axis=1).var(ddof=1)
        reach = np.sqrt(max(of_seeds + of_items, of_these)) / (1 - value**2)
        low, high = np.tanh(np.arctanh(value) + np.array([-reach, reach]))
        return float(low), float(high)

    def _percentiles(self, drawn: Floats) -> tuple[float, float] | None:
        """Over the samples of the items, of the mean over columns."""
        known = ~np.isnan(drawn)
        counts = known.sum(axis=1)
        means = np.where(known, drawn, 0).sum(axis=1)[counts > 0] / counts[counts > 0]
        if len(means) < len(drawn) / 2:
            return None
        low, high = np.quantile(means, [(1 - self._level) / 2, (1 + self._level) / 2])
        return (float(low), float(high)) if high - low > _ROUNDING else None


def _mean_value(sides: Sequence[Side], measure: Measure) -> float | Statement:
    """The mean coefficient of one seed, or why the first that has none has none."""
    values: list[float] = []
    for side in sides:
        found = side.of(measure.value)
        if isinstance(found, Statement):
            return found
        values.append(found)
    return float(np.mean(values))


def _around(value: float, interval: tuple[float, float] | None) -> tuple[float, float] | None:
    """The interval with the value in it.

    Means that are added up in another order differ in the last digit, so an end that is the value
    could lie on its wrong side.
    """
    return interval and (min(interval[0], value), max(interval[1], value))


def _covariance(drawn: Floats) -> float:
    """Mean covariance of two columns, each pair over the samples in which both are known."""
    known = ~np.isnan(drawn)
    means = np.where(known, drawn, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, drawn - means, 0)
    both = known.T.astype(np.float64) @ known
    pairs = ~np.eye(drawn.shape[1], dtype=bool) & (both > 1)
    return float(np.mean((centred.T @ centred)[pairs] / (both[pairs] - 1))) if pairs.any() else 0.0


def left_out(found: Sequence[float | Statement], *, whole: bool = True) -> str | None:
    """How many seeds have no value, and why; None if all have one.

    It assumes that the reason of the first is that of all: seeds have the same items and truth.

    Args:
        found: by seed, its value or why there is none.
        whole: whether the values are of all cells, not of some that were chosen.
    """
    reasons = [str(value) for value in found if isinstance(value, Statement)]
    if not reasons:
        return None
    of = f"{len(reasons)} of {_seeds(len(found))}"
    if reasons[0] == "all scores are equal":
        return f"{of} gave {'all' if whole else 'these'} cells the same accuracy"
    return reasons[0] if len(reasons) == len(found) else f"{of} without a value: {reasons[0]}"


def _no_interval(used: int, seeds: int, items: int) -> str | None:
    if items < FEWEST:
        return f"no interval: {items} cells, at least {FEWEST} are needed"
    if used < seeds and used < FEWEST:
        return f"no interval: {_seeds(used)} left, at least {FEWEST} are needed"
    return None


def _seeds(count: int) -> str:
    return f"{count} seed{'s' * (count != 1)}"
