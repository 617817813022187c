"""Coefficients of agreement between one-shot accuracies and those of training alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from raynas.analysis.rank_correlation.labellings import Labellings
from raynas.analysis.rank_correlation.scale import (
    ALL,
    BEST_SCORED,
    BEST_TRUE,
    SHARE,
    Scale,
    Scales,
    Target,
    selection,
)
from raynas.analysis.rank_correlation.scores import Accuracies, Group, OnImages
from raynas.analysis.rank_correlation.truth import Positions, Truth
from raynas.analysis.statistics import (
    FEWEST,
    KENDALL,
    PEARSON,
    SPEARMAN,
    Measure,
    SeedMean,
    Statement,
    TwoWay,
    bootstrap,
    correlation_test,
    left_out,
    sparse_kendall,
)

COEFFICIENTS_SCHEMA = pa.schema(
    [
        ("method", pa.string()),
        ("space", pa.string()),
        ("epoch", pa.int32()),
        ("rule", pa.string()),
        ("statistics", pa.string()),
        ("seeds", pa.int32()),
        ("seeds_used", pa.int32()),
        ("subset", pa.string()),
        ("cells", pa.int32()),
        ("quantity", pa.string()),
        ("budget", pa.int32()),
        ("measure", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("ceiling", pa.float64()),
        ("one_against_others", pa.float64()),
        ("one_against_others_low", pa.float64()),
        ("one_against_others_high", pa.float64()),
        ("chance", pa.float64()),
        ("chance_deviation", pa.float64()),
        ("parameters", pa.float64()),
        ("p", pa.float64()),
        ("statement", pa.string()),
        ("mean_accuracy", pa.float64()),
        ("accuracy_deviation", pa.float64()),
        ("fewest_distinct", pa.int32()),
        ("most_distinct", pa.int32()),
        ("chance_accuracy", pa.float64()),
        ("images", pa.int32()),
        ("guessing_bar", pa.float64()),
        ("by_chance", pa.bool_()),
        ("labellings", pa.int32()),
        ("cells_with_several", pa.int32()),
        ("labelling_tau", pa.float64()),
        ("labelling_low", pa.float64()),
        ("labelling_high", pa.float64()),
        ("labelling_statement", pa.string()),
    ]
)
"""One row per group of scores, subset of cells, target and measure.

