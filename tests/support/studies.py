"""Finished study directories made from random draws, without running a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from raynas.analysis import reference_curves, summary, trajectory
from raynas.execution.log import LOG_SCHEMA
from raynas.execution.manifest import new_manifest, write_manifest
from search_spaces.table import Table


def log_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A log from one mapping per finished evaluation."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=LOG_SCHEMA)


def random_log(
    table: Table,
    methods: Mapping[str, float],
    seeds: int,
    evaluations: int,
    *,
    failing: float = 0.0,
    seed: int = 0,
) -> pa.Table:
    """A log of random searches with better or worse luck.

    Args:
        table: the benchmark.
        methods: name -> luck; each evaluation is the best, by mean validation error, of
            1 + luck * (share of the evaluations done) draws. "hb" and "bohb" climb the budgets.
        seeds: runs of each method.
        evaluations: length of each run.
        failing: chance that an evaluation fails.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    return pa.concat_tables(
        _random_run(table, method, luck, run, evaluations, failing, rng)
        for method, luck in methods.items()
        for run in range(seeds)
    )


def _random_run(
    table: Table,
    method: str,
    luck: float,
    seed: int,
    evaluations: int,
    failing: float,
    rng: np.random.Generator,
) -> pa.Table:
    epochs = np.full(evaluations, 108)
    if method in ("hb", "bohb"):
        epochs = np.array([4, 12, 36, 108])[np.minimum(np.arange(evaluations) % 20 // 5, 3)]
    vectors = np.stack(
        [_lucky(table, int(luck * i / evaluations) + 1, rng) for i in range(evaluations)]
    )
    rows = table.space.rows(vectors)
    repeat = rng.integers(0, 3, evaluations)
    failed = rng.random(evaluations) < failing
    asked = list(zip(rows, epochs, repeat, strict=True))
    figures = {
        name: np.array([float(query(r, int(e), int(k))) for r, e, k in asked])
        for name, query in (
            ("validation_error", table.validation_error),
            ("test_error", table.test_error),
            ("seconds", table.training_seconds),
        )
    }
    columns = {
        "method": [method] * evaluations,
        "space": [table.space.name] * evaluations,
        "seed": [seed] * evaluations,
        "evaluation": np.arange(evaluations),
        "number": np.arange(evaluations),
        "vector": [vector.tolist() for vector in vectors],
        "row": rows,
        "epochs": epochs,
        "repeat": repeat,
        "validation_error": pa.array(figures["validation_error"], mask=failed),
        "test_error": pa.array(figures["test_error"], mask=failed),
        "simulated_seconds": np.cumsum(figures["seconds"]),
        "real_seconds": 0.01 * np.arange(1, evaluations + 1),
        "failure": ["the loss is <nan> & gone" if bad else None for bad in failed],
    }
    return pa.table({f.name: pa.array(columns[f.name]).cast(f.type) for f in LOG_SCHEMA})


def _lucky(table: Table, draws: int, rng: np.random.Generator) -> np.ndarray:
    vectors = table.space.sample(rng, draws)
    return vectors[int(table.validation_error(table.space.rows(vectors)).argmin())]


def write_study(
    path: Path, tables: Mapping[str, Table], logs: Sequence[pa.Table], **arguments: Any
) -> Path:
    """Write a finished study from its logs; returns its path."""
    path.mkdir(parents=True)
    log = pa.concat_tables(logs)
    seen = {name: log.column(name).unique().to_pylist() for name in ("space", "method", "seed")}
    given = {
        "spaces": seen["space"],
        "methods": seen["method"],
        "seeds": seen["seed"],
        "evaluations": max(log.column("evaluation").to_pylist()) + 1,
        "budget_seconds": None,
        "repeat": "seeded",
        "incumbent": "validation",
        "workers": 1,
        "seed": 0,
        "preset": "quick",
    } | arguments
    manifest = new_manifest(given, tables)
    manifest["finished"] = manifest["created"]
    found = trajectory(log, tables, given["incumbent"])
    pq.write_table(found, path / "trajectories.parquet")
    pq.write_table(summary(found), path / "summary.parquet")
    curves = reference_curves(
        tables, given["repeat"], given["evaluations"], incumbent=given["incumbent"]
    )
    pq.write_table(curves, path / "curves.parquet")
    write_manifest(path, manifest)
    return path
