"""Final cells read from a table of someone else."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raynas.analysis.random_policy.cells import rows_of
from raynas.analysis.random_policy.finals import Finals, with_cells
from search_spaces.errors import UserError
from search_spaces.spaces import SPACE_NAMES

REQUIRED = ("method", "seed", "module_hash")
OPTIONAL = ("space", "weight_sharing", "seconds")


def finals_of_table(table: pa.Table, source: str, space: str | None) -> list[Finals]:
    """The final cells of a table with one row per run.

    Args:
        table: columns `REQUIRED`, and if there are any `OPTIONAL`. A run that ended without a cell
            has a null module hash.
        source: what to call it.
        space: name of the space; None if the table has a column of it.

    Raises:
        UserError: columns are missing or of another type, a hash is not of the space, or a seed is
            there twice.
    """
    missing = [name for name in REQUIRED if name not in table.column_names]
    if missing:
        raise UserError(
            f"{source} lacks the columns {', '.join(missing)}; one row per run is needed, with "
            f"{', '.join(REQUIRED)} (and, if known, {', '.join(OPTIONAL)})"
        )
    if "space" not in table.column_names:
        if space is None:
            raise UserError(f"{source} has no column space; say which with --space", exit_code=2)
        table = table.append_column("space", pa.repeat(space, table.num_rows))
    rows = _typed(table, source)
    if space is not None and any(row["space"] != space for row in rows):
        other = next(row["space"] for row in rows if row["space"] != space)
        raise UserError(f"{source} is of space {other}, not of space {space}; leave --space out")
    keys = dict.fromkeys((r["method"], r["space"], r["weight_sharing"]) for r in rows)
    found = [
        _group(
            key, [r for r in rows if (r["method"], r["space"], r["weight_sharing"]) == key], source
        )
        for key in keys
    ]
    return with_cells(found, source)


def _typed(table: pa.Table, source: str) -> list[dict[str, object]]:
    types = {
        "method": pa.string(),
        "seed": pa.int64(),
        "module_hash": pa.string(),
        "space": pa.string(),
        "weight_sharing": pa.bool_(),
        "seconds": pa.float64(),
    }
    columns = {}
    for name, kind in types.items():
        if name not in table.column_names:
            columns[name] = pa.nulls(table.num_rows, kind)
            continue
        try:
            columns[name] = pc.cast(table.column(name), kind)
        except pa.ArrowException as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{source}: the column {name} is no {kind} ({reason})") from error
        if name in ("method", "seed", "space") and columns[name].null_count:
            raise UserError(f"{source}: the column {name} has empty places; fill them in")
    seconds = columns["seconds"].to_pylist()
    wrong = [s for s in seconds if s is not None and (s < 0 or s == float("inf"))]
    if wrong:
        raise UserError(
            f"{source}: the column seconds has {wrong[0]:g}; each must be a number of at least 0, "
            "or empty if it is not known"
        )
    rows: list[dict[str, object]] = pa.table(columns).to_pylist()
    return rows


def _group(
    key: tuple[object, object, object], rows: list[dict[str, object]], source: str
) -> Finals:
    method, space, shared = str(key[0]), str(key[1]), key[2]
    if space not in SPACE_NAMES:
        raise UserError(f"{source}: {space!r} is no space; valid are: {', '.join(SPACE_NAMES)}")
    seeds = [int(str(row["seed"])) for row in rows]
    if len(set(seeds)) < len(seeds):
        twice = next(seed for seed in seeds if seeds.count(seed) > 1)
        raise UserError(f"{source} has seed {twice} of {method} twice; one row per run is needed")
    hashes = [None if not row["module_hash"] else str(row["module_hash"]) for row in rows]
    seconds = [np.nan if row["seconds"] is None else float(str(row["seconds"])) for row in rows]
    return Finals(
        method,
        space,
        None if shared is None else bool(shared),
        np.array(seeds, np.int64),
        rows_of(space, hashes, method, seeds, source),
        np.array(seconds),
        "real" if shared else "simulated",
        source,
    )
