"""Random search with the same seconds: the exact law of what it ends with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from raynas.analysis.random_policy.finals import Finals
from raynas.analysis.random_policy.population import Population, population
from raynas.analysis.random_search import draw, incumbent_law
from raynas.analysis.statistics import Statement

if TYPE_CHECKING:
    from search_spaces.table import Table

EQUAL_BUDGET = "random search, same seconds"
# By then random search has seen the lowest error of any space, and whole numbers do not overflow.
_MOST = 10**12


@dataclass(frozen=True)
class Budget:
    """What random search does with the seconds of some runs.

    Attributes:
        evaluations: (n,) trainings that it finishes, for each run.
        laws: (n,) the law of the test accuracy of its incumbent, for each run.
    """

    evaluations: tuple[int, ...]
    laws: tuple[Population, ...]


class RandomSearch:
    """Random search on a benchmark, any number of evaluations.

    An evaluation trains one drawn architecture for 108 epochs and sees the validation error of one
    of its three trainings; the incumbent is the best by that. It finishes as many evaluations as
    mean training times fit into the seconds.
    """

    def __init__(self, table: Table, weights: np.ndarray) -> None:
        """Prepare the law of one evaluation.

        Args:
            table: the benchmark.
            weights: (num_unique,) proportional to the probabilities of the unique cells.
        """
        self._best = 1 - table.best_test_error
        self._draw = draw(table, weights, "random")
        self.law = cache(self._law)

    @property
    def seconds(self) -> float:
        """Mean seconds of one training."""
        return self._draw.seconds

    def same_seconds(self, finals: Finals) -> Budget | Statement:
        """Random search with the seconds of each run that ended with a cell."""
        seconds = finals.seconds[finals.ended]
        if np.isnan(seconds).any():
            return Statement("the seconds of the runs are not known")
        counts = np.floor(np.minimum(seconds * finals.workers / self.seconds, _MOST)).astype(int)
        if counts.min() < 1:
            return Statement(
                f"a run took fewer {finals.clock} seconds than one training "
                f"({self.seconds:,.0f} s in the benchmark)"
            )
        return Budget(tuple(counts.tolist()), tuple(self.law(int(n)) for n in counts))

    def _law(self, evaluations: int) -> Population:
        one = self._draw
        group, law = incumbent_law(one.seen, one.probability, [evaluations])
        mass = np.bincount(group, weights=one.probability)
        share = np.divide(
            one.probability, mass[group], out=np.zeros(len(group)), where=mass[group] > 0
        )
        chance = np.maximum(law[0][group], 0.0) * share
        return population(EQUAL_BUDGET, self._best - one.test_regret, chance)
