"""Whole studies on Ray Tune, undisturbed and with processes killed under them."""

from __future__ import annotations

import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from raynas.execution import Plan, RunOutcome, Study, run_study
from raynas.execution.block_run import BlockRun
from raynas.execution.blocks import Block
from raynas.execution.cluster import cluster
from raynas.execution.log import NOTHING, Run, table_to_rows
from raynas.execution.row import FAILED_RUN
from search_spaces.errors import UserError
from search_spaces.table import Table
from tests.execution.conftest import MakePlan
from tests.support.processes import (
    descendants,
    hear_interrupts,
    listening,
    ray_actors,
    still_there,
)
from tests.support.ray_studies import TRAINABLE, WRITER, Listener, clean_cluster, create, kill

Rows = dict[Run, list[Any]]


@pytest.fixture(scope="module")
def small_ray() -> Iterator[None]:
    """A local cluster that all studies of this module share."""
    with clean_cluster():
        yield


def expected(plan: Plan, table: Table) -> Rows:
    """The rows of every run, computed here and without Ray."""
    rows: Rows = {}
    for method in plan.methods:
        block = Block(method, "1", plan.seeds, 1.0)
        run = BlockRun(plan, block, table, NOTHING)
        rows |= plain(run.advance(math.inf)[0])
        assert run.finished
    return rows


def plain(log: Any) -> Rows:
    return {
        run: [row._replace(real_seconds=0.0) for row in rows]
        for run, rows in table_to_rows(log).items()
    }


def test_a_study(tmp_path: Path, small_ray: None, make_plan: MakePlan, table: Table) -> None:
    plan = make_plan(methods=("rs", "re", "hb"), workers=3)
    listener = Listener()
    with create(tmp_path / "study", plan, table) as study:
        outcome = run_study(study, plan, listener=listener)
        log = study.log.read()
        assert plain(log.table) == expected(plan, table)
        result = study.finish({"1": table})
    assert outcome == RunOutcome(9, result.num_rows, (), 0, ()) and outcome.warnings() == []
    assert len(log.finished) == 9
    last = {told[0]: told for told in listener.seen}
    for method in plan.methods:
        rows = [row for run, part in plain(log.table).items() for row in part if run[0] == method]
        errors = [row.validation_error for row in rows if row.epochs == 108]
        trainings = round(sum(row.epochs for row in rows) / 108)  # of hb less than 60
        assert last[method] == (method, "1", trainings, trainings, min(errors))
    assert last["rs"][2] == last["re"][2] == 60 > last["hb"][2]


@pytest.mark.long
@pytest.mark.parametrize("victim", [TRAINABLE, WRITER])
def test_killed_workers_lose_nothing(
    tmp_path: Path, small_ray: None, make_plan: MakePlan, table: Table, victim: str
) -> None:
    plan = make_plan(seeds=(0, 1), evaluations=6000)
    with create(tmp_path / "study", plan, table) as study:
        outcome = run_study(study, plan, listener=Listener(kill(victim)))
        assert plain(study.log.read().table) == expected(plan, table)
    assert outcome.failed_runs == ()


