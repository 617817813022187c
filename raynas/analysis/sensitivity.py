"""What settings do to one-shot searches: each against the default of the same method and space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from raynas.analysis.searches import Floats, SearchRun
from raynas.analysis.statistics import (
    FEWEST,
    Estimate,
    Statement,
    bootstrap,
    difference,
    equivalence,
    holm,
    permutation_test,
)

MARGIN = 0.002
"""Largest difference of mean test regrets that counts as none: 0.2 percentage points, about the
standard deviation of a mean of three trainings of one cell in NAS-Bench-101."""
_TRIPLE = ("", "_low", "_high")
SENSITIVITY_SCHEMA = pa.schema(
    [
        ("study", pa.string()),
        ("method", pa.string()),
        ("space", pa.string()),
        ("setting", pa.string()),
        ("published", pa.string()),
        ("default", pa.bool_()),
        ("epochs", pa.int32()),
        ("runs", pa.int32()),
        ("failed", pa.int32()),
        *((f"test_regret{end}", pa.float64()) for end in _TRIPLE),
        ("validation_regret", pa.float64()),
        ("best_test_regret", pa.float64()),
        *((f"one_shot_error{end}", pa.float64()) for end in _TRIPLE),
        *((f"difference{end}", pa.float64()) for end in _TRIPLE),
        ("difference_statement", pa.string()),
        ("p", pa.float64()),
        ("p_holm", pa.float64()),
        ("p_similar", pa.float64()),
        ("p_not_lower", pa.float64()),
        ("statement", pa.string()),
    ]
)
"""One row per method, space and setting; see `sensitivity`."""


@dataclass(frozen=True, slots=True)
class Studied:
    """A method with one of the settings of a study.

    Attributes:
        label: what the searches are called in the study's tables.
        method: the method.
        setting: the setting, as it was run.
        published: the same as published; it differs where epochs are scaled.
        default: whether the others are held against it.
        epochs: length of its searches.
    """

    label: str
    method: str
    setting: str
    published: str
    default: bool
    epochs: int


@dataclass(frozen=True, slots=True)
class _Finals:
    """Figures of the searches of one setting that came to their end, one per search."""

    test: Floats
    validation: Floats
    best: Floats
    one_shot: Floats


def sensitivity(
    study: str,
    studied: Sequence[Studied],
    spaces: Sequence[str],
    seeds: Sequence[int],
    runs: Sequence[SearchRun],
    *,
    seed: int = 0,
) -> pa.Table:
    """The settings of a study in figures, all of the last epoch but for `best_test_regret`.

    Searches that did not reach their last epoch count as failed and are in no figure. Regrets are
    of the mean over the benchmark's training repeats, as fractions. `best_test_regret` is the mean
    of the lowest along each search, which no search can know. `difference` is the mean test regret
    less that of the default, with a BCa interval of independent samples, `p` that of a permutation
    test of the same, and `p_holm` adjusts it for the settings of one method on one space.
    (Searches with the same seed begin with the same weights and see the same batches; that is not
    used, as it would cost power: of six pairs no p-value is below 0.03.) `p_similar` is of two
    one-sided Welch tests that the difference is less than `MARGIN`, `p_not_lower` of the one that
    it is above minus `MARGIN`; neither is adjusted. Figures that nothing is
    known about are null; `statement` says why of the setting's own figures, `difference_statement`
    of the difference.

    Args:
        study: its name.
        studied: every method with every setting.
        spaces: names of spaces.
        seeds: of the searches.
        runs: the searches that left something.
        seed: of the bootstrap.

    Returns:
        A table of `SENSITIVITY_SCHEMA`, by space, then in the order of `studied`.
    """
    rows: list[dict[str, Any]] = []
    for space in spaces:
        for method in dict.fromkeys(one.method for one in studied):
            mine = [one for one in studied if one.method == method]
            finals = {one.label: _finals(one, space, runs) for one in mine}
            rows += [
                {"study": study, "space": space, **_described(one, finals[one.label], seeds, seed)}
                for one in mine
            ]
            _compare(rows[-len(mine) :], mine, finals, seed)
    return pa.Table.from_pylist(rows, schema=SENSITIVITY_SCHEMA)


def _finals(one: Studied, space: str, runs: Sequence[SearchRun]) -> _Finals:
    ended = [
        run
        for run in runs
        if (run.method, run.space) == (one.label, space) and run.epochs[-1] == one.epochs
    ]
    return _Finals(
        np.array([run.test_regret[-1] for run in ended]),
        np.array([run.validation_regret[-1] for run in ended]),
        # fmin skips what is not known.
        np.array([np.fmin.reduce(run.test_regret) for run in ended]),
        np.array([run.one_shot_error[-1] for run in ended]),
    )


def _described(one: Studied, found: _Finals, seeds: Sequence[int], seed: int) -> dict[str, Any]:
    failed = len(seeds) - len(found.test)
    row: dict[str, Any] = {name: getattr(one, name) for name in Studied.__slots__[1:]}
    regret, one_shot = (_estimate(values, seed) for values in (found.test, found.one_shot))
    row |= {"runs": len(seeds), "failed": failed, "statement": _why(regret) or _why(one_shot)}
    row |= _triple("test_regret", regret) | _triple("one_shot_error", one_shot)
    return row | {
        "validation_regret": _mean(found.validation),
        "best_test_regret": _mean(found.best),
    }


def _estimate(values: Floats, seed: int) -> Estimate | Statement:
    if not len(values):
        return Statement("no search came to its end")
    return bootstrap(values, seed=seed)


def _compare(
    rows: list[dict[str, Any]], mine: Sequence[Studied], finals: dict[str, _Finals], seed: int
) -> None:
    """Add what is known of the differences from the default to the rows of one method."""
    default = next(finals[one.label].test for one in mine if one.default)
    for row, one in zip(rows, mine, strict=True):
        if one.default:
            continue
        own = finals[one.label].test
        gap = difference(own, default, seed=seed)
        row |= _triple("difference", gap) | {"difference_statement": _why(gap)}
        tested = permutation_test(own, default, seed=seed)
        # Of so few runs there is no interval, and a p-value could only be large.
        few = min(np.sum(~np.isnan(own)), np.sum(~np.isnan(default))) < FEWEST
        row["p"] = None if few or isinstance(tested, Statement) else tested.p
        same = equivalence(own, default, MARGIN)
        if not isinstance(same, Statement):
            row |= {"p_similar": same.p, "p_not_lower": same.p_above}
    p_values = [row.get("p") for row in rows]
    adjusted = holm([np.nan if p is None else p for p in p_values])
    for row, p in zip(rows, adjusted, strict=True):
        row["p_holm"] = None if np.isnan(p) else float(p)


def _triple(name: str, found: Estimate | Statement) -> dict[str, Any]:
    """Value and interval, as far as there are such."""
    columns = [f"{name}{end}" for end in _TRIPLE]
    if isinstance(found, Statement):
        return dict.fromkeys(columns, None)
    ends = (None, None) if isinstance(found.interval, Statement) else found.interval
    return dict(zip(columns, (found.value, *ends), strict=True))


def _why(found: Estimate | Statement) -> str | None:
    """Why there is no value, or no interval."""
    if isinstance(found, Statement):
        return str(found)
    return str(found.interval) if isinstance(found.interval, Statement) else None


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
