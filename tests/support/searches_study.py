"""Finished studies with one-shot searches, made from records and a benchmark table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from raynas.analysis import summary
from raynas.analysis.searches import ALPHAS_SCHEMA, SEARCHES_SCHEMA
from raynas.analysis.trajectory import TRAJECTORY_SCHEMA
from raynas.execution.manifest import new_manifest, read_manifest, write_manifest
from raynas.oneshot import EpochRecord
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.space import hash_texts
from search_spaces.spaces import load_space
from search_spaces.table import Table
from tests.support.searches import tiny_search

QUICK = {"channels": 4, "cells": 2, "batch_size": 16}


@dataclass(frozen=True)
class FinishedSearch:
    """A search and its records; `failure` ends it after the last of them."""

    method: str
    table: Table
    seed: int
    records: Sequence[EpochRecord]
    failure: str | None = None


def real_search(
    method: str, table: Table, seed: int, epochs: int, failure: str | None = None, **settings: Any
) -> FinishedSearch:
    """Search on a few digits; the architecture learns fast, so that something happens."""
    fast = {} if method == "random_ws" else {"arch_learning_rate": 0.1}
    values = QUICK | fast | settings | {"epochs": epochs}
    search = tiny_search(method, space=table.space.name, seed=seed, **values)
    return FinishedSearch(method, table, seed, search.advance(epochs), failure)


def walking_search(method: str, table: Table, seed: int, epochs: int) -> FinishedSearch:
    """A search whose architecture parameters walk at random; nothing is trained."""
    space = load_space(table.space.name)
    assert isinstance(space, NASBench1Shot1Space)
    rng = np.random.default_rng([seed, *method.encode()])
    shapes = {"operation": (space.num_blocks, 3), "output": (1, space.num_blocks + 1)}
    widths = [block + 1 for block in range(space.num_blocks) if len(space.parent_sets[block]) > 1]
    shapes |= {f"inputs.{i}": (1, width) for i, width in enumerate(widths)}
    alphas = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    records = []
    for epoch in range(1, epochs + 1):
        alphas = {k: v + 0.1 * rng.standard_normal(v.shape) for k, v in alphas.items()}
        vector = space.sample(rng, 1)[0]
        learnt = 1 - 0.9 * epoch**-0.3
        records.append(
            EpochRecord(
                epoch=epoch,
                alphas={} if method == "random_ws" else alphas,
                vector=tuple(vector.tolist()),
                module_hash=space.decode(vector).module_hash,
                learning_rate=0.025 / epoch,
                train_loss=2.3 * (1 - learnt),
                train_accuracy=learnt,
                validation_accuracy=learnt - 0.02 * rng.random(),
                seconds=1 + rng.random(),
                validation_seconds=0.1,
                peak_memory=10**8,
            )
        )
    return FinishedSearch(method, table, seed, records)


def ending_with(search: FinishedSearch, row: int) -> FinishedSearch:
    """The same, but that the cell of its last epoch is another one.

    Args:
        search: to be changed.
        row: of the cell in its space.
    """
    space = search.table.space
    last = replace(
        search.records[-1],
        vector=tuple(space.representative(row).tolist()),
        module_hash=hash_texts(space.unique_hashes()[[row]])[0],
    )
    return replace(search, records=[*search.records[:-1], last])


def searches_tables(searches: Sequence[FinishedSearch]) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Rows of searches, alphas and trajectories."""
    rows: list[list[dict[str, Any]]] = [[], [], []]
    for search in searches:
        key = {"method": search.method, "space": search.table.space.name, "seed": search.seed}
        for record in search.records:
            rows[0].append(key | {n: getattr(record, n, "cpu") for n in SEARCHES_SCHEMA.names[3:]})
            rows[1] += [
                key
                | {
                    "epoch": record.epoch,
                    "name": name,
                    "values": np.ravel(values).tolist(),
                    "shape": list(np.shape(values)),
                }
                for name, values in record.alphas.items()
            ]
        rows[2] += _trajectory(search, key)
    schemas = (SEARCHES_SCHEMA, ALPHAS_SCHEMA, TRAJECTORY_SCHEMA)
    found = [pa.Table.from_pylist(r, schema=s) for r, s in zip(rows, schemas, strict=True)]
    return found[0], found[1], found[2]


def _trajectory(search: FinishedSearch, key: dict[str, Any]) -> list[dict[str, Any]]:
    table, rows = search.table, []
    clock = real = 0.0
    for record in search.records:
        cell = int(table.space.rows([record.vector])[0])
        repeat = (record.epoch + search.seed) % 3
        clock += record.seconds
        real += record.seconds + record.validation_seconds
        mean = {
            "validation": float(table.validation_error(cell)),
            "test": float(table.test_error(cell)),
        }
        rows.append(
            key
            | {
                "evaluation": record.epoch - 1,
                "module_hash": record.module_hash,
                "epochs": 108,
                "validation_error": float(table.validation_error(cell, 108, repeat)),
                "test_error": float(table.test_error(cell, 108, repeat)),
                "simulated_seconds": clock,
                "real_seconds": real,
                "incumbent_hash": record.module_hash,
                "incumbent_validation_error": mean["validation"],
                "incumbent_test_error": mean["test"],
                "validation_regret": mean["validation"] - table.best_validation_error,
                "test_regret": mean["test"] - table.best_test_error,
                "repeat": repeat,
                "failure": None,
                "device": "cpu",
            }
        )
    if search.failure:
        nothing = dict.fromkeys(("module_hash", "validation_error", "test_error"))
        nowhere = dict.fromkeys(TRAJECTORY_SCHEMA.names[3:])
        nowhere |= {"simulated_seconds": 0.0, "real_seconds": 0.0}
        last = rows[-1] if rows else key | nowhere
        extra = {"evaluation": len(rows), "failure": search.failure, "epochs": 108, "repeat": -1}
        rows.append(last | nothing | extra | {"device": "cpu"})
    return rows


def write_searches(path: Path, searches: Sequence[FinishedSearch]) -> Path:
    """Add searches to a study, which is made if it is not there; returns its path."""
    found, alphas, trajectories = searches_tables(searches)
    tables = {search.table.space.name: search.table for search in searches}
    if path.exists():
        manifest = read_manifest(path)
        earlier = pq.read_table(path / "trajectories.parquet")
        trajectories = pa.concat_tables([earlier, trajectories])
    else:
        path.mkdir(parents=True)
        arguments = {
            "spaces": list(tables),
            "methods": found.column("method").unique().to_pylist(),
            "seeds": found.column("seed").unique().to_pylist(),
            "evaluations": None,
            "budget_seconds": None,
            "repeat": "seeded",
            "incumbent": "validation",
            "workers": 1,
            "seed": 0,
            "preset": "quick",
        }
        manifest = new_manifest(arguments, tables)
        manifest["finished"] = manifest["created"]
    methods = list(dict.fromkeys(search.method for search in searches))
    epochs = max(len(search.records) for search in searches)
    manifest["search"] = {
        "images": {
            "name": "digits",
            "title": "scikit-learn digits (8x8, 1 channel)",
            "shape": [1, 8, 8],
        },
        "settings": {method: QUICK | {"epochs": epochs} for method in methods},
        "seeds": sorted({search.seed for search in searches}),
        "device": "cpu",
    }
    write_manifest(path, manifest)
    pq.write_table(trajectories, path / "trajectories.parquet")
    pq.write_table(summary(trajectories), path / "summary.parquet")
    pq.write_table(found, path / "searches.parquet")
    pq.write_table(alphas, path / "alphas.parquet")
    return path
