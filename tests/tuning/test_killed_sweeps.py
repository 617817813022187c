"""Sweeps on Ray with processes and nodes killed under them."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from search_spaces.errors import UserError
from tests.support.processes import ray_actors
from tests.support.ray_studies import kill
from tests.support.ray_sweeps import (
    FEW,
    TRAINABLE,
    WRITER,
    Driver,
    Listener,
    UntilFull,
    check,
    sweep,
)
from tests.support.sweep_driver import Slow
from tests.support.sweeps import small, toy_space
from tuning.algorithms import make_algorithm
from tuning.run import read_sweep_manifest
from tuning.table import read_evaluations

pytestmark = pytest.mark.long


def test_killed_workers_lose_nothing(tmp_path: Path, small_ray: None) -> None:
    objective = Slow(0.1, tmp_path / "calls")
    listener = Listener(kill(TRAINABLE))
    sweep(tmp_path / "study", objective=objective, listener=listener)
    assert listener.action is None
    check(tmp_path / "study", FEW)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert 13 <= len(calls) <= 15, "only what was cut off is done again"
    assert any(line.endswith("True") for line in calls), "promoted ones continue"


def test_a_killed_writer_loses_nothing(tmp_path: Path, small_ray: None) -> None:
    listener = Listener(kill(WRITER))
    sweep(tmp_path / "study", objective=Slow(0.1, tmp_path / "calls"), listener=listener)
    check(tmp_path / "study", FEW)


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


def test_a_trial_that_is_given_up_is_a_failed_evaluation(
    tmp_path: Path, small_ray: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuning.run.MOST_RESTARTS", 0)
    monkeypatch.setattr("raynas.execution.resubmissions.MOST_RESUBMISSIONS", 0)
    listener = Listener(kill(TRAINABLE))
    result = sweep(tmp_path / "study", objective=Slow(0.3, tmp_path / "calls"), listener=listener)
    errors = [error for error in result.table["error"].to_pylist() if error is not None]
    assert any("given up by Ray Tune" in error for error in errors)
    assert result.table["evaluation"].to_pylist() == list(range(13))
    again = [make_algorithm(FEW, toy_space()).ask(), result.table.to_pylist()[0]]
    assert again[0].configuration.values["rate"] == again[1]["rate"]


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


def test_ctrl_c_stops_and_says_how_to_go_on(tmp_path: Path, small_ray: None) -> None:
    path = tmp_path / "study"
    with Driver(path, FEW, 0.5) as driver:
        driver.wait_for_work(4)
        lines = driver.interrupt().splitlines()
        ended = len(driver.records())
    assert driver.process.returncode == 130
    assert lines[-1] == f"stopped; nothing finished is lost, continue with --resume {path}"
    assert [line for line in lines[:-1] if not line.replace(" ", "").isdigit()] == []
    assert 4 <= ended < 13 and read_evaluations(path).num_rows == ended
    objective = Slow(0.0, tmp_path / "calls")
    sweep(path, objective=objective, resume=True)
    check(path, FEW)
    assert len(objective.calls.read_text().splitlines()) == 13 - ended


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
