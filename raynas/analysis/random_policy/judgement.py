"""One method against every reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from raynas.analysis import statistics
from raynas.analysis.random_policy.against import (
    Comparison,
    against_draws,
    against_runs,
    impossible,
)
from raynas.analysis.random_policy.budget import EQUAL_BUDGET, Budget, RandomSearch
from raynas.analysis.random_policy.finals import Finals
from raynas.analysis.random_policy.labels import counterpart
from raynas.analysis.random_policy.population import Population
from raynas.analysis.statistics import (
    Description,
    Estimate,
    Statement,
    VarianceComponents,
)

if TYPE_CHECKING:
    from search_spaces.table import Table

RIVALS = "random search of the study"
WITHOUT_SHARING = "the same without weight sharing"
REPEATS = (0, 1, 2)
_CHOSEN = Statement("the cells were chosen by test error, which random search does not see")


@dataclass(frozen=True)
class Judgement:
    """One method in one space.

    Attributes:
        finals: its final cells.
        accuracies: (runs,) mean test accuracy of each, nan for a run without a cell.
        description: mean, deviation, best and worst over seeds.
        mean: the mean with its interval.
        variance: between search seeds, and between the trainings of a cell.
        comparisons: by reference, in order.
        twin: final cells of the same without weight sharing; None if there are none.
    """

    finals: Finals
    accuracies: np.ndarray
    description: Description | Statement
    mean: Estimate | Statement
    variance: VarianceComponents | Statement
    comparisons: dict[str, Comparison]
    twin: Finals | None = None


def judge_method(
    finals: Finals,
    others: Sequence[Finals],
    scores: np.ndarray,
    table: Table,
    populations: Sequence[Population],
    search: RandomSearch,
    margin: float,
) -> Judgement:
    """Compare the final cells of a method with everything that they can be compared with.

    Args:
        finals: of the method.
        others: of all methods in its space.
        scores: (cells,) mean test accuracy of each.
        table: the benchmark.
        populations: what a random policy may draw from.
        search: random search in the space.
        margin: largest difference of accuracies that counts as none.
    """
    values = _accuracies(scores, finals.rows)
    comparisons = [against_draws(values[finals.ended], one, margin) for one in populations]
    twin = counterpart(finals, others)
    comparisons += _other_runs(finals, values, twin, scores, margin)
    budget = _budget(finals, search)
    if isinstance(budget, Statement):
        comparisons.append(impossible(EQUAL_BUDGET, int(finals.ended.sum()), budget))
    else:
        comparisons.append(against_draws(values[finals.ended], budget.laws, margin))
    trainings = [
        [1 - float(table.test_error(row, 108, repeat)) for repeat in REPEATS]
        for row in finals.rows[finals.ended]
    ]
    return Judgement(
        finals,
        values,
        statistics.describe(values),
        statistics.bootstrap(values),
        statistics.variance_components(trainings),
        {one.reference: one for one in comparisons},
        twin,
    )


def _budget(finals: Finals, search: RandomSearch) -> Budget | Statement:
    if finals.oracle:
        return _CHOSEN
    if not finals.ended.any():
        return Statement("no run ended with a cell")
    return search.same_seconds(finals)


def _other_runs(
    finals: Finals,
    values: np.ndarray,
    twin: Finals | None,
    scores: np.ndarray,
    margin: float,
) -> Iterator[Comparison]:
    if finals.rivals is not None:
        yield against_runs(values, _accuracies(scores, finals.rivals), RIVALS, margin)
    if twin is not None:
        yield against_runs(values, _accuracies(scores, twin.rows), WITHOUT_SHARING, margin)


def _accuracies(scores: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Accuracy of each cell, nan for those of row -1."""
    return np.where(rows >= 0, scores[np.maximum(rows, 0)], np.nan)
