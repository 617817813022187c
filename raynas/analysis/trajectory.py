"""From the log of finished evaluations to incumbents and regrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raynas.analysis.runs import TABLE_DEVICE, float_column, in_run_order, run_starts
from search_spaces.errors import unknown_name

if TYPE_CHECKING:
    from search_spaces.table import Table

IncumbentRule = Literal["validation", "oracle", "current"]
#: The rule for one-shot searches.
CURRENT = "current"
FULL_EPOCHS = 108

TRAJECTORY_SCHEMA = pa.schema(
    [
        ("method", pa.string()),
        ("space", pa.string()),
        ("seed", pa.int32()),
        ("evaluation", pa.int32()),
        ("module_hash", pa.string()),
        ("epochs", pa.int16()),
        ("validation_error", pa.float64()),
        ("test_error", pa.float64()),
        ("simulated_seconds", pa.float64()),
        ("real_seconds", pa.float64()),
        ("incumbent_hash", pa.string()),
        ("incumbent_validation_error", pa.float64()),
        ("incumbent_test_error", pa.float64()),
        ("validation_regret", pa.float64()),
        ("test_regret", pa.float64()),
        ("repeat", pa.int8()),
        ("failure", pa.string()),
        ("device", pa.string()),
    ]
)
_COMPUTED = {
    "module_hash",
    "incumbent_hash",
    "incumbent_validation_error",
    "incumbent_test_error",
    "validation_regret",
    "test_regret",
}
_COPIED = [name for name in TRAJECTORY_SCHEMA.names if name not in _COMPUTED]


def trajectory(
    log: pa.Table, tables: Mapping[str, Table], incumbent: str = "validation"
) -> pa.Table:
    """Add to each finished evaluation the incumbent of its run and the incumbent's regret.

    With the rule "validation" the incumbent is the best by the validation error seen, among the
    evaluations at the largest budget that has succeeded so far; of equals, the first. Its errors
    are means over repeats at 108 epochs, its regret is against the best such mean of the space.

    With "oracle", the rule of the published curves (Zela et al. 2020, released code), it is the
    evaluation with the lowest own test error, whichever its budget. Errors are the evaluation's
    own, and regrets are against the best single repeat of the table at any budget.

    With "current", the rule for one-shot searches, it is the last evaluation: a search has arrived
    at one cell after each epoch, and does not know which was the best.

    A failed evaluation leaves the incumbent as it was; before the first success it is null.

    Args:
        log: one row per finished evaluation, in any order; without a column device it is the
            table's.
        tables: space name -> table, for each space of the log.
        incumbent: "validation", "oracle" or "current".

    Returns:
        A table of `TRAJECTORY_SCHEMA`, ordered by method, space (each in order of first appearance
        in the log), seed and evaluation.

    Raises:
        UserError: the rule is unknown.
    """
    if incumbent not in get_args(IncumbentRule):
        raise unknown_name("incumbent rule", incumbent, list(get_args(IncumbentRule)))
    if "device" not in log.column_names:
        log = log.append_column("device", pa.repeat(TABLE_DEVICE, log.num_rows))
    log = in_run_order(log.select([*_COPIED, "row"]))
    holder = _incumbents(log, incumbent)
    parts, places = [TRAJECTORY_SCHEMA.empty_table()], [np.zeros(0, dtype=np.int64)]
    for space in pc.unique(log.column("space")).to_pylist():
        here = np.flatnonzero(pc.equal(log.column("space"), space).to_numpy())
        parts.append(_space_part(log, here, tables[space], holder[here], incumbent))
        places.append(here)
    found = pa.concat_tables(parts)
    return found if len(parts) <= 2 else found.take(pa.array(np.argsort(np.concatenate(places))))


def _incumbents(log: pa.Table, rule: str) -> np.ndarray:
    """Row of the incumbent after each evaluation, -1 where there is none: (n,) int64."""
    error = float_column(log, "test_error" if rule == "oracle" else "validation_error")
    if rule == CURRENT:
        rank = np.arange(len(error), dtype=np.int64)[::-1]  # whatever comes later is better
    else:
        epochs = np.zeros(len(error)) if rule == "oracle" else log.column("epochs").to_numpy()
        rank = _dense_rank(error, epochs)
    return running_argmin(rank, np.isnan(error), run_starts(log))


def _dense_rank(error: np.ndarray, epochs: np.ndarray) -> np.ndarray:
    """Order of the pairs (more epochs first, then lower error); equal pairs share a rank."""
    order = np.lexsort((error, -epochs.astype(np.float64)))
    steps = (np.diff(error[order]) != 0) | (np.diff(epochs[order]) != 0)
    rank = np.empty(len(error), dtype=np.int64)
    rank[order] = np.append(0, np.cumsum(steps)) if len(error) else 0
    return rank


def running_argmin(rank: np.ndarray, failed: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Index of the lowest rank seen so far within each run.

    Args:
        rank: (n,) int64, not negative.
        failed: (n,) bool, rows that cannot be chosen.
        starts: (runs + 1,) first row of each run, then n.

    Returns:
        (n,) int64; the first of equals; -1 where nothing could be chosen yet.
    """
    count = len(rank)
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    nothing = int(rank.max()) + 1
    run = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    # Every run lies wholly below the run before it, so one accumulation restarts at each run.
    level = np.where(failed, nothing, rank) - run * (nothing + 1)
    lowest = np.minimum.accumulate(level)
    improved = np.append(True, lowest[1:] < lowest[:-1])
    index = np.maximum.accumulate(np.where(improved, np.arange(count), 0))
    return np.where(failed[index], -1, index)


