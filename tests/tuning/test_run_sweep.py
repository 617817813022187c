"""Sweeps on Ray, undisturbed and with processes and nodes killed under them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raynas.execution.cluster import cluster
from search_spaces.errors import UserError
from tests.support.processes import descendants, ray_actors, still_there
from tests.support.sweep_driver import Slow
from tests.support.sweeps import expected_table, small, toy_objective, toy_space
from tuning.algorithms import make_algorithm
from tuning.progress import SweepProgress
from tuning.run import SweepResult, read_sweep_manifest, run_sweep
from tuning.settings import SweepSettings
from tuning.study import read_checkpoint_of
from tuning.table import EVALUATION_SCHEMA, incumbent, read_evaluations

pytestmark = pytest.mark.long  # a minute or more with every start of Ray

REPOSITORY = Path(__file__).parent.parent.parent
TRAINABLE, WRITER = "EvaluationTrainable", "SweepWriter"
FEW = small("bohb", iterations=3, concurrent=3)


@pytest.fixture(scope="module")
def small_ray() -> Iterator[None]:
    """A local cluster that the sweeps of this module share."""
    before = {process.pid for process in descendants()}
    with cluster(None, cpus=2, gpus=0) as folder:
        processes = [process for process in descendants() if process.pid not in before]
        yield
    assert still_there(processes, 10) == []
    assert not folder.exists()


def plain(table: pa.Table, *, seconds: bool = True) -> list[dict[str, Any]]:
    """The rows without what the clock on the wall says, and maybe without search seconds."""
    rows = table.drop_columns(["started", "finished"]).to_pylist()
    for row in rows:
        if row["status"] == "failed" or not seconds:
            row["seconds"] = row["total_seconds"] = None
        if row["status"] == "failed":
            row["error"] = row["error"].strip().splitlines()[-1]
    return rows


def check(path: Path, settings: SweepSettings, *, seconds: bool = True) -> None:
    """A finished sweep is the undisturbed one."""
    table = pq.read_table(path / "evaluations.parquet")
    expected = plain(expected_table(settings), seconds=seconds)
    assert plain(table, seconds=seconds) == expected
    best = incumbent(table)
    assert (
        best is not None and best["evaluation"] == incumbent(expected_table(settings))["evaluation"]
    )
    assert read_sweep_manifest(path)["finished"] and not (path / "log").exists()


@dataclass
class Listener:
    """Remembers what it was told, and does something once after so many evaluations."""

    action: Callable[[], object] | None = None
    after: int = 2

    def __post_init__(self) -> None:
        self.seen: list[SweepProgress] = []
        self.cannot_be_pickled = threading.RLock()

    def on_progress(self, progress: SweepProgress) -> None:
        self.seen.append(progress)
        if self.action is not None and progress.finished >= self.after and progress.running:
            action, self.action = self.action, None
            action()


def kill(name: str) -> Callable[[], None]:
    def action() -> None:
        victims = ray_actors(name)
        assert victims
        for victim in victims:
            victim.kill()

    return action


def sweep(
    path: Path, settings: SweepSettings = FEW, objective: Any = toy_objective, **options: Any
) -> SweepResult:
    return run_sweep(settings, toy_space(), objective, path, **options)


def test_a_sweep(tmp_path: Path, small_ray: None) -> None:
    listener, objective = Listener(), Slow(0.1, tmp_path / "calls")
    options = {"arguments": {"method": "toy"}, "objective": objective}
    result = sweep(tmp_path / "study", **options, listener=listener)
    check(tmp_path / "study", FEW)
    names = [*EVALUATION_SCHEMA.names, "kind", "length", "momentum", "rate"]
    assert result.table.schema.names == names
    assert result.table.equals(read_evaluations(tmp_path / "study"))
    assert result.failed == result.table["status"].to_pylist().count("failed") > 0
    assert result.warnings()[0].startswith(f"{result.failed} of 13 evaluations failed")
    last = listener.seen[-1]
    assert (last.finished, last.failed, last.running) == (13, result.failed, ())
    assert last.epochs == last.planned_epochs == FEW.planned_epochs
    assert last.best is not None and result.incumbent is not None
    assert last.best.evaluation.number == result.incumbent["evaluation"]
    assert {e.bracket for progress in listener.seen for e in progress.running} == {0, 1, 2}
    for row in result.table.to_pylist():
        state = read_checkpoint_of(tmp_path / "study", row["configuration"])
        assert row["status"] == "failed" or json.loads(state or b"")["epochs"] >= row["epochs"]
    again = sweep(tmp_path / "study", **options, resume=True)
    assert again.table.equals(result.table)


def test_killed_workers_lose_nothing(tmp_path: Path, small_ray: None) -> None:
    objective = Slow(0.1, tmp_path / "calls")
    listener = Listener(kill(TRAINABLE))
    sweep(tmp_path / "study", objective=objective, listener=listener)
    assert listener.action is None
    check(tmp_path / "study", FEW)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert 13 <= len(calls) <= 15, "only what was cut off is done again"
    assert any(line.endswith("True") for line in calls), "promoted ones continue"


@pytest.mark.long
def test_a_killed_writer_loses_nothing(tmp_path: Path, small_ray: None) -> None:
    listener = Listener(kill(WRITER))
    sweep(tmp_path / "study", objective=Slow(0.1, tmp_path / "calls"), listener=listener)
    check(tmp_path / "study", FEW)


@pytest.mark.long
def test_restarting_trains_anew(tmp_path: Path, small_ray: None) -> None:
    settings = replace(FEW, restart=True)
    sweep(tmp_path / "study", settings, Slow(0.0, tmp_path / "calls"))
    check(tmp_path / "study", settings)
    assert not any("True" in line for line in (tmp_path / "calls").read_text().splitlines())


@pytest.mark.long
@pytest.mark.parametrize("algorithm", ["hyperband", "asha", "random"])
def test_other_algorithms(tmp_path: Path, small_ray: None, algorithm: str) -> None:
    settings = replace(FEW, algorithm=algorithm)
    sweep(tmp_path / "study", settings, Slow(0.02, tmp_path / "calls"))
    check(tmp_path / "study", settings)


def test_what_is_lost_or_damaged_is_done_again(tmp_path: Path, small_ray: None) -> None:
    path = tmp_path / "study"
    with pytest.raises(UserError, match="the disk of the toys is full"):
        sweep(path, objective=UntilFull(6, tmp_path / "calls"))
    records = sorted(path.glob("log/*.json"))
    assert 4 <= len(records) <= 6
    records[1].write_bytes(records[1].read_bytes()[:-5])
    for state in path.glob("checkpoints/*/*.pt"):
        state.write_bytes(b"?")
    result = sweep(path, resume=True)
    assert result.damaged == 1 and "1 damaged files of the log" in result.warnings()[-1]
    check(path, FEW, seconds=False)  # without its checkpoint a configuration begins again


@dataclass(frozen=True)
class UntilFull:
    """The toy objective, which after some calls has a problem for the user."""

    calls: int
    file: Path

    def __call__(self, *arguments: Any) -> Any:
        with self.file.open("a") as file:
            file.write("x")
        if self.file.stat().st_size > self.calls:
            raise UserError("the disk of the toys is full; tidy up")
        return toy_objective(*arguments)


@pytest.mark.long
def test_a_trial_that_is_given_up_is_a_failed_evaluation(
    tmp_path: Path, small_ray: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuning.run._MOST_RESTARTS", 0)
    monkeypatch.setattr("tuning.run._RESUBMISSIONS", 0)
    listener = Listener(kill(TRAINABLE))
    result = sweep(tmp_path / "study", objective=Slow(0.3, tmp_path / "calls"), listener=listener)
    errors = [error for error in result.table["error"].to_pylist() if error is not None]
    assert any("given up by Ray Tune" in error for error in errors)
    assert result.table["evaluation"].to_pylist() == list(range(13))
    again = [make_algorithm(FEW, toy_space()).ask(), result.table.to_pylist()[0]]
    assert again[0].configuration.values["rate"] == again[1]["rate"]


class Driver:
    """A sweep in a process of its own."""

    def __init__(self, study: Path, settings: SweepSettings, pace: float, *address: str) -> None:
        arguments = [str(study), json.dumps(settings.to_arguments()), str(pace), *address]
        self.study = study
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.sweep_driver", *arguments],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_for_work(self, count: int = 1) -> None:
        """Until so many evaluations have ended that had not ended before."""
        before = self.records()
        while self.process.poll() is None and len(self.records() - before) < count:
            time.sleep(0.02)

    def records(self) -> set[Path]:
        return set(self.study.glob("log/0*.json"))

    def kill(self) -> None:
        """Kill the driver; check that nothing is left running."""
        below = descendants(self.process.pid)
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=20)
        assert still_there(below, 15) == []

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def test_a_killed_driver_loses_nothing(tmp_path: Path, small_ray: None) -> None:
    path = tmp_path / "study"
    with Driver(path, FEW, 0.2) as driver:
        driver.wait_for_work(4)
        driver.kill()
        ended = len(driver.records())
    assert 4 <= ended < 13 and read_evaluations(path).num_rows == ended
    objective = Slow(0.0, tmp_path / "calls")
    sweep(path, objective=objective, resume=True)
    check(path, FEW)
    assert len(objective.calls.read_text().splitlines()) == 13 - ended


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_random_kills(tmp_path: Path) -> None:
    """Four workers and then the driver, at random moments, five times over: 25 kills."""
    settings = small("bohb", iterations=60, concurrent=4)
    chance = random.Random(os.getpid())
    path, kills = tmp_path / "study", Counter[str]()
    while kills.total() < 25:
        with Driver(path, settings, 0.5) as driver:
            driver.wait_for_work(chance.randrange(1, 4))
            for _ in range(4):
                time.sleep(chance.uniform(0, 1.5))
                kills["worker"] += kill_one(driver)
            time.sleep(chance.uniform(0, 1.5))
            if driver.process.poll() is None:  # else the machine was too busy to start Ray
                driver.kill()
                kills["driver"] += 1
        assert not read_sweep_manifest(path)["finished"], "the sweep is too short for its kills"
    with Driver(path, settings, 0.02) as driver:
        printed, _ = driver.process.communicate(timeout=1200)
        assert driver.process.returncode == 0, printed
    print(kills)
    assert kills["driver"] >= 3
    check(path, settings)


def kill_one(driver: Driver | None = None) -> bool:
    """Kill a worker, of a driver or of this machine's cluster, if there is one."""
    try:
        victims = ray_actors(TRAINABLE, driver and driver.process.pid)
        for victim in victims[:1]:
            victim.kill()
    except psutil.NoSuchProcess:
        return False
    return bool(victims)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_random_kills_on_two_nodes(tmp_path: Path) -> None:
    """Of the second node, of workers and of the driver, in turn; the head keeps running."""
    from ray.cluster_utils import Cluster

    settings = small("bohb", iterations=40, concurrent=4)
    chance = random.Random(os.getpid())
    path, kills = tmp_path / "study", Counter[str]()
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        while kills.total() < 21:
            with Driver(path, settings, 0.5, nodes.address) as driver:
                for _ in range(2):
                    other = nodes.add_node(num_cpus=2)
                    driver.wait_for_work(2)
                    for _ in range(2):
                        time.sleep(chance.uniform(0, 1))
                        kills["worker"] += kill_one()
                    nodes.remove_node(other, allow_graceful=False)
                    kills["node"] += 1
                driver.wait_for_work(1)
                time.sleep(chance.uniform(0, 1))
                if driver.process.poll() is None:
                    driver.process.kill()
                    kills["driver"] += 1
            assert not read_sweep_manifest(path)["finished"], "the sweep is too short"
        nodes.add_node(num_cpus=2)
        with Driver(path, settings, 0.02, nodes.address) as driver:
            printed, _ = driver.process.communicate(timeout=1200)
            assert driver.process.returncode == 0, printed
        print(kills)
        assert kills["node"] >= 4 and kills["driver"] >= 2
        check(path, settings)
    finally:
        nodes.shutdown()


