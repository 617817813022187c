"""Coefficients averaged over the last checkpoints of each search.

The tau of one checkpoint is noisy: under the same search neighbouring epochs differ by tenths. An
average over at least three late ones is steadier.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from raynas.analysis.rank_correlation.coefficients import MEASURES, RESAMPLES, main_target
from raynas.analysis.rank_correlation.scores import Group
from raynas.analysis.rank_correlation.truth import Truth
from raynas.analysis.statistics import Side, Statement, TwoWay

LATE_SCHEMA = pa.schema(
    [
        ("method", pa.string()),
        ("space", pa.string()),
        ("rule", pa.string()),
        ("statistics", pa.string()),
        ("epochs", pa.list_(pa.int32())),
        ("seeds", pa.int32()),
        ("seeds_used", pa.int32()),
        ("cells", pa.int32()),
        ("quantity", pa.string()),
        ("budget", pa.int32()),
        ("measure", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("widest", pa.float64()),
        ("statement", pa.string()),
    ]
)
"""One row per method, space, rule, statistics and measure with enough checkpoints.

`value` is the mean over seeds of the mean over `epochs`, with its 95 % interval (see `TwoWay`) and
`statement`; seeds that lack a value at one of them are left out. `widest` is the largest difference
of two of these checkpoints of one of the seeds used.
"""

#: So many of the last checkpoints are averaged; searches with fewer are left out.
LATE = 3


def late_means(groups: Sequence[Group], truths: dict[str, Truth], seed: int = 0) -> pa.Table:
    """The means over the last checkpoints, against the main target, in `LATE_SCHEMA`.

    Args:
        groups: see `groups_of`.
        truths: by space, of the same cells as the groups.
        seed: of the bootstrap.
    """
    draws = {
        space: TwoWay(len(truth.rows), resamples=RESAMPLES, seed=seed)
        for space, truth in truths.items()
    }
    searches: dict[tuple[str, ...], list[Group]] = {}
    for group in groups:
        key = (group.method, group.space, group.rule, group.statistics)
        searches.setdefault(key, []).append(group)
    rows: list[dict[str, Any]] = []
    for found in searches.values():
        last = sorted(found, key=lambda group: group.epoch)[-LATE:]
        if len(last) == LATE:
            space = last[0].space
            rows += _of_search(last, truths[space], draws[space])
    return pa.Table.from_pylist(rows, LATE_SCHEMA)


def _of_search(groups: Sequence[Group], truth: Truth, draws: TwoWay) -> Iterator[dict[str, Any]]:
    target = main_target(truth)
    right = truth.mean(*target)
    seeds = set.union(*(set(group.seeds) for group in groups))
    common = sorted(set.intersection(*(set(group.seeds) for group in groups)))
    lost = len(seeds) - len(common)
    missing = f"{lost} of {len(seeds)} seeds lack one of these checkpoints" if lost else None
    every = np.arange(len(right))
    sides = [
        [Side(group.accuracies[group.seeds.index(seed)], right, every) for group in groups]
        for seed in common
    ]
    first = groups[0]
    for name, measure in MEASURES.items():
        found = draws.mean_of(sides, measure)
        low, high = found.interval or (None, None)
        values = [[side.of(measure.value) for side in some] for some in sides]
        known = [some for some in values if not any(isinstance(v, Statement) for v in some)]
        apart = [float(np.ptp(np.array(some, np.float64))) for some in known]
        yield {
            "method": first.method,
            "space": first.space,
            "rule": first.rule,
            "statistics": first.statistics,
            "epochs": [group.epoch for group in groups],
            "seeds": len(seeds),
            "seeds_used": found.used,
            "cells": len(right),
            "quantity": target[0],
            "budget": target[1],
            "measure": name,
            "value": found.value,
            "low": low,
            "high": high,
            "widest": max(apart, default=None),
            "statement": "; ".join(part for part in (missing, found.statement) if part) or None,
        }
