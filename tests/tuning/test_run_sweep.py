"""Sweeps on Ray that nobody disturbs, and what they refuse."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from search_spaces.errors import UserError
from tests.support.ray_sweeps import FEW, REPOSITORY, Listener, UntilFull, check, sweep
from tests.support.sweep_driver import Slow
from tests.support.sweeps import toy_objective, toy_space
from tuning.run import run_sweep
from tuning.study import read_checkpoint_of
from tuning.table import EVALUATION_SCHEMA, read_evaluations


@pytest.mark.long
def test_a_sweep(tmp_path: Path, small_ray: None) -> None:
    listener, objective = Listener(), Slow(0.05, tmp_path / "calls")
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


@pytest.fixture(params=["told", pytest.param("started", marks=pytest.mark.long)])
def no_gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ray without GPUs: what it would tell of itself, or a real one."""
    if request.param == "started":
        request.getfixturevalue("small_ray")
        return
    monkeypatch.setattr("ray.is_initialized", lambda: True)
    monkeypatch.setattr("ray.nodes", lambda: [{"Alive": True, "Resources": {"CPU": 2.0}}])
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 2.0})


def test_a_gpu_that_is_not_there(tmp_path: Path, no_gpu: None) -> None:
    words = r"this machine has not the 1 CPU and 0\.5 GPU that an .* \(all .*: 2 CPUs, 0 GPUs\)"
    with pytest.raises(UserError, match=words):
        sweep(tmp_path / "study", gpus_per_trial=0.5)


@pytest.mark.long
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


def test_a_cluster_that_never_comes_up(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no Ray cluster at 127\.0\.0\.1:1: "):
        sweep(tmp_path / "study", address="127.0.0.1:1")


@pytest.fixture
def other_cluster() -> Iterator[str]:
    """The address of a cluster of another process, which has one core."""
    code = (
        "import sys; from ray.cluster_utils import Cluster\n"
        "nodes = Cluster(initialize_head=True, head_node_args={'num_cpus': 1})\n"
        "print('at', nodes.address, flush=True)\n"
        "sys.stdin.read(); nodes.shutdown()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as head:
        assert head.stdout is not None
        yield next(line.split()[1] for line in head.stdout if line.startswith("at "))
        head.communicate("")


@pytest.mark.long
def test_a_cluster_whose_gpus_never_come_up(tmp_path: Path, other_cluster: str) -> None:
    """In a process of its own, as the sweeps of this one share a cluster."""
    code = (
        "import sys; from pathlib import Path; from tests.support.ray_sweeps import sweep\n"
        "sweep(Path(sys.argv[1]), address=sys.argv[2], gpus_per_trial=1, start_timeout=3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "study"), other_cluster],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 1
    assert "had not within 3 s the 1 CPU and 1 GPU that an" in done.stderr
