"""Curves that need the benchmark table, stored in a study so that its report does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from raynas.analysis import random_search
from search_spaces.errors import unknown_name

if TYPE_CHECKING:
    from search_spaces.table import Table

RANDOM_SEARCH = "random search"
DISTRIBUTION = "distribution"
STATISTICS = ("mean", "median", "q25", "q75")
CURVES_SCHEMA = pa.schema(
    [
        ("space", pa.string()),
        ("curve", pa.string()),
        ("quantity", pa.string()),
        ("statistic", pa.string()),
        ("evaluations", pa.int32()),
        ("x", pa.float64()),
        ("y", pa.float64()),
    ]
)
# Listing a larger space (NAS-Bench-101 has 5e8 raw architectures) would not end in useful time.
LARGEST_LISTED = 5_000_000
_REPEATS: dict[str, random_search.Repeat] = {
    "seeded": "random",
    "mean": "mean",
    "0": 0,
    "1": 1,
    "2": 2,
}


def reference_curves(
    tables: Mapping[str, Table],
    repeat: str | int = "seeded",
    evaluations: int = 280,
    *,
    incumbent: str = "validation",
    workers: int = 1,
    points: int = 100,
) -> pa.Table:
    """The exact random-search curves and the error distribution of each space.

    Rows with curve "random search": y is the regret (quantity "validation_regret" or
    "test_regret", statistic "mean", "median", "q25" or "q75") of random search after
    `evaluations` evaluations, x the expected simulated seconds that those take, that is
    evaluations / workers times the mean training seconds. A space too large to list has none.

    Rows with curve "distribution": y is the share of the unique cells of the space whose error
    (quantity "validation_error" or "test_error"; mean of the repeats at 108 epochs) is at most x.

    Args:
        tables: space name -> table.
        repeat: what an evaluation sees: "seeded" (one of three, drawn for each evaluation),
            "mean", 0, 1 or 2.
        evaluations: length of the random-search curves.
        incumbent: "validation" or "oracle", as for `trajectory`.
        workers: simulated asynchronous workers.
        points: most points of one random-search curve (evenly on a log scale).

    Returns:
        A table of `CURVES_SCHEMA`.

    Raises:
        UserError: the repeat is none of those.
        MissingFigureError: the table lacks figures at 108 epochs.
    """
    if str(repeat) not in _REPEATS:
        raise unknown_name("repeat", repeat, list(_REPEATS))
    parts = [CURVES_SCHEMA.empty_table()]
    for space, table in tables.items():
        if 0 < table.space.num_architectures <= LARGEST_LISTED:
            weights = random_search.multiplicities(table.space)
            draw = random_search.draw(
                table, weights, _REPEATS[str(repeat)], oracle=incumbent == "oracle"
            )
            counts = log_counts(evaluations, points)
            parts += _random_search(space, draw, counts, workers)
        parts += [_distribution(space, table, name) for name in ("validation", "test")]
    return pa.concat_tables(parts)


def log_counts(largest: int, points: int) -> np.ndarray:
    """At most `points` whole numbers from 1 to `largest`, about evenly on a log scale."""
    counts = np.rint(np.geomspace(1, max(largest, 1), points))
    return np.unique(counts).astype(np.int64)


def _random_search(
    space: str, draw: random_search.Draw, counts: np.ndarray, workers: int
) -> list[pa.Table]:
    seconds = counts * draw.seconds / workers
    parts = []
    for quantity in ("validation_regret", "test_regret"):
        law = (draw.seen, draw.probability, getattr(draw, quantity), counts)
        mean = random_search.expected(*law)
        ranks = random_search.quantiles(*law, (0.5, 0.25, 0.75))
        for statistic, regret in zip(STATISTICS, (mean, *ranks), strict=True):
            parts.append(_rows(space, RANDOM_SEARCH, quantity, statistic, counts, seconds, regret))
    return parts


def _distribution(space: str, table: Table, name: str) -> pa.Table:
    look_up = table.validation_error if name == "validation" else table.test_error
    errors = look_up(np.arange(table.space.num_unique), random_search.FULL_EPOCHS, "mean")
    values, cells = np.unique(errors, return_counts=True)
    share = np.cumsum(cells) / cells.sum()
    return _rows(space, DISTRIBUTION, f"{name}_error", "share", None, values, share)


def _rows(
    space: str,
    curve: str,
    quantity: str,
    statistic: str,
    counts: np.ndarray | None,
    x: np.ndarray,
    y: np.ndarray,
) -> pa.Table:
    size = len(x)
    columns = [
        *(pa.array([text] * size, pa.string()) for text in (space, curve, quantity, statistic)),
        pa.nulls(size, pa.int32()) if counts is None else pa.array(counts, pa.int32()),
        pa.array(x, pa.float64()),
        pa.array(y, pa.float64()),
    ]
    return pa.table(columns, schema=CURVES_SCHEMA)
