"""The content of `random_policy.parquet`: one row per method and reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from raynas.analysis.random_policy.against import DRAWS, Comparison
from raynas.analysis.random_policy.judgement import WITHOUT_SHARING, Judgement
from raynas.analysis.random_policy.space_judgement import SpaceJudgement
from raynas.analysis.statistics import Estimate, Statement
from search_spaces.space import hash_texts
from search_spaces.spaces import load_space

_NUMBERS = (
    "mean_seconds",
    "reference_mean_seconds",
    "mean_accuracy",
    "mean_low",
    "mean_high",
    "deviation",
    "best_accuracy",
    "worst_accuracy",
    "variance_between_seeds",
    "variance_between_trainings",
    "superiority",
    "superiority_low",
    "superiority_high",
    "p_rank",
    "p_rank_holm",
    "difference",
    "difference_low",
    "difference_high",
    "p_mean",
    "p_mean_holm",
    "margin",
    "p_equivalence",
    "p_spread",
    "published_probability",
    "some_draw_as_good",
    "best_of_runs_beats_best_of_draws",
)
_FINAL = pa.struct(
    [
        ("seed", pa.int64()),
        ("module_hash", pa.string()),
        ("accuracy", pa.float64()),
        ("quantile", pa.float64()),
        ("random_draw_as_good", pa.float64()),
    ]
)
RANDOM_POLICY_SCHEMA = pa.schema(
    [
        ("space", pa.string()),
        ("method", pa.string()),
        ("weight_sharing", pa.bool_()),
        ("source", pa.string()),
        ("reference", pa.string()),
        ("runs", pa.int32()),
        ("runs_with_cell", pa.int32()),
        ("reference_runs", pa.int32()),
        ("best_rank_from_worst", pa.int64()),
        *((name, pa.float64()) for name in _NUMBERS),
        *((f"beats_best_of_{draws}", pa.float64()) for draws in DRAWS),
        ("finals", pa.list_(_FINAL)),
        ("statements", pa.list_(pa.string())),
    ]
)


def result_table(spaces: Sequence[SpaceJudgement]) -> pa.Table:
    """One row per method and reference; what has no number is null, and `statements` says why.

    `reference_runs` is null where the reference's law is known exactly. Accuracies are fractions.
    `mean_seconds` are real ones of a search with weight sharing, else simulated ones;
    `reference_mean_seconds` are there for the same without weight sharing only.
    """
    rows = [
        _row(space, method, comparison)
        for space in spaces
        for method in space.methods
        for comparison in method.comparisons.values()
    ]
    return pa.Table.from_pylist(rows, schema=RANDOM_POLICY_SCHEMA)


def _row(space: SpaceJudgement, method: Judgement, comparison: Comparison) -> dict[str, Any]:
    finals = method.finals
    values: dict[str, Any] = {
        "mean_seconds": finals.mean_seconds,
        "mean_accuracy": method.mean,
        "mean": method.mean,
        "superiority": comparison.superiority,
        "difference": comparison.difference,
        "p_rank": comparison.p_rank,
        "p_rank_holm": comparison.p_rank_holm,
        "p_mean": comparison.p_mean,
        "p_mean_holm": comparison.p_mean_holm,
    }
    if comparison.reference == WITHOUT_SHARING and method.twin is not None:
        values["reference_mean_seconds"] = method.twin.mean_seconds
    described = method.description
    if not isinstance(described, Statement):
        values |= {
            "deviation": described.deviation,
            "best_accuracy": described.greatest,
            "worst_accuracy": described.least,
        }
    if isinstance(method.variance, Statement):
        values["variance_between_seeds"] = method.variance
    else:
        values["variance_between_seeds"] = method.variance.between
        values["variance_between_trainings"] = method.variance.within
    if isinstance(comparison.equivalence, Statement):
        values["p_equivalence"] = comparison.equivalence
    else:
        values["p_equivalence"] = comparison.equivalence.p
        values["margin"] = comparison.equivalence.margin
    if comparison.spread is not None:
        spread = comparison.spread
        values["p_spread"] = spread if isinstance(spread, Statement) else spread.p
    if comparison.surpass is not None:
        found = comparison.surpass
        values["published_probability"] = found.published
        values["some_draw_as_good"] = found.some_draw
        values["best_of_runs_beats_best_of_draws"] = found.best_of_n
        values |= {f"beats_best_of_{k}": chance for k, chance in found.beats.items()}
    row, statements = _flat(values)
    return row | {
        "space": space.space,
        "method": finals.method,
        "weight_sharing": finals.weight_sharing,
        "source": finals.source,
        "reference": comparison.reference,
        "runs": len(finals.seeds),
        "runs_with_cell": int(finals.ended.sum()),
        "reference_runs": comparison.others,
        "best_rank_from_worst": _rank(comparison),
        "finals": _finals(space, method, comparison),
        "statements": statements,
    }


def _rank(comparison: Comparison) -> int | None:
    """The place of the best final cell; none where the statement on the probability says why."""
    found = comparison.surpass
    return None if found is None or isinstance(found.rank, Statement) else found.rank


def _flat(values: dict[str, Any]) -> tuple[dict[str, float | None], list[str]]:
    """Plain numbers, and the statements that stand for those that are missing."""
    row: dict[str, float | None] = {}
    statements = []
    for name, value in values.items():
        if isinstance(value, Estimate):
            if name != "mean":
                row[name] = value.value
            if isinstance(value.interval, Statement):
                statements.append(f"{name} interval: {value.interval}")
            elif name != "mean_accuracy":
                row[f"{name}_low"], row[f"{name}_high"] = value.interval
        elif isinstance(value, Statement):
            statements.append(f"{name}: {value}")
        else:
            row[name] = None if np.isnan(value) else float(value)
    return row, list(dict.fromkeys(statements))


def _finals(
    space: SpaceJudgement, method: Judgement, comparison: Comparison
) -> list[dict[str, Any]]:
    finals = method.finals
    names = hash_texts(load_space(space.space).unique_hashes()[np.maximum(finals.rows, 0)])
    law = {one.name: one for one in space.populations}.get(comparison.reference)
    places = np.cumsum(finals.ended) - 1
    rows = []
    for i, (seed, ended) in enumerate(zip(finals.seeds, finals.ended, strict=True)):
        row: dict[str, Any] = {"seed": int(seed)}
        if ended:
            row |= {"module_hash": names[i], "accuracy": float(method.accuracies[i])}
            if len(comparison.quantiles):
                row["quantile"] = float(comparison.quantiles[places[i]])
            if law is not None:
                row["random_draw_as_good"] = 1 - float(law.chances(method.accuracies[i])[0])
        rows.append(row)
    return rows
