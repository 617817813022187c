"""What coefficients are to be read against.

Ceilings, one training against others, counting parameters, and chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from raynas.analysis.rank_correlation.truth import Floats, Positions, Truth
from raynas.analysis.statistics import (
    Measure,
    Statement,
    TwoWay,
    kendall_null_deviation,
    top_k_overlap,
    top_k_regret,
)

ALL = "all"
BEST_TRUE = "best 10 % by truth"
BEST_SCORED = "best 10 % by one-shot accuracy"
SHARE = 0.1

Target = tuple[str, int]
_SELECTIONS = {"overlap": top_k_overlap, "regret": top_k_regret}


def selection(kind: str, k: int) -> Callable[[Floats, Floats], float | Statement]:
    """The overlap or regret of the k best."""
    return partial(_SELECTIONS[kind], k=k)


@dataclass(frozen=True, slots=True)
class Scale:
    """What a coefficient is to be read against; None where there is no such value.

    Attributes:
        ceiling: what a score that knows each cell's expectation reaches on average.
        one_against_others: one training of the cells against the mean of their others.
        chance: expectation of scores in random order.
        chance_deviation: their standard deviation; of Kendall's tau alone.
        one_interval: of `one_against_others`, over cells.
        parameters: what the number of parameters of each cell's network reaches as a score.
    """

    ceiling: float | None
    one_against_others: float | None
    chance: float | None
    chance_deviation: float | None = None
    one_interval: tuple[float, float] | None = None
    parameters: float | None = None


class Scales:
    """The scales of a truth, each computed once.

    Args:
        truth: of the cells.
        draws: samples of the cells, for intervals.
    """

    def __init__(self, truth: Truth, draws: TwoWay) -> None:
        self._truth, self._draws = truth, draws
        self._found: dict[tuple[Target, str, str], Scale] = {}

    def correlation(
        self, target: Target, subset: str, inside: Positions, name: str, measure: Measure
    ) -> Scale:
        """That of a correlation.

        Args:
            target: quantity and epochs.
            subset: `ALL`, `BEST_TRUE`, `BEST_SCORED`, or the name of `inside`.
            inside: the cells of any other subset.
            name: of the correlation.
            measure: the correlation.
        """
        key = (target, subset, name)
        if key not in self._found:
            self._found[key] = self._correlation(target, subset, inside, name, measure)
        return self._found[key]

    def selection(self, target: Target, kind: str, k: int) -> Scale:
        """That of the overlap or regret of the k best."""
        key = (target, kind, str(k))
        if key not in self._found:
            value, right = selection(kind, k), self._truth.mean(*target)
            # Where all scores are equal, the choice is at random.
            chance = value(np.zeros(len(right)), right)
            self._found[key] = Scale(
                self._truth.ceiling(*target, value),
                None,
                _number(chance),
                parameters=_number(value(self._truth.parameters, right)),
            )
        return self._found[key]

    def _correlation(
        self, target: Target, subset: str, inside: Positions, name: str, measure: Measure
    ) -> Scale:
        truth = self._truth

        def of_score(expected: Floats, mean: Floats) -> float | Statement:
            if subset == BEST_TRUE:
                some = truth.best(mean, SHARE)
            elif subset == BEST_SCORED:
                some = truth.best(expected, SHARE)
            else:
                some = inside
            return measure.value(expected[some], mean[some])

        one = None
        if subset == BEST_TRUE:
            one = truth.one_against_others(*target, measure, self._draws, share=SHARE)
        elif subset != BEST_SCORED:
            one = truth.one_against_others(*target, measure, self._draws, inside)
        deviation = None
        if name == "kendall" and len(inside) > 1:
            deviation = kendall_null_deviation(len(inside))
        ceiling = truth.ceiling(*target, of_score)
        counted = _number(of_score(truth.parameters, truth.mean(*target)))
        if one is None:
            return Scale(ceiling, None, 0.0, deviation, None, counted)
        ends = None if isinstance(one.interval, Statement) else one.interval
        return Scale(ceiling, one.value, 0.0, deviation, ends, counted)


def _number(value: float | Statement) -> float | None:
    return None if isinstance(value, Statement) else value
