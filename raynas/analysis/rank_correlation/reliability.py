"""How much a one-shot accuracy tells of a cell, and how much of its one architecture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from raynas.analysis.rank_correlation.scores import Group
from raynas.analysis.statistics import Statement, kendall_tau, spearman

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reliability:
    """How well two architectures of the same cells agree; None where it cannot be known.

    Attributes:
        labellings: architectures of each cell at most.
        cells: that have at least two.
        tau: Kendall's tau-b between the accuracies of two architectures of each cell, the mean
            over pairs of labellings and seeds.
        one: the same with Spearman's rho: the reliability of the rank of a single architecture.
            The order of one architecture of each cell is expected to have no Spearman correlation
            with anything beyond its root (Spearman 1904).
        mean: of the mean over all labellings, by Spearman (1910) and Brown (1910). Their formula
            is for means of ranks, which orders cells nearly as the mean of accuracies does.
    """

    labellings: int
    cells: int
    tau: float | None
    one: float | None
    mean: float | None

    @classmethod
    def of(cls, group: Group) -> Reliability:
        """That of a group."""
        count = group.labellings.shape[1]
        several = int(np.sum((~np.isnan(group.labellings[0])).sum(axis=0) > 1))
        one = _agreement(group.labellings, spearman)
        mean = None if one is None else spearman_brown(one, count)
        return cls(count, several, _agreement(group.labellings, kendall_tau), one, mean)

    def columns(self) -> dict[str, float | int | None]:
        """As the table of coefficients has them."""
        return {
            "labellings": self.labellings,
            "labelled_twice": self.cells,
            "labelling_tau": self.tau,
            "reliability_of_one": self.one,
            "reliability": self.mean,
        }


def spearman_brown(reliability: float, count: int) -> float | None:
    """Reliability of a mean of so many parallel measurements, each of the given reliability.

    Spearman (1910) and Brown (1910). None below 0, where there is nothing to strengthen.
    """
    if reliability < 0:
        return None
    return count * reliability / (1 + (count - 1) * reliability)


def _agreement(
    labellings: Floats, correlation: Callable[[Floats, Floats], float | Statement]
) -> float | None:
    found = [
        correlation(lines[first], lines[second])
        for lines in labellings
        for first, second in combinations(range(len(lines)), 2)
    ]
    known = [value for value in found if not isinstance(value, Statement)]
    return float(np.mean(known)) if known else None