`value` is the mean over the `seeds_used` seeds that have a value, with its 95 % interval over
cells and, from three seeds on, seeds (see `TwoWay`); of overlap and regret over seeds alone.
`statement` says which seeds are left out, and why there is no value or no interval. Regrets are
accuracies.
`ceiling`, `one_against_others` with its interval, `chance`, `chance_deviation` and `parameters`:
see `Scale`.
`p` is of a permutation test, for Kendall's tau of all cells against the main target. The columns
from `mean_accuracy` on are of the group: see `Accuracies` and `Labellings`.
"""

#: What is looked at first: mean test accuracy after 108 epochs.
MAIN = ("test", 108)

#: Width of the bins of the sparse tau, as in the calls of its released code.
SPARSE_WIDTH = 1e-3
RESAMPLES = 200
ORDERS, ORDERS_OF_MANY, MANY = 199, 99, 5000
TOP = (1, 10, 100)

MEASURES: dict[str, Measure] = {
    "kendall": KENDALL,
    "spearman": SPEARMAN,
    "pearson": PEARSON,
    "sparse_kendall": sparse_kendall(SPARSE_WIDTH),
}

Row = dict[str, Any]


@dataclass(frozen=True)
class _Judged:
    """A group with what its coefficients are computed from."""

    group: Group
    truth: Truth
    scales: Scales
    draws: TwoWay
    of_group: dict[str, Any]
    seed: int


def coefficients(
    groups: Sequence[Group], truths: dict[str, Truth], images: OnImages, seed: int = 0
) -> pa.Table:
    """All coefficients of all groups, in `COEFFICIENTS_SCHEMA`.

    Args:
        groups: see `groups_of`.
        truths: by space, of the same cells as the groups.
        images: those that were classified.
        seed: of the bootstrap.
    """
    draws = {
        space: TwoWay(len(truth.rows), resamples=RESAMPLES, seed=seed)
        for space, truth in truths.items()
    }
    scales = {space: Scales(truth, draws[space]) for space, truth in truths.items()}
    rows: list[Row] = []
    for group in groups:
        space = group.space
        agreement = Labellings.of(group, draws[space])
        own = Accuracies.of(group, images).columns() | agreement.columns()
        judged = _Judged(group, truths[space], scales[space], draws[space], own, seed)
        rows += _of_group(judged)
    return pa.Table.from_pylist(rows, COEFFICIENTS_SCHEMA)


def main_target(truth: Truth) -> Target:
    """`MAIN`, or what the benchmark has instead."""
    return MAIN if MAIN in truth.targets else truth.targets[-1]


def _of_group(judged: _Judged) -> Iterator[Row]:
    truth, scores = judged.truth, judged.group.accuracies
    main = main_target(truth)
    seeds, cells = scores.shape
    best_scored = [truth.best(line, SHARE) for line in scores]
    by_size = {
        f"{count} vertices": [np.flatnonzero(truth.vertices == count)] * seeds
        for count in np.unique(truth.vertices)
    }
    for target in truth.targets:
        subsets = {
            ALL: [np.arange(cells)] * seeds,
            BEST_TRUE: [truth.best(truth.mean(*target), SHARE)] * seeds,
            BEST_SCORED: best_scored,
        }
        if target[1] == main[1]:
            subsets |= by_size
        for subset, inside in subsets.items():
            for name in MEASURES:
                yield _correlation(judged, target, subset, inside, name)
        for k in TOP:
            for kind in ("overlap", "regret"):
                yield _top(judged, target, kind, k)


def _correlation(
    judged: _Judged, target: Target, subset: str, inside: list[Positions], name: str
) -> Row:
    right, measure = judged.truth.mean(*target), MEASURES[name]
    found = judged.draws.mean(judged.group.accuracies, right, measure, inside)
    scale = judged.scales.correlation(target, subset, inside[0], name, measure)
    row = _entry(judged, subset, len(inside[0]), target, name, found, scale)
    if (name, subset, target) == ("kendall", ALL, main_target(judged.truth)):
        row["p"] = _p(judged, right)
    return row


def _p(judged: _Judged, right: np.ndarray) -> float | None:
    orders = ORDERS if len(right) <= MANY else ORDERS_OF_MANY
    scores = judged.group.accuracies
    found = correlation_test(scores, right, resamples=orders, seed=judged.seed)
    return None if isinstance(found, Statement) else found.p


def _top(judged: _Judged, target: Target, kind: str, k: int) -> Row:
    """Extremes of a sample cannot be drawn anew, so the interval is over seeds alone."""
    scores, right = judged.group.accuracies, judged.truth.mean(*target)
    found = [selection(kind, k)(line, right) for line in scores]
    scale = judged.scales.selection(target, kind, k)
    values = [value for value in found if not isinstance(value, Statement)]
    value, interval, statement = None, None, left_out(found)
    if values:
        constant = sum(np.ptp(line) == 0 for line in scores)
        if constant:
            statement = f"{constant} of {len(scores)} seeds gave all cells the same accuracy"
            statement += ", so they choose at random"
        value = float(np.mean(values))
        reason = f"no interval: it would be over seeds, and {len(values)} are fewer than {FEWEST}"
        if len(values) >= FEWEST:
            estimate = bootstrap(values, seed=judged.seed)
            assert not isinstance(estimate, Statement)
            if isinstance(estimate.interval, tuple):
                interval, reason = estimate.interval, ""
            else:
                reason = f"no interval: {estimate.interval}".removesuffix(", no interval")
        statement = "; ".join(part for part in (statement, reason) if part) or None
    mean = SeedMean(value, interval, len(values), len(found), statement)
    return _entry(judged, ALL, len(right), target, f"top_{k}_{kind}", mean, scale)


def _entry(
    judged: _Judged,
    subset: str,
    cells: int,
    target: Target,
    measure: str,
    found: SeedMean,
    scale: Scale,
) -> Row:
    group = judged.group
    low, high = found.interval or (None, None)
    one_low, one_high = scale.one_interval or (None, None)
    return {
        "method": group.method,
        "space": group.space,
        "epoch": group.epoch,
        "rule": group.rule,
        "statistics": group.statistics,
        "seeds": found.seeds,
        "seeds_used": found.used,
        "subset": subset,
        "cells": cells,
        "quantity": target[0],
        "budget": target[1],
        "measure": measure,
        "value": found.value,
        "low": low,
        "high": high,
        "ceiling": scale.ceiling,
        "one_against_others": scale.one_against_others,
        "one_against_others_low": one_low,
        "one_against_others_high": one_high,
        "chance": scale.chance,
        "chance_deviation": scale.chance_deviation,
        "parameters": scale.parameters,
        "p": None,
        "statement": found.statement,
        **judged.of_group,
    }
