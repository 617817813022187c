"""One run of one method: what every analysis works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

RUN_KEY = ("method", "space", "seed")
#: `device` of rows whose seconds are the table's and were spent nowhere.
TABLE_DEVICE = "table"
#: Families of methods. Ranks and clocks are compared within one of them only.
BLACK_BOX, ONE_SHOT = "black-box", "one-shot"


@dataclass(frozen=True, slots=True)
class Run:
    """The incumbents of one run, as step functions of the simulated clock.

    Attributes:
        method: method name.
        space: space name.
        seed: the run's seed.
        seconds: (n,) simulated seconds at which each evaluation finished, not decreasing.
        validation_regret: (n,) of the incumbent so far; nan before the first success.
        test_regret: (n,) the same for the test error.
        validation_error: (n,) of the incumbent.
        test_error: (n,) of the incumbent.
        failed: (n,) bool, the evaluation failed.
        cell: module hash of the last incumbent, None when every evaluation failed.
        device: where its seconds were spent; `TABLE_DEVICE` if they are the table's.
    """

    method: str
    space: str
    seed: int
    seconds: np.ndarray
    validation_regret: np.ndarray
    test_regret: np.ndarray
    validation_error: np.ndarray
    test_error: np.ndarray
    failed: np.ndarray
    cell: str | None
    device: str = TABLE_DEVICE

    @property
    def family(self) -> str:
        """`BLACK_BOX` or `ONE_SHOT`: which clock the run's seconds are of."""
        return BLACK_BOX if self.device == TABLE_DEVICE else ONE_SHOT


def in_run_order(table: pa.Table) -> pa.Table:
    """Sort rows by method, space (each in order of first appearance), seed and evaluation."""
    for name in ("method", "space"):
        column = table.column(name)
        table = table.append_column(f"_{name}", pc.index_in(column, pc.unique(column)))
    keys = ("_method", "_space", "seed", "evaluation")
    ordered = table.sort_by([(key, "ascending") for key in keys])
    return ordered.drop_columns(list(keys[:2])).combine_chunks()


def run_starts(table: pa.Table) -> np.ndarray:
    """First row of each run of a table that is in run order, and its length at the end.

    Returns:
        (runs + 1,) int64.
    """
    if table.num_rows == 0:
        return np.zeros(1, dtype=np.int64)
    changed = np.zeros(table.num_rows, dtype=bool)
    changed[0] = True
    for name in RUN_KEY:
        codes = pc.dictionary_encode(table.column(name).combine_chunks()).indices.to_numpy()
        changed[1:] |= codes[1:] != codes[:-1]
    return np.append(np.flatnonzero(changed), table.num_rows).astype(np.int64)


def float_column(table: pa.Table, name: str) -> np.ndarray:
    """A float column as an array, nan where it is null."""
    return np.asarray(
        table.column(name).to_numpy() if table.num_rows else np.zeros(0), dtype=np.float64
    )


def split_runs(trajectories: pa.Table) -> list[Run]:
    """Cut a trajectories table into runs.

    They are ordered by method, space (each in order of first appearance) and seed.
    """
    table = in_run_order(trajectories)
    starts = run_starts(table)
    first = starts[:-1]
    last = starts[1:] - 1
    keys = [table.column(name).take(pa.array(first)).to_pylist() for name in RUN_KEY]
    cells = table.column("incumbent_hash").take(pa.array(last)).to_pylist()
    devices = table.column("device").take(pa.array(last)).to_pylist()
    columns = {
        "seconds": float_column(table, "simulated_seconds"),
        "validation_regret": float_column(table, "validation_regret"),
        "test_regret": float_column(table, "test_regret"),
        "validation_error": float_column(table, "incumbent_validation_error"),
        "test_error": float_column(table, "incumbent_test_error"),
        "failed": np.isnan(float_column(table, "validation_error")),
    }
    runs = []
    for i, (method, space, seed) in enumerate(zip(*keys, strict=True)):
        part = slice(int(starts[i]), int(starts[i + 1]))
        views: dict[str, Any] = {name: column[part] for name, column in columns.items()}
        key = {"method": method, "space": space, "seed": seed, "cell": cells[i]}
        runs.append(Run(**key, device=devices[i] or TABLE_DEVICE, **views))
    return runs


def by_method(runs: Sequence[Run], space: str) -> dict[str, list[Run]]:
    """The runs of one space, grouped by method in order of appearance."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        if run.space == space:
            groups.setdefault(run.method, []).append(run)
    return groups


def families(groups: Mapping[str, list[Run]]) -> dict[str, dict[str, list[Run]]]:
    """Groups of runs by family, in order of appearance."""
    found: dict[str, dict[str, list[Run]]] = {}
    for method, members in groups.items():
        found.setdefault(members[0].family, {})[method] = members
    return found
