"""One-shot searches in studies on Ray, undisturbed and with processes killed under them."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from raynas.analysis.trajectory import TRAJECTORY_SCHEMA
from raynas.execution import Plan, read_manifest, run_study
from raynas.execution.supernet_actor import SearchSpec, SupernetActor, evaluate_in_pool
from raynas.images import find_images, load_search_images
from raynas.search_request import search_plan as planned
from search_spaces.benchmark import Benchmark
from search_spaces.spaces import load_space
from search_spaces.table import Table
from tests.execution.conftest import MakePlan
from tests.support.processes import compare, descendants, ray_actors, still_there
from tests.support.ray_studies import TRAINABLE, WRITER, Listener, clean_cluster, create, kill
from tests.support.search_plans import one_thread, plain, search_plan, small_settings, undisturbed
from tests.support.searches import Hungry, Starving

RUN = ("darts", "1", 0)


@pytest.fixture(scope="module")
def small_ray() -> Iterator[None]:
    """A local cluster with a GPU that is one by name only."""
    with clean_cluster(gpus=1):
        yield


@pytest.mark.long
@pytest.mark.parametrize("victim", [TRAINABLE, WRITER])
def test_killed_processes_lose_nothing(
    tmp_path: Path, small_ray: None, make_plan: MakePlan, table: Table, victim: str
) -> None:
    """Right after the first epoch; both kinds of trials are in the study."""
    searches = search_plan("darts", "random_ws")
    plan = make_plan(methods=("rs", "darts", "random_ws"), searches=searches)
    listener = Listener(kill(victim), "darts")
    with create(tmp_path / "study", plan, table) as study:
        outcome = run_study(study, plan, listener=listener)
        assert listener.action is None
        found = {run: study.searches.read(run) for run in searches.runs()}
        result = study.finish({"1": table}, searches.runs())
    assert outcome.failed_runs == () and outcome.rows == result.num_rows == 60 + 8
    for run, contents in found.items():
        assert contents.ended and plain(contents.records) == plain(undisturbed(plan, run))
    last = {told[0]: told for told in listener.seen}
    assert last["darts"][:4] == ("darts", "1", 4, 4)
    errors = result.filter(np.array(result["method"].to_pylist()) == "darts")
    assert last["darts"][4] == pytest.approx(errors["incumbent_validation_error"][-1].as_py())
    assert result["method"].unique().to_pylist() == ["rs", "darts", "random_ws"]
    devices = dict(zip(result["method"].to_pylist(), result["device"].to_pylist(), strict=True))
    assert devices == {"rs": "table", "darts": "cpu", "random_ws": "cpu"}


@pytest.mark.long
def test_only_the_search_that_cannot_go_on_fails(
    tmp_path: Path,
    small_ray: None,
    make_plan: MakePlan,
    table: Table,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Out of memory: once more with twice the share, then it is over; divergence: at once."""
    shares = {"hungry": 0.5, "starving": 0.3, "darts": 0.0}
    monkeypatch.setattr("raynas.execution.runner.fractions", lambda *_: shares)
    own = {"hungry": Hungry, "starving": Starving}
    settings = dict(search_plan("hungry", "starving", classes=own).settings)
    settings["darts"] = small_settings("darts", learning_rate=1e30, gradient_clip=1e30)
    searches = search_plan("darts", settings=settings, classes=own)
    plan = make_plan(methods=("rs", "darts", "hungry", "starving"), searches=searches)
    with create(tmp_path / "study", plan, table) as study:
        outcome = run_study(study, plan)
        records = {run[0]: study.searches.read(run).records for run in searches.runs()}
        result = study.finish({"1": table}, searches.runs())
    failed = {run[0]: reason for run, reason in outcome.failed_runs}
    assert failed.keys() == {"darts", "starving"}
    assert "diverged in epoch 1 of 4" in failed["darts"]
    assert "no memory at all" in failed["starving"]
    assert plain(records["hungry"]) == plain(_with_a_gpu(plan, ("hungry", "1", 0)))
    assert result.num_rows == 60 + 4 + 2
    assert len(outcome.warnings()) == 2


def _with_a_gpu(plan: Plan, run: tuple[str, str, int]) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Hungry, "start_epoch", lambda *_: None)
        return undisturbed(plan, run)


