"""Finished studies of settings whose searches walked at random."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from raynas.analysis.sensitivity import sensitivity
from raynas.report.studies import Merged, merge, read_study
from raynas.study_request import Begun, Request, start
from search_spaces.table import Table
from tests.support.searches_study import FinishedSearch, searches_tables, walking_search


def walked_study(
    path: Path, request: Request, table: Table, lost: tuple[str, int] | None = None
) -> Begun:
    """A study as its searches would leave it; `lost` (label, seed) failed after one epoch."""
    begun = start(request, path)
    searches = begun.plan.searches
    assert searches is not None
    finished = []
    for one in begun.studied:
        for seed in searches.seeds:
            failed = lost == (one.label, seed)
            walked = walking_search(one.label, table, seed, 1 if failed else one.epochs)
            reason = "run failed: made up" if failed else None
            finished.append(FinishedSearch(one.label, table, seed, walked.records, reason))
    tables = searches_tables(finished)
    for name, rows in zip(("searches", "alphas", "trajectories"), tables, strict=True):
        pq.write_table(rows, path / f"{name}.parquet")
    begun.study.mark_finished()
    begun.study.close()
    return begun


def analysed(begun: Begun) -> tuple[list[dict], Merged]:
    """The rows of its sensitivity table, and its tables."""
    merged = merge([read_study(begun.study.path, "study")])
    assert begun.plan.searches is not None
    found = sensitivity(
        begun.grid.name,
        begun.studied,
        begun.plan.spaces,
        begun.plan.searches.seeds,
        merged.searches,
    )
    return found.to_pylist(), merged
