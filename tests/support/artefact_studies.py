"""Small finished studies for artefacts, written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from raynas.analysis.random_policy.record import Record, with_record
from raynas.analysis.random_policy.table import RANDOM_POLICY_SCHEMA
from raynas.analysis.rank_correlation.coefficients import COEFFICIENTS_SCHEMA
from raynas.analysis.rank_correlation.late import LATE_SCHEMA
from raynas.execution.manifest import run_manifest, write_manifest
from search_spaces.table import Table
from tests.support.searches_study import walking_search, write_searches
from tests.support.studies import random_log, write_study

ONE_SHOT = ("darts", "gdas", "pc_darts", "random_ws")
SEARCH = {
    "images": {"name": "digits", "title": "scikit-learn digits"},
    "settings": {name: {"channels": 4, "cells": 3, "epochs": 4} for name in ONE_SHOT},
    "device": "cpu",
}


def black_box(path: Path, table: Table, seeds: int = 6) -> Path:
    """Random search and a much luckier evolution."""
    log = random_log(table, {"rs": 0.0, "re": 400.0}, seeds=seeds, evaluations=12)
    return write_study(path, {table.space.name: table}, [log])


def one_shot(path: Path, table: Table, seeds: int = 5, epochs: int = 4) -> Path:
    """Searches whose cells are drawn at random."""
    searches = [walking_search(m, table, seed, epochs) for m in ONE_SHOT for seed in range(seeds)]
    write_searches(path, searches)
    return path


def with_search(manifest: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A manifest that says on what the searches ran."""
    return dict(manifest) | {"search": SEARCH | changes}


def correlation(
    path: Path, rows: Sequence[Mapping[str, Any]], late: Sequence[Mapping[str, Any]] = ()
) -> Path:
    """Coefficients of an evaluation; what a row leaves out is as usual.

    Args:
        path: of the directory.
        rows: of coefficients.
        late: averages over checkpoints.
    """
    usual = {
        "method": "darts",
        "space": "3",
        "epoch": 40,
        "rule": "corrected",
        "statistics": "batch",
        "seeds": 5,
        "seeds_used": 5,
        "subset": "all",
        "cells": 1000,
        "quantity": "test",
        "budget": 108,
        "measure": "spearman",
        "value": 0.1,
        "low": 0.0,
        "high": 0.2,
        "ceiling": 0.9,
        "parameters": 0.55,
        "statement": None,
        "mean_accuracy": 0.4,
        "chance_accuracy": 0.1,
        "images": 256,
        "guessing_bar": 0.15625,
        "by_chance": False,
    }
    _manifest(path, "correlation", {"cells": 1000, "study": "elsewhere"})
    table = pa.Table.from_pylist([usual | dict(row) for row in rows], COEFFICIENTS_SCHEMA)
    pq.write_table(table, path / "correlation_coefficients.parquet")
    means = [usual | {"epochs": [38, 39, 40], "widest": 0.1} | dict(row) for row in late]
    pq.write_table(pa.Table.from_pylist(means, LATE_SCHEMA), path / "correlation_late.parquet")
    return path


def random_policy(
    path: Path, rows: Sequence[Mapping[str, Any]], record: Record | None = None
) -> Path:
    """Comparisons with random draws, and what they were made from."""
    path.mkdir(parents=True)
    usual = dict.fromkeys(RANDOM_POLICY_SCHEMA.names) | {
        "space": "3",
        "method": "darts",
        "weight_sharing": True,
        "reference": "unique cells",
        "runs": 5,
        "runs_with_cell": 5,
        "margin": 0.002,
        "p_equivalence": 0.01,
        "finals": [],
        "statements": [],
    }
    table = pa.Table.from_pylist([usual | dict(row) for row in rows], RANDOM_POLICY_SCHEMA)
    if record is not None:
        table = with_record(table, record)
    pq.write_table(table, path / "random_policy.parquet")
    return path


def sensitivity(
    path: Path, rows: Sequence[Mapping[str, Any]], kind: str = "surrogate", images: str = "digits"
) -> Path:
    """A study of settings at the published size; differences are fractions."""
    usual = {
        "method": "darts",
        "space": "3",
        "default": False,
        "runs": 6,
        "failed": 0,
        "difference": 0.01,
        "difference_low": 0.005,
        "difference_high": 0.02,
        "p": 0.01,
        "p_similar": 0.01,
        "p_not_lower": 0.01,
        "statement": None,
        "difference_statement": None,
    }
    more = {
        "benchmark": {"kind": kind, "name": kind},
        "tables": {},
        "study": {},
        "search": {"images": {"title": images}, "settings": {}},
    }
    _manifest(path, "study", {"epochs": 50, "channels": 16, "cells": 9}, more)
    rows = [{"setting": row["published"]} | usual | dict(row) for row in rows]
    pq.write_table(pa.Table.from_pylist(rows), path / "sensitivity.parquet")
    return path


def _manifest(
    path: Path, kind: str, arguments: Mapping[str, Any], more: Mapping[str, Any] | None = None
) -> None:
    path.mkdir(parents=True)
    manifest = run_manifest(kind, arguments) | dict(more or {})
    write_manifest(path, manifest | {"finished": manifest["created"]})