@pytest.mark.long
def test_a_trial_that_is_given_up_leaves_rows_that_say_so(
    tmp_path: Path,
    small_ray: None,
    make_plan: MakePlan,
    table: Table,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("raynas.execution.runner.MOST_RESTARTS", 0)
    monkeypatch.setattr("raynas.execution.resubmissions.MOST_RESUBMISSIONS", 0)
    plan = make_plan(methods=("rs",), seeds=(0, 1), evaluations=30_000)
    with create(tmp_path / "study", plan, table) as study:
        outcome = run_study(study, plan, listener=Listener(kill(TRAINABLE)))
        rows = plain(study.log.read().table)
        assert study.finish({"1": table}).num_rows == outcome.rows
    assert outcome.failed_runs
    whole = expected(plan, table)
    for run, reason in outcome.failed_runs:
        assert "given up by Ray Tune" in reason
        assert rows[run][-1].number == FAILED_RUN
        assert rows[run][:-1] == whole[run][: len(rows[run]) - 1]
    assert len(outcome.warnings()) == len(outcome.failed_runs)


@pytest.mark.long
def test_a_trial_that_tune_gives_up_is_tried_again(
    tmp_path: Path,
    small_ray: None,
    make_plan: MakePlan,
    table: Table,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("raynas.execution.runner.MOST_RESTARTS", 0)
    plan = make_plan(methods=("rs",), seeds=(0, 1), evaluations=8000)
    listener = Listener(kill(TRAINABLE))
    with create(tmp_path / "study", plan, table) as study:
        outcome = run_study(study, plan, listener=listener)
        assert plain(study.log.read().table) == expected(plan, table)
    assert listener.action is None and outcome.warnings() == []


@pytest.mark.long
def test_a_log_that_cannot_be_written_ends_the_study(
    tmp_path: Path, small_ray: None, make_plan: MakePlan, table: Table
) -> None:
    plan = make_plan(evaluations=8000)
    with create(tmp_path / "study", plan, table) as study:
        listener = Listener(lambda: shutil.rmtree(study.log.folder))
        with pytest.raises(UserError, match=r"cannot write .*study/log/.*\.parquet"):
            run_study(study, plan, listener=listener)


@pytest.mark.long
def test_a_damaged_block_is_computed_again(
    tmp_path: Path, small_ray: None, make_plan: MakePlan, table: Table
) -> None:
    plan = make_plan()
    with create(tmp_path / "study", plan, table) as study:
        run_study(study, plan)
        whole = plain(study.log.read().table)
        block = sorted(study.log.folder.glob("*.parquet"))[0]
        block.write_bytes(block.read_bytes()[:100])
        outcome = run_study(study, plan)
        assert plain(study.log.read().table) == whole
    assert len(outcome.damaged) == 1
    assert outcome.warnings() == ["computed again: 1 damaged block of the log"]


class Driver:
    """A study in a process of its own."""

    def __init__(self, study: Path, benchmark: Path, *arguments: object) -> None:
        program = Path(__file__).with_name("ray_driver.py")
        command = [sys.executable, str(program), str(study), str(benchmark), *map(str, arguments)]
        self.study = study
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=hear_interrupts,
        )

    def wait_for_work(self) -> None:
        """Until a worker has written rows that were not there before."""
        before = self.blocks()
        while self.process.poll() is None and self.blocks() <= before:
            time.sleep(0.02)

    def blocks(self) -> set[Path]:
        return set(self.study.glob("log/*.parquet"))

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def send(self, number: signal.Signals) -> str:
        """Send a signal; check that nothing is left running; return what was printed."""
        below = descendants(self.process.pid)
        assert ray_actors(TRAINABLE, self.process.pid)
        if number == signal.SIGINT:
            os.killpg(self.process.pid, number)  # as a terminal does
        else:
            self.process.send_signal(number)
        printed, _ = self.process.communicate(timeout=20)
        assert still_there(below, 10) == []
        return printed


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.long)]
)
def test_a_stopped_driver_listened_on_loopback_only_and_loses_nothing(
    tmp_path: Path, small_ray: None, make_plan: MakePlan, table: Table, number: signal.Signals
) -> None:
    # A method that takes its time, so that there is something left to do.
    plan = make_plan(methods=("reinforce",), seeds=(0, 1), evaluations=8_000)
    with Driver(tmp_path / "study", plan.benchmark, plan.evaluations, 2, "reinforce") as driver:
        driver.wait_for_work()
        addresses = listening(driver.process.pid)
        printed = driver.send(number).splitlines()
    assert len(addresses) > 3  # whoever is on the same network reaches none of them
    assert set(addresses) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    lines = [line for line in printed if not line.startswith("reinforce 1 ")]
    if number == signal.SIGINT:
        hint = f"continue with --resume {tmp_path / 'study'}"
        assert lines == [f"stopped; nothing finished is lost, {hint}"]
        assert driver.process.returncode == 130
    else:
        assert lines == []
    with Study.resume(tmp_path / "study") as study:
        done = study.log.read()
        assert 0 < done.table.num_rows < 16_000
        run_study(study, plan)
        assert plain(study.log.read().table) == expected(plan, table)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_random_kills(tmp_path: Path, make_plan: MakePlan, table: Table) -> None:
    """Workers, writers and then the driver are killed at random moments, four times over."""
    plan = make_plan(methods=("rs", "re", "hb"), seeds=tuple(range(4)), evaluations=10_000)
    chance = random.Random(os.getpid())
    arguments = (plan.benchmark, plan.evaluations, 4, ",".join(plan.methods))
    for _ in range(4):
        with Driver(tmp_path / "study", *arguments) as driver:
            driver.wait_for_work()
            for name in chance.sample([TRAINABLE, WRITER], 2):
                time.sleep(chance.uniform(0, 2))
                for victim in ray_actors(name, driver.process.pid)[:1]:
                    victim.kill()
            time.sleep(chance.uniform(0, 2))
            below = descendants(driver.process.pid)
            driver.process.kill()
            assert still_there(below, 15) == []
    with Driver(tmp_path / "study", *arguments) as driver:
        printed, _ = driver.process.communicate(timeout=600)
        assert driver.process.returncode == 0, printed
    with Study.resume(tmp_path / "study") as study:
        assert plain(study.log.read().table) == expected(plan, table)


@pytest.mark.long
def test_a_joined_cluster(tmp_path: Path, make_plan: MakePlan, table: Table) -> None:
    """A cluster of two nodes, on one of which the driver runs; it is left running."""
    from ray.cluster_utils import Cluster

    with_two_nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        with_two_nodes.add_node(num_cpus=1)
        plan = make_plan(methods=("rs", "hb"))
        with create(tmp_path / "study", plan, table) as study:
            for _ in range(2):  # the second time there is nothing to do
                run_study(study, plan, address=with_two_nodes.address)
            assert plain(study.log.read().table) == expected(plan, table)
        with cluster(with_two_nodes.address, None):
            pass
    finally:
        with_two_nodes.shutdown()