def _space_part(
    log: pa.Table, here: np.ndarray, table: Table, chosen: np.ndarray, incumbent: str
) -> pa.Table:
    """The trajectory rows of one space, which are the log's rows `here`."""
    rows = log.column("row").to_numpy()
    known = chosen >= 0
    chosen_rows = np.where(known, rows[chosen], -1)
    if incumbent == "oracle":
        errors = _own_errors(log, chosen, known)
        best = {name: best_single(table, name) for name in ("validation", "test")}
    else:
        errors = _mean_errors(table, chosen_rows, known)
        best = {"validation": table.best_validation_error, "test": table.best_test_error}
    part = log if len(here) == log.num_rows else log.take(pa.array(here))
    columns: dict[str, pa.Array] = {name: part.column(name) for name in _COPIED}
    columns["module_hash"] = _hex(table, rows[here])
    columns["incumbent_hash"] = _hex(table, chosen_rows)
    for name in ("validation", "test"):
        columns[f"incumbent_{name}_error"] = _nullable(errors[name])
        columns[f"{name}_regret"] = _nullable(errors[name] - best[name])
    return pa.table({n: columns[n] for n in TRAJECTORY_SCHEMA.names}).cast(TRAJECTORY_SCHEMA)


def _own_errors(log: pa.Table, chosen: np.ndarray, known: np.ndarray) -> dict[str, np.ndarray]:
    return {
        name: np.where(known, float_column(log, f"{name}_error")[chosen], np.nan)
        for name in ("validation", "test")
    }


def _mean_errors(table: Table, rows: np.ndarray, known: np.ndarray) -> dict[str, np.ndarray]:
    errors = {name: np.full(len(rows), np.nan) for name in ("validation", "test")}
    cells, inverse = np.unique(rows[known], return_inverse=True)
    if len(cells):
        errors["validation"][known] = table.validation_error(cells, FULL_EPOCHS, "mean")[inverse]
        errors["test"][known] = table.test_error(cells, FULL_EPOCHS, "mean")[inverse]
    return errors


def best_single(table: Table, quantity: Literal["validation", "test"]) -> float:
    """The lowest error of any single repeat at any budget that the table knows in full."""
    from search_spaces.benchmark import BUDGETS, REPEATS

    look_up = table.validation_error if quantity == "validation" else table.test_error
    rows = np.arange(table.space.num_unique)
    known = [epochs for epochs in BUDGETS if table.known(quantity, epochs)]
    return min(float(look_up(rows, epochs, r).min()) for epochs in known for r in REPEATS)


def _hex(table: Table, rows: np.ndarray) -> pa.Array:
    """Module hashes of rows as hexadecimal strings, null where the row is negative."""
    cells, inverse = np.unique(rows, return_inverse=True)
    digests = table.space.unique_hashes()[np.maximum(cells, 0)]
    names = pa.array(
        [d.tobytes().hex() if row >= 0 else None for d, row in zip(digests, cells, strict=True)],
        type=pa.string(),
    )
    return names.take(pa.array(inverse.reshape(-1)))


def _nullable(values: np.ndarray) -> pa.Array:
    return pa.array(values, type=pa.float64(), mask=np.isnan(values))
