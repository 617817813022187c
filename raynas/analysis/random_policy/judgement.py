"""Every method against every reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from raynas.analysis import statistics
from raynas.analysis.random_policy.against import (
    MARGIN,
    Comparison,
    against_draws,
    against_runs,
    impossible,
)
from raynas.analysis.random_policy.budget import EQUAL_BUDGET, Budget, RandomSearch
from raynas.analysis.random_policy.finals import Finals, counterpart
from raynas.analysis.random_policy.population import (
    RAW,
    UNIQUE,
    Population,
    accuracy,
    population,
    raw_weights,
)
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


@dataclass(frozen=True)
class SpaceJudgement:
    """One space.

    Attributes:
        space: its name.
        populations: what a random policy may draw from.
        notes: what could not be done, and why.
        methods: in the order given.
    """

    space: str
    populations: tuple[Population, ...]
    notes: tuple[str, ...]
    methods: tuple[Judgement, ...]


def judge(
    finals: Sequence[Finals],
    tables: Mapping[str, Table],
    *,
    among: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    margin: float = MARGIN,
    notes: Mapping[str, Sequence[str]] | None = None,
) -> list[SpaceJudgement]:
    """Compare the final cells of methods with the random policy and more.

    Args:
        finals: of all methods, labels distinct within a space.
        tables: by space.
        among: space -> name -> rows of further sets to draw from, for instance the cells that a
            policy can express.
        margin: largest difference of accuracies that counts as none.
        notes: space -> what is to be said of what was read.

    Raises:
        MissingFigureError: a benchmark lacks test accuracies or seconds at 108 epochs.
    """
    spaces = dict.fromkeys(one.space for one in finals)
    return [
        _judge_space(
            [one for one in finals if one.space == space],
            tables[space],
            (among or {}).get(space, {}),
            margin,
            (notes or {}).get(space, ()),
        )
        for space in spaces
    ]


def _judge_space(
    finals: Sequence[Finals],
    table: Table,
    among: Mapping[str, np.ndarray],
    margin: float,
    read: Sequence[str],
) -> SpaceJudgement:
    scores = accuracy(table)
    weights = raw_weights(table)
    uniform = np.ones(len(scores))
    populations = [population(UNIQUE, scores, uniform)]
    notes = list(read)
    if isinstance(weights, Statement):
        notes.append(f"No comparison with a draw from {RAW}: {weights}.")
    else:
        populations.append(population(RAW, scores, weights))
    for name, rows in among.items():
        populations.append(population(name, scores, np.bincount(rows, minlength=len(scores)) > 0))
    notes += _oracle_notes(finals)
    search = RandomSearch(table, uniform if isinstance(weights, Statement) else weights)
    found = [
        _judge_method(one, finals, scores, table, populations, search, margin) for one in finals
    ]
    return SpaceJudgement(finals[0].space, tuple(populations), tuple(notes), _with_holm(found))


def _oracle_notes(finals: Sequence[Finals]) -> list[str]:
    chosen: dict[str, list[str]] = {}
    for one in finals:
        if one.oracle:
            chosen.setdefault(one.source, []).append(one.method)
    return [
        f"The final cells of {', '.join(methods)} were chosen by their test errors, which no "
        f"search knows ({source} was run with --incumbent oracle): they are better than what the "
        "methods find, and no method with weight sharing is held against them."
        for source, methods in chosen.items()
    ]


def _judge_method(
    finals: Finals,
    others: Sequence[Finals],
    scores: np.ndarray,
    table: Table,
    populations: Sequence[Population],
    search: RandomSearch,
    margin: float,
) -> Judgement:
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


def _with_holm(methods: Sequence[Judgement]) -> tuple[Judgement, ...]:
    """Adjust the p-values of each reference for the number of methods tested against it."""
    changed: list[dict[str, Comparison]] = [dict(method.comparisons) for method in methods]
    for reference in dict.fromkeys(name for method in methods for name in method.comparisons):
        members = [found for found in changed if reference in found]
        ranks = statistics.holm([_number(found[reference].p_rank) for found in members])
        means = statistics.holm([_number(found[reference].p_mean) for found in members])
        for found, rank, mean in zip(members, ranks, means, strict=True):
            found[reference] = replace(
                found[reference], p_rank_holm=float(rank), p_mean_holm=float(mean)
            )
    return tuple(
        replace(method, comparisons=found) for method, found in zip(methods, changed, strict=True)
    )


def _number(value: float | Statement) -> float:
    return float("nan") if isinstance(value, Statement) else value
