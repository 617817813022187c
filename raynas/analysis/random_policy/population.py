"""The random policy: draw one cell, train it. The benchmark knows the law of what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from raynas.analysis.random_search import multiplicities
from raynas.analysis.reference import LARGEST_LISTED
from raynas.analysis.statistics import Statement

if TYPE_CHECKING:
    from search_spaces.table import Table

Floats = npt.NDArray[np.float64]
UNIQUE, RAW = "unique cells", "raw architectures"
MEASURE = "mean test accuracy of the three trainings at 108 epochs"
# Accuracies are whole numbers of images over a fixed number; sums of shares differ by rounding.
_DIGITS = 12


@dataclass(frozen=True)
class Population:
    """Accuracies that a draw may have, and how likely each is.

    Attributes:
        name: what is drawn from.
        values: (v,) distinct accuracies, ascending.
        below: (v,) probability of a draw with a lower accuracy.
        at_most: (v,) probability of a draw with at most this accuracy.
        cells: number of cells that can be drawn.
        uniform: whether each of them is as likely as any other.
    """

    name: str
    values: Floats
    below: Floats
    at_most: Floats
    cells: int
    uniform: bool = False

    def chances(self, accuracies: npt.ArrayLike) -> tuple[Floats, Floats]:
        """P(draw < accuracy) and P(draw <= accuracy), each shaped like `accuracies`.

        An accuracy need not be one of the population's.
        """
        wanted = np.round(np.asarray(accuracies, dtype=np.float64), _DIGITS)
        ends = np.append(self.below, 1.0)
        lower = ends[np.searchsorted(self.values, wanted, side="left")]
        upper = ends[np.searchsorted(self.values, wanted, side="right")]
        return lower, upper

    def middle(self, accuracies: npt.ArrayLike) -> Floats:
        """P(draw < accuracy) + P(draw = accuracy) / 2: uniform on average, whatever the ties."""
        lower, upper = self.chances(accuracies)
        return (lower + upper) / 2

    @cached_property
    def mean(self) -> float:
        """Expected accuracy of a draw."""
        return float(self._mass @ self.values)

    @cached_property
    def deviation(self) -> float:
        """Standard deviation of a draw's accuracy."""
        return float(np.sqrt(self._mass @ (self.values - self.mean) ** 2))

    def quantile(self, level: float) -> float:
        """Least accuracy that a draw is at most with a probability of at least `level`."""
        place = np.searchsorted(self.at_most, level - 1e-12)
        return float(self.values[min(int(place), len(self.values) - 1)])

    def best_of(self, draws: int) -> tuple[float, float]:
        """Mean and standard deviation of the best accuracy of some draws."""
        mass = self.at_most**draws - self.below**draws
        mean = float(mass @ self.values)
        return mean, float(np.sqrt(mass @ (self.values - mean) ** 2))

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Floats:
        """Accuracies of random draws."""
        places = np.searchsorted(self.at_most, rng.random(size), side="right")
        return np.asarray(self.values[np.minimum(places, len(self.values) - 1)])

    def gaps(self, rng: np.random.Generator, count: int) -> Floats:
        """Accuracies of random draws less their expectation."""
        return self.draw(rng, (count,)) - self.mean

    @cached_property
    def _mass(self) -> Floats:
        return self.at_most - self.below


def population(name: str, accuracies: npt.ArrayLike, weights: npt.ArrayLike) -> Population:
    """The law of a draw.

    Args:
        name: what is drawn from.
        accuracies: (cells,).
        weights: (cells,) proportional to the probabilities; cells of weight 0 are not drawn.
    """
    given = np.asarray(weights, dtype=np.float64)
    scores = np.round(np.asarray(accuracies, dtype=np.float64), _DIGITS)
    values, place = np.unique(scores[given > 0].astype(np.float64), return_inverse=True)
    reached = np.cumsum(np.bincount(place, weights=given[given > 0]))
    at_most = reached / reached[-1]
    return Population(
        name,
        np.asarray(values, np.float64),
        np.append(0.0, at_most[:-1]),
        at_most,
        int((given > 0).sum()),
        bool(np.ptp(given[given > 0]) == 0),
    )


def accuracy(table: Table) -> Floats:
    """`MEASURE` of each unique cell of a table's space: (num_unique,)."""
    return 1 - table.test_error(np.arange(table.space.num_unique))


def raw_weights(table: Table) -> npt.NDArray[np.int64] | Statement:
    """Number of raw architectures of each unique cell, if the space is small enough to list."""
    count = table.space.num_architectures
    if count > LARGEST_LISTED:
        return Statement(
            f"the {count:,} raw architectures of space {table.space.name} are too many"
        )
    return multiplicities(table.space)
