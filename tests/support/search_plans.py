"""Searches of a few small steps in studies, and what they should leave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import torch

from raynas.execution import Plan
from raynas.execution.log import Run
from raynas.execution.search_log import NO_RECORDS
from raynas.execution.search_plan import SearchPlan
from raynas.execution.search_run import SearchRun, spec_of
from raynas.images import find_images, load_search_images
from raynas.oneshot import GradientSettings, method_settings

SMALL = {"channels": 2, "cells": 1, "epochs": 4, "batch_size": 150}
SMALL_FOR = {"random_ws": {"candidates": 3, "candidate_batches": 1, "finalists": 2}}
MEASURED = ["seconds", "validation_seconds", "peak_memory"]


def small_settings(method: str, **changes: Any) -> Any:
    return method_settings(method, **SMALL | SMALL_FOR.get(method, {}) | changes)


def search_plan(*methods: str, seeds: tuple[int, ...] = (0,), **changes: Any) -> SearchPlan:
    """A plan on space 1 and the digits; methods of one's own are given by `classes`."""
    classes = changes.get("classes", {})
    settings = {
        name: GradientSettings(**SMALL) if name in classes else small_settings(name)
        for name in methods
    }
    values = {"settings": settings, "spaces": ("1",), "seeds": seeds}
    return SearchPlan(**values | {"images": find_images("digits")} | changes)


def undisturbed(plan: Plan, run: Run) -> pa.Table:
    """The records of a search, made here, without Ray and in one go."""
    images = load_search_images(find_images("digits"))
    with one_thread():
        search = SearchRun(run, spec_of(plan, run), images, NO_RECORDS, None)
        while not search.finished:
            search.advance()
    return search.contents.records


@contextmanager
def one_thread() -> Iterator[None]:
    """As many as a Ray worker has: the order of sums depends on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def plain(records: pa.Table) -> list[dict[str, Any]]:
    """Rows without the columns that no two runs share."""
    return list(records.drop_columns(MEASURED).to_pylist())