def test_other_settings_do_not_resume(tmp_path: Path, small_ray: None) -> None:
    path = tmp_path / "study"
    with pytest.raises(UserError, match="the disk of the toys is full"):
        sweep(path, objective=UntilFull(1, tmp_path / "calls"), arguments={"method": "toy"})
    with pytest.raises(UserError, match="max_epochs is 100 there, 50 was given") as caught:
        sweep(path, replace(FEW, max_epochs=50), resume=True)
    assert caught.value.exit_code == 2
    with pytest.raises(UserError, match="method is 'toy' there, 'other' was given"):
        sweep(path, resume=True, arguments={"method": "other"})
    space = toy_space()
    space["rate"].default_value = 0.1
    with pytest.raises(UserError, match=r"another configuration space \(differs in: rate\)"):
        run_sweep(FEW, space, toy_objective, path, resume=True)
    with pytest.raises(UserError, match="holds a study already; continue it with --resume"):
        sweep(path)
    with pytest.raises(UserError, match="no study directory"):
        sweep(tmp_path / "nothing", resume=True)


def test_a_gpu_that_is_not_there(tmp_path: Path, small_ray: None) -> None:
    with pytest.raises(UserError, match=r"this machine has not the 1 CPU and 0\.5 GPU that an"):
        sweep(tmp_path / "study", gpus_per_trial=0.5)


def test_a_cluster_that_never_comes_up(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no Ray cluster at 127\.0\.0\.1:1: "):
        sweep(tmp_path / "study", address="127.0.0.1:1")


@pytest.mark.long
def test_a_cluster_whose_gpus_never_come_up(tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        with pytest.raises(UserError, match="had not within 3 s the 1 CPU and 1 GPU that an"):
            sweep(tmp_path / "a", address=nodes.address, gpus_per_trial=1, start_timeout=3)
    finally:
        nodes.shutdown()
