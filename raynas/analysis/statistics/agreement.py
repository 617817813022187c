"""How well repeats of the truth agree with each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics.correlation import Correlation, kendall_tau
from raynas.analysis.statistics.statement import Floats, Statement

Choice = Callable[[Floats], npt.NDArray[np.int64]]
"""Takes values of items, gives positions among them."""


@dataclass(frozen=True, slots=True)
class Side:
    """Two sides of a coefficient.

    Attributes:
        scores: (items,).
        truth: (items,).
        inside: positions of the items that count.
    """

    scores: Floats
    truth: Floats
    inside: npt.NDArray[np.int64]

    def of(self, correlation: Correlation) -> float | Statement:
        """A correlation of the items that count."""
        return correlation(self.scores[self.inside], self.truth[self.inside])


def one_against_others(
    repeats: npt.ArrayLike,
    correlation: Correlation = kendall_tau,
    choose: Choice | None = None,
) -> float | Statement:
    """Correlation of one repeat of the truth with the mean of the others, averaged over repeats.

    It says how well a single training of each item would serve as a score. It is not the most
    that a score can reach: a single training has noise of its own, see `oracle_worlds`. It assumes
    that the repeats of an item are exchangeable and those of different items independent; left
    out are items with a nan, as if these were missing at random. For an interval see `TwoWay`.

    Args:
        repeats: (items, repeats), at least two repeats; items with a nan are left out.
        correlation: one of `raynas.analysis.statistics`.
        choose: positions of the items to correlate, given the mean of the others. Items that
            were chosen by the mean of all repeats would be chosen by the noise of both sides,
            which pushes the two sides apart.
    """
    sides = against_others(repeats, choose)
    return (
        sides if isinstance(sides, Statement) else _mean([side.of(correlation) for side in sides])
    )


def against_others(repeats: npt.ArrayLike, choose: Choice | None = None) -> list[Side] | Statement:
    """The two sides of `one_against_others` for each repeat."""
    known = _complete(repeats)
    if isinstance(known, Statement):
        return known
    values = np.asarray(repeats, dtype=np.float64)
    sides = []
    for i in range(values.shape[1]):
        rest = np.delete(values, i, axis=1).mean(axis=1)
        inside = known if choose is None else known[choose(rest[known])]
        sides.append(Side(values[:, i], rest, inside))
    return sides


def repeat_agreement(
    repeats: npt.ArrayLike, correlation: Correlation = kendall_tau
) -> float | Statement:
    """Correlation of one repeat with one other, averaged over all pairs.

    It assumes that the repeats of an item are exchangeable, so that every pair stands for any
    two; with Pearson's correlation it is the reliability of one repeat (Spearman 1904). Items
    with a nan are left out.
    """
    sides = in_pairs(repeats)
    return (
        sides if isinstance(sides, Statement) else _mean([side.of(correlation) for side in sides])
    )


def in_pairs(repeats: npt.ArrayLike) -> list[Side] | Statement:
    """The two sides of `repeat_agreement` for each pair of repeats."""
    known = _complete(repeats)
    if isinstance(known, Statement):
        return known
    values = np.asarray(repeats, dtype=np.float64)
    pairs = combinations(range(values.shape[1]), 2)
    return [Side(values[:, i], values[:, j], known) for i, j in pairs]


def _complete(repeats: npt.ArrayLike) -> npt.NDArray[np.int64] | Statement:
    """Positions of the items with all repeats."""
    values = np.asarray(repeats, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        return Statement("one repeat, so there is nothing to compare it with")
    return np.flatnonzero(~np.isnan(values).any(axis=1))


def _mean(values: list[float | Statement]) -> float | Statement:
    numbers = [value for value in values if not isinstance(value, Statement)]
    if numbers:
        return float(np.mean(numbers))
    return next((value for value in values if isinstance(value, Statement)), Statement("no value"))
