from __future__ import annotations

from time import perf_counter
from typing import Any

import pyarrow as pa
import pytest

from raynas.execution.block_run import BlockRun
from raynas.execution.blocks import Block, plan_blocks
from raynas.execution.log import NOTHING, LogContents, Run, table_to_rows
from raynas.execution.plan import Plan
from search_spaces.errors import UserError
from search_spaces.table import Table
from tests.execution.conftest import MakePlan


def runs(blocks: list[Block]) -> list[Run]:
    return [(block.method, block.space, seed) for block in blocks for seed in block.seeds]


def test_blocks_are_a_partition_of_the_runs(make_plan: MakePlan) -> None:
    plan = make_plan(methods=("rs", "smac", "tpe", "bohb"), seeds=tuple(range(50)), evaluations=280)
    blocks = plan_blocks(plan, (), cpus=2)
    everything = {(m, "1", s) for m in plan.methods for s in plan.seeds}
    assert sorted(runs(blocks)) == sorted(everything)
    done = {("bohb", "1", 7), ("rs", "1", 0)}
    assert sorted(runs(plan_blocks(plan, done, cpus=2))) == sorted(everything - done)
    assert plan_blocks(plan, everything, cpus=2) == []


def test_slow_methods_come_first_in_small_blocks(make_plan: MakePlan) -> None:
    plan = make_plan(methods=("rs", "smac", "bohb"), seeds=tuple(range(20)), evaluations=280)
    blocks = plan_blocks(plan, (), cpus=8)
    assert [block.cost for block in blocks] == sorted((b.cost for b in blocks), reverse=True)
    assert sum(block.method == "rs" for block in blocks) == 1
    assert max(block.cost for block in blocks) <= sum(block.cost for block in blocks) / 8


def test_pieces_of_a_block_equal_the_block(make_plan: MakePlan, table: Table) -> None:
    plan, block = make_plan(evaluations=100), Block("re", "1", (0, 1, 2), 1.0)
    whole, ended = BlockRun(plan, block, table, NOTHING).advance(perf_counter() + 60)
    assert ended == {("re", "1", seed): 100 for seed in block.seeds}
    pieces, so_far = [], NOTHING
    while len(so_far.finished) < 3:  # start again from the log after every piece
        run = BlockRun(plan, block, table, so_far)
        part, ended = run.advance(perf_counter() + 0.001 * 1.3 ** len(pieces))  # replay must fit
        pieces.append(part)
        so_far = LogContents(pa.concat_tables(pieces), so_far.finished | set(ended))
    assert len(pieces) > 3
    assert _plain(so_far.table) == _plain(whole)
    assert run.finished and run.done == 300
    assert run.best_error is not None


def test_what_a_time_limit_cut_off_is_not_done(make_plan: MakePlan, table: Table) -> None:
    plan = make_plan(evaluations=100, budget_seconds=20_000.0)
    block = Block("rs", "1", (0, 1, 2), 1.0)
    run = BlockRun(plan, block, table, NOTHING)
    assert (run.done, run.planned) == (0, 300)
    rows, ended = run.advance(perf_counter() + 60)
    assert run.finished and run.done == run.planned == rows.num_rows < 300
    again = BlockRun(plan, block, table, LogContents(rows, frozenset(ended)))
    assert again.done == again.planned == rows.num_rows


def test_runs_differ_and_follow_from_the_plan_s_seed(make_plan: MakePlan, table: Table) -> None:
    def vectors(plan: Plan, method: str, seed: int) -> list[Any]:
        rows = BlockRun(plan, Block(method, "1", (seed,), 1.0), table, NOTHING)
        return rows.advance(perf_counter() + 60)[0]["vector"].to_pylist()

    base = vectors(make_plan(), "rs", 0)
    assert vectors(make_plan(), "rs", 0) == base
    assert vectors(make_plan(), "rs", 1) != base
    assert vectors(make_plan(), "re", 0) != base
    assert vectors(make_plan(seed=1), "rs", 0) != base


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"repeat": "best"}, "unknown repeat 'best'; valid are: seeded, mean, 0, 1, 2"),
        ({"evaluations": 0}, "evaluations must be greater than 0, not 0"),
        ({"workers": -1}, "workers must be greater than 0"),
        ({"budget_seconds": 0.0}, "budget_seconds must be greater than 0"),
        ({"methods": ()}, "methods must be different and at least one"),
        ({"seeds": (1, 1)}, "seeds must be different"),
        ({"seed": -1}, "must not be negative"),
    ],
)
def test_impossible_plans(make_plan: MakePlan, change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        make_plan(**change)
    assert caught.value.exit_code == 2


def _plain(table: pa.Table) -> dict[Run, list[Any]]:
    rows = table_to_rows(table)
    return {run: [row._replace(real_seconds=0.0) for row in rows[run]] for run in sorted(rows)}
