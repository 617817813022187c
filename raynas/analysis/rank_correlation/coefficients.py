"""Coefficients of agreement between one-shot accuracies and those of training alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from raynas.analysis.rank_correlation.scores import Group
from raynas.analysis.rank_correlation.truth import Truth
from raynas.analysis.statistics import (
    Estimate,
    Statement,
    kendall_tau,
    mean_correlation,
    pearson,
    sparse_kendall_tau,
    spearman,
    top_k_overlap,
    top_k_regret,
    two_way_bootstrap,
)
from raynas.analysis.statistics.correlation import Correlation

COEFFICIENTS_SCHEMA = pa.schema(
    [
        ("method", pa.string()),
        ("space", pa.string()),
        ("epoch", pa.int32()),
        ("rule", pa.string()),
        ("statistics", pa.string()),
        ("seeds", pa.int32()),
        ("subset", pa.string()),
        ("cells", pa.int32()),
        ("quantity", pa.string()),
        ("budget", pa.int32()),
        ("measure", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("ceiling", pa.float64()),
        ("statement", pa.string()),
    ]
)
"""One row per group of scores, subset of cells, target and measure.

`value` is the mean over seeds with its 95 % bootstrap interval over cells and, from three seeds
on, seeds; `statement` says why there is no value or no interval. Regrets are accuracies.
"""

ALL = "all"
BEST_TRUE = "best 10 % by truth"
BEST_SCORED = "best 10 % by one-shot accuracy"

#: What is looked at first: mean test accuracy after 108 epochs.
MAIN = ("test", 108)

#: Width of the bins of the sparse tau, as in the calls of its released code.
SPARSE_WIDTH = 1e-3
RESAMPLES = 200
TOP = (1, 10, 100)

_SHARE = 0.1
_MEASURES: dict[str, Correlation] = {
    "kendall": kendall_tau,
    "spearman": spearman,
    "pearson": pearson,
    "sparse_kendall": partial(sparse_kendall_tau, width=SPARSE_WIDTH),
}
_WITH_INTERVAL = ("kendall", "spearman")

Positions = npt.NDArray[np.int64]
Row = dict[str, Any]


def coefficients(groups: Sequence[Group], truths: dict[str, Truth], seed: int = 0) -> pa.Table:
    """All coefficients of all groups, in `COEFFICIENTS_SCHEMA`.

    Args:
        groups: see `groups_of`.
        truths: by space, of the same cells as the groups.
        seed: of the bootstrap.
    """
    rows = [row for group in groups for row in _of_group(group, truths[group.space], seed)]
    return pa.Table.from_pylist(rows, COEFFICIENTS_SCHEMA)


def main_target(truth: Truth) -> tuple[str, int]:
    """`MAIN`, or what the benchmark has instead."""
    return MAIN if MAIN in truth.targets else truth.targets[-1]


def _of_group(group: Group, truth: Truth, seed: int) -> Iterator[Row]:
    main = main_target(truth)
    every = np.arange(len(group.rows))
    for target in truth.targets:
        best = truth.best(truth.mean(*target), _SHARE)
        for subset, inside in ((ALL, every), (BEST_TRUE, best)):
            for measure in _MEASURES:
                wanted = measure == "kendall" and subset == ALL and target[0] == main[0]
                wanted = wanted or (measure in _WITH_INTERVAL and target == main)
                yield _row(group, truth, target, (subset, inside), measure, seed, wanted)
        for measure in _MEASURES:
            yield _among_best_scored(group, truth, target, measure)
        for k in TOP:
            yield from _top(group, truth, target, k)
    for count in np.unique(truth.vertices):
        inside = np.flatnonzero(truth.vertices == count)
        sized = (f"{count} vertices", inside)
        yield _row(group, truth, main, sized, "kendall", seed, True)


def _row(
    group: Group,
    truth: Truth,
    target: tuple[str, int],
    subset: tuple[str, Positions],
    measure: str,
    seed: int,
    interval: bool,
) -> Row:
    name, inside = subset
    scores, right = group.accuracies[:, inside], truth.mean(*target)[inside]
    correlation = _MEASURES[measure]
    if interval:
        value: Estimate | float | Statement = two_way_bootstrap(
            scores, right, correlation, resamples=RESAMPLES, seed=seed
        )
    else:
        value = mean_correlation(scores, right, correlation)
    ceiling = None
    if measure != "sparse_kendall":
        ceiling = truth.ceiling(*target, correlation, f"{name} of {target}", inside)
    return _entry(group, name, len(inside), target, measure, value, ceiling)


def _among_best_scored(group: Group, truth: Truth, target: tuple[str, int], measure: str) -> Row:
    """Every seed has its own best cells."""
    right = truth.mean(*target)
    found = []
    for scores in group.accuracies:
        inside = truth.best(scores, _SHARE)
        found.append(_MEASURES[measure](scores[inside], right[inside]))
    count = len(truth.best(group.accuracies[0], _SHARE))
    return _entry(group, BEST_SCORED, count, target, measure, _mean(found), None)


def _top(group: Group, truth: Truth, target: tuple[str, int], k: int) -> Iterator[Row]:
    right = truth.mean(*target)
    choices: tuple[tuple[str, Callable[..., float | Statement]], ...] = (
        ("overlap", top_k_overlap),
        ("regret", top_k_regret),
    )
    for name, function in choices:
        found = _mean([function(scores, right, k) for scores in group.accuracies])
        yield _entry(group, ALL, len(right), target, f"top_{k}_{name}", found, None)


def _mean(values: Sequence[float | Statement]) -> float | Statement:
    numbers = [value for value in values if not isinstance(value, Statement)]
    return float(np.mean(numbers)) if numbers else values[0]


def _entry(
    group: Group,
    subset: str,
    cells: int,
    target: tuple[str, int],
    measure: str,
    found: Estimate | float | Statement,
    ceiling: float | Statement | None,
) -> Row:
    value, low, high, statement = None, None, None, None
    if isinstance(found, Statement):
        statement = str(found)
    elif isinstance(found, Estimate):
        value = found.value
        if isinstance(found.interval, Statement):
            statement = f"no interval: {found.interval}"
        else:
            low, high = found.interval
    else:
        value = found
    return {
        "method": group.method,
        "space": group.space,
        "epoch": group.epoch,
        "rule": group.rule,
        "statistics": group.statistics,
        "seeds": len(group.seeds),
        "subset": subset,
        "cells": cells,
        "quantity": target[0],
        "budget": target[1],
        "measure": measure,
        "value": value,
        "low": low,
        "high": high,
        "ceiling": ceiling if isinstance(ceiling, float) else None,
        "statement": statement,
    }