@pytest.mark.long
def test_a_pool_evaluates_one_checkpoint(small_ray: None) -> None:
    """An actor is killed meanwhile; its block is evaluated again."""
    images = load_search_images(find_images("digits"))
    vectors = load_space("1").sample(np.random.default_rng(0), 400)
    with one_thread():
        actor = SupernetActor(SearchSpec("darts", "1", small_settings("darts")), images)
        actor.train()
        expected = actor.evaluate(vectors)
    killed: list[int] = []

    def strike() -> None:
        end = time.monotonic() + 60
        while not killed and time.monotonic() < end:
            for victim in ray_actors("SupernetActor")[:1]:
                killed.append(victim.pid)
                victim.kill()
            time.sleep(0.005)

    striker = threading.Thread(target=strike)
    striker.start()
    found = evaluate_in_pool(actor.save(), vectors, actors=2)
    striker.join()
    assert np.array_equal(found, expected)
    assert killed


@pytest.mark.long
def test_a_comparison_that_is_killed_and_resumed(
    tmp_path: Path, benchmark: Benchmark, table: Table
) -> None:
    """From the command line: one black-box and two one-shot methods."""
    options = "--space 1 --methods rs,darts,random_ws --seeds 3 --evaluations 10 --epochs 3"
    options += " --search-seeds 1 --cells 1 --batch-size 300"
    driver = compare(
        *options.split(), "--benchmark", str(benchmark.path), "--out", "study", cwd=tmp_path
    )
    study = tmp_path / "study"
    while driver.poll() is None and not list(study.glob("checkpoints/*/last.pt")):
        time.sleep(0.02)
    assert driver.poll() is None
    below = descendants(driver.pid)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    assert still_there(below, 15) == []
    assert not (study / "searches.parquet").exists()
    again = compare("--resume", "study", "--epochs", "3", cwd=tmp_path)
    printed, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert "one-shot" in printed and "darts: done, current" in printed
    _check(study, table)
    refused = compare("--resume", "study", "--cells", "2", cwd=tmp_path)
    assert "cells is 1 there, 2 was given" in refused.communicate(timeout=60)[1]


def _check(study: Path, table: Table) -> None:
    manifest = read_manifest(study)
    searches = planned(manifest)
    assert searches is not None and manifest["finished"]
    plan = Plan(
        ("1",),
        tuple(manifest["arguments"]["methods"]),
        (0, 1, 2),
        10,
        table.benchmark.path,
        table.benchmark.sha256,
        searches=searches,
    )
    found = pq.read_table(study / "searches.parquet")
    expected = [row for run in searches.runs() for row in plain(undisturbed(plan, run))]
    for row in expected:
        del row["alphas"]
    assert plain(found) == expected
    alphas = pq.read_table(study / "alphas.parquet").to_pylist()
    assert {row["method"] for row in alphas} == {"darts"}
    assert {row["epoch"] for row in alphas} == {1, 2, 3}
    trajectories = pq.read_table(study / "trajectories.parquet")
    assert trajectories.schema.names == TRAJECTORY_SCHEMA.names
    assert trajectories.schema.names[-1] == "device"
    cells = trajectories.slice(30)["module_hash"].to_pylist()
    assert cells == found["module_hash"].to_pylist()
    summary = pq.read_table(study / "summary.parquet").to_pylist()
    families = {row["method"]: (row["family"], row["runs"]) for row in summary}
    assert families["rs"] == ("black-box", 3)
    assert families["darts"] == families["random_ws"] == ("one-shot", 1)
    ranks = {row["method"]: row["mean_rank"] for row in summary if row["checkpoint"] == "final"}
    assert ranks["rs"] == 1 and ranks["darts"] + ranks["random_ws"] == 3
    search = json.loads((study / "manifest.json").read_text())["search"]
    assert search["images"]["name"] == "digits" and search["device"] == "cpu"
    assert search["settings"]["darts"]["batch_size"] == 300


@pytest.mark.long
def test_the_death_of_a_node_loses_nothing(
    tmp_path: Path, make_plan: MakePlan, table: Table
) -> None:
    """Of two nodes, the one without the driver is gone after the first epoch."""
    from ray.cluster_utils import Cluster

    searches = search_plan("darts", "random_ws", "gdas", seeds=(0, 1))
    plan = make_plan(methods=("rs", "darts", "random_ws", "gdas"), searches=searches)
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        other = nodes.add_node(num_cpus=2)
        listener = Listener(lambda: nodes.remove_node(other, allow_graceful=False), "darts")
        with create(tmp_path / "study", plan, table) as study:
            outcome = run_study(study, plan, listener=listener, address=nodes.address)
            assert listener.action is None and outcome.failed_runs == ()
            for run in searches.runs():
                found = study.searches.read(run)
                assert plain(found.records) == plain(undisturbed(plan, run))
    finally:
        nodes.shutdown()
