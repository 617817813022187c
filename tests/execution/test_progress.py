"""What listeners are told, without Ray."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from raynas.execution.blocks import plan_blocks
from raynas.execution.log import LOG_SCHEMA, LogContents, rows_to_table
from raynas.execution.progress import ProgressCallback
from raynas.execution.row import Row
from raynas.execution.search_plan import plan_searches
from raynas.execution.search_rows import EndedSearch
from tests.execution.conftest import MakePlan
from tests.support.search_plans import search_plan

NOTHING = LogContents(LOG_SCHEMA.empty_table(), frozenset())


class Told:
    def __init__(self) -> None:
        self.last: dict[str, tuple[int, int, float | None]] = {}

    def on_progress(
        self, method: str, space: str, done: int, total: int, error: float | None
    ) -> None:
        assert space == "1"
        self.last[method] = (done, total, error)


def step(callback: ProgressCallback, **result: Any) -> None:
    callback.on_trial_result(0, [], None, {"error": None, "done": False, **result})


def test_done_and_total_meet_where_a_run_ends_early(make_plan: MakePlan) -> None:
    plan = make_plan(methods=("rs",), seeds=(0, 1), evaluations=100)
    units = [replace(unit, seeds=(seed,)) for unit in plan_blocks(plan, (), 2) for seed in (0, 1)]
    told = Told()
    callback = ProgressCallback(plan, units, NOTHING, (), told)
    assert told.last["rs"] == (0, 200, None)
    step(callback, unit=0, work=39.6, planned=100.0)
    assert told.last["rs"] == (40, 200, None)
    step(callback, unit=0, work=40.4, planned=40.4, error=0.2, done=True)
    assert told.last["rs"] == (40, 140, 0.2)
    step(callback, unit=1, work=99.9, planned=100.0, error=0.3)
    assert told.last["rs"] == (139, 140, 0.2)  # rounded it would look like the end
    step(callback, unit=1, work=99.5, planned=99.5, error=0.1, done=True)
    assert told.last["rs"] == (140, 140, 0.1)


def test_runs_that_were_finished_before_count_with_what_they_took(make_plan: MakePlan) -> None:
    plan = make_plan(methods=("rs",), seeds=(0, 1), evaluations=100)
    run = ("rs", "1", 0)
    row = Row(0, 0, (0,), 0, 108, 0, 0.1, 0.1, 50.0, 0.0, None)
    recorded = LogContents(rows_to_table(run, [row, row._replace(evaluation=1)]), frozenset([run]))
    told = Told()
    ProgressCallback(plan, plan_blocks(plan, [run], 2), recorded, [run], told)
    assert told.last["rs"] == (2, 102, 0.1)


def test_searches_that_were_finished_before_have_a_current_error(make_plan: MakePlan) -> None:
    searches = search_plan("darts", seeds=(0, 1, 2))
    plan = make_plan(methods=("rs", "darts"), searches=searches)
    epochs = searches.settings["darts"].epochs
    ended = {
        ("darts", "1", 0): EndedSearch(epochs, 0.2),
        ("darts", "1", 1): EndedSearch(0, None),  # it failed at once
    }
    told = Told()
    callback = ProgressCallback(
        plan, plan_searches(searches, ended), NOTHING, list(ended), told, ended
    )
    assert told.last["darts"] == (epochs, 2 * epochs, 0.2)
    step(callback, unit=0, work=1.0, planned=float(epochs), error=0.4)
    assert told.last["darts"] == (epochs + 1, 2 * epochs, pytest.approx(0.3))


def test_a_search_that_fails_leaves_no_epochs_to_wait_for(make_plan: MakePlan) -> None:
    searches = search_plan("darts", seeds=(0, 1))
    plan = make_plan(methods=("rs", "darts"), searches=searches)
    epochs = searches.settings["darts"].epochs
    told = Told()
    callback = ProgressCallback(plan, plan_searches(searches, ()), NOTHING, (), told)
    assert told.last["darts"] == (0, 2 * epochs, None)
    step(callback, unit=0, work=0.0, out_of_memory="no memory", done=True)  # tried again later
    assert told.last["darts"] == (0, 2 * epochs, None)
    step(callback, unit=0, work=1.0, planned=1.0, done=True)
    assert told.last["darts"] == (1, 1 + epochs, None)
    step(callback, unit=1, work=float(epochs), planned=float(epochs), error=0.1, done=True)
    assert told.last["darts"] == (1 + epochs, 1 + epochs, 0.1)
