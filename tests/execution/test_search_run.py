"""Searches and what is kept of them, without Ray."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from raynas.analysis.searches import ALPHAS_SCHEMA, SEARCHES_SCHEMA
from raynas.analysis.trajectory import CURRENT, trajectory
from raynas.execution import Plan, supernet_actor
from raynas.execution.log import Run
from raynas.execution.search_log import LAST, NO_RECORDS, SearchLog, split_records
from raynas.execution.search_plan import plan_searches
from raynas.execution.search_rows import ended_searches, search_rows
from raynas.execution.search_run import SearchRun, spec_of
from raynas.execution.supernet_actor import SearchSpec, SupernetActor
from raynas.images import SearchImages, find_images, load_search_images
from raynas.oneshot import GradientSettings, read_checkpoint
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from search_spaces.table import Table
from tests.execution.conftest import MakePlan
from tests.support.search_plans import (
    SMALL,
    one_thread,
    plain,
    search_plan,
    small_settings,
    undisturbed,
)
from tests.support.searches import Broken, Starving

RUN = ("darts", "1", 0)


@pytest.fixture(scope="module", autouse=True)
def single_thread() -> object:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def images() -> SearchImages:
    return load_search_images(find_images("digits"))


@pytest.fixture(scope="module")
def plan(make_plan: MakePlan) -> Plan:
    searches = search_plan("darts", "random_ws")
    return make_plan(methods=("rs", "darts", "random_ws"), searches=searches)


@pytest.fixture(scope="module")
def whole(plan: Plan) -> dict[Run, pa.Table]:
    """The records of both searches when nothing disturbs them."""
    return {run: undisturbed(plan, run) for run in (RUN, ("random_ws", "1", 0))}


@pytest.fixture
def log(tmp_path: Path) -> SearchLog:
    return SearchLog(tmp_path / "records", tmp_path / "checkpoints")


def go_on(log: SearchLog, plan: Plan, run: tuple[str, str, int], images: SearchImages) -> SearchRun:
    return SearchRun(run, spec_of(plan, run), images, log.read(run), log.checkpoint(run))


@pytest.mark.parametrize("method", ["darts", "random_ws"])
def test_a_new_process_after_every_epoch_changes_nothing(
    method: str, plan: Plan, log: SearchLog, images: SearchImages, whole: dict[Run, pa.Table]
) -> None:
    run = (method, "1", 0)
    for epoch in range(1, 5):
        search = go_on(log, plan, run, images)
        step = search.advance()
        log.commit(run, step.contents, step.checkpoint)
        assert search.finished == (epoch == 4) == log.read(run).ended
    records = log.read(run).records
    assert plain(records) == plain(whole[run])
    assert records["epoch"].to_pylist() == [1, 2, 3, 4]
    assert set(records["device"].to_pylist()) == {"cpu"}
    assert go_on(log, plan, run, images).finished


def test_records_without_their_checkpoint_are_made_again(
    plan: Plan,
    log: SearchLog,
    images: SearchImages,
    whole: dict[Run, pa.Table],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    search = go_on(log, plan, RUN, images)
    for epoch in range(4):
        step = search.advance()
        if epoch < 2:
            log.commit(RUN, step.contents, step.checkpoint)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", _full)  # the checkpoint, not the records
        with pytest.raises(UserError, match=r"cannot write .*last\.pt: the disk is full"):
            log.commit(RUN, step.contents, step.checkpoint)
    known = log.read(RUN)
    assert known.records.num_rows == 4 and not known.ended
    search = go_on(log, plan, RUN, images)
    assert search.contents.records.num_rows == 2
    search.advance()
    search.advance()
    assert plain(search.contents.records) == plain(whole[RUN])


def test_a_stop_between_the_last_checkpoint_and_the_note_of_the_end(
    plan: Plan, log: SearchLog, images: SearchImages, whole: dict[Run, pa.Table]
) -> None:
    search = go_on(log, plan, RUN, images)
    while not search.finished:
        step = search.advance()
        log.commit(RUN, replace(step.contents, ended=False), step.checkpoint)
    search = go_on(log, plan, RUN, images)
    assert not search.finished
    step = search.advance()
    log.commit(RUN, step.contents, step.checkpoint)
    known = log.read(RUN)
    assert known.ended and known.failure is None
    assert plain(known.records) == plain(whole[RUN])


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("damage", ["checkpoint", "records"])
def test_damaged_files_start_the_search_again(
    damage: str,
    plan: Plan,
    log: SearchLog,
    images: SearchImages,
    whole: dict[Run, pa.Table],
    tmp_path: Path,
) -> None:
    step = go_on(log, plan, RUN, images).advance()
    log.commit(RUN, step.contents, step.checkpoint)
    folder = tmp_path / ("records" if damage == "records" else "checkpoints/darts-1-0")
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:500])
    search = go_on(log, plan, RUN, images)
    assert search.contents.records.num_rows == 0
    while not search.finished:
        search.advance()
    assert plain(search.contents.records) == plain(whole[RUN])


def test_checkpoints_are_read_without_running_code(
    plan: Plan, tmp_path: Path, images: SearchImages
) -> None:
    names = {}
    for keep in ("last", "all"):
        log = SearchLog(tmp_path / keep, tmp_path / keep / "checkpoints", keep)
        search = go_on(log, plan, RUN, images)
        for _ in range(2):
            step = search.advance()
            log.commit(RUN, step.contents, step.checkpoint)
        names[keep] = sorted(path.name for path in log.folder(RUN).iterdir())
    assert names == {"last": [LAST], "all": ["epoch_1.pt", "epoch_2.pt", LAST]}
    assert read_checkpoint(log.folder(RUN) / "epoch_1.pt")["epoch"] == 1
    assert read_checkpoint(log.folder(RUN) / LAST)["epoch"] == 2


def test_a_search_that_diverges_or_breaks_is_a_failed_run(
    make_plan: MakePlan, images: SearchImages, table: Table
) -> None:
    wild = {"darts": small_settings("darts", learning_rate=1e30, gradient_clip=1e30)}
    searches = search_plan("broken", classes={"broken": Broken})
    searches = search_plan(
        "broken", "darts", classes=searches.classes, settings=dict(searches.settings) | wild
    )
    plan = make_plan(methods=("darts", "broken"), searches=searches)
    found = []
    for method in plan.methods:
        run = (method, "1", 0)
        search = SearchRun(run, spec_of(plan, run), images, NO_RECORDS, None)
        while not search.finished:
            step = search.advance()
        assert step.checkpoint is None
        found.append((run, search.contents))
    reasons = [contents.failure for _, contents in found]
    assert reasons[0] is not None and "diverged in epoch 1 of 4" in reasons[0]
    assert reasons[1] == "RuntimeError: a fault of its own"
    rows = trajectory(search_rows(found, {"1": table}, 0, "mean"), {"1": table}, CURRENT)
    assert rows["evaluation"].to_pylist() == [0, 0, 1]
    assert rows["validation_error"].null_count == 2
    assert "a fault of its own" in rows["failure"][2].as_py()
    assert rows["incumbent_hash"][2] == rows["module_hash"][1]  # as after the epoch before


def test_out_of_memory_is_no_failure_yet(make_plan: MakePlan, images: SearchImages) -> None:
    searches = search_plan("starving", classes={"starving": Starving})
    plan = make_plan(methods=("starving",), searches=searches)
    run = ("starving", "1", 0)
    with pytest.raises(torch.OutOfMemoryError, match="no memory at all"):
        SearchRun(run, spec_of(plan, run), images, NO_RECORDS, None).advance()


def test_rows_are_what_the_benchmark_says(plan: Plan, table: Table, images: SearchImages) -> None:
    search = SearchRun(RUN, spec_of(plan, RUN), images, NO_RECORDS, None)
    while not search.finished:
        search.advance()
    records = search.contents.records
    rows = search_rows([(RUN, search.contents)], {"1": table}, plan.seed, "seeded")
    vectors = np.array(records["vector"].to_pylist(), np.uint8)
    cells, repeats = table.space.rows(vectors), rows["repeat"].to_numpy()
    assert rows["validation_error"].to_pylist() == pytest.approx(
        table.validation_error(cells, 108, repeats)
    )
    assert set(repeats) <= {0, 1, 2}
    seconds = np.cumsum(records["seconds"].to_numpy())
    assert rows["simulated_seconds"].to_numpy() == pytest.approx(seconds)
    both = seconds + np.cumsum(records["validation_seconds"].to_numpy())
    assert rows["real_seconds"].to_numpy() == pytest.approx(both)
    found = trajectory(rows, {"1": table}, CURRENT)
    last = table.validation_error(cells[-1:], 108, "mean")[0]
    assert ended_searches({RUN: search.contents}, plan.benchmark) == {RUN: (4, pytest.approx(last))}
    assert found["incumbent_hash"].equals(found["module_hash"])
    assert found["module_hash"].to_pylist() == records["module_hash"].to_pylist()
    regret = table.test_error(cells) - table.best_test_error
    assert found["test_regret"].to_pylist() == pytest.approx(regret)
    assert set(found["device"].to_pylist()) == {"cpu"}


def test_the_tables_of_searches(whole: dict[Run, pa.Table], tmp_path: Path) -> None:
    records = pa.concat_tables(whole.values())
    searches, alphas = split_records(records)
    assert searches.schema == SEARCHES_SCHEMA and alphas.schema == ALPHAS_SCHEMA
    assert searches.num_rows == 8
    assert set(alphas["method"].to_pylist()) == {"darts"}  # random search has no parameters
    for row in alphas.to_pylist():
        assert np.prod(row["shape"]) == len(row["values"])
    last = [row for row in alphas.to_pylist() if row["epoch"] == 4]
    assert sum(len(row["values"]) for row in last) == 24
    pq.write_table(alphas, tmp_path / "alphas.parquet")
    assert pq.read_table(tmp_path / "alphas.parquet").equals(alphas)


def test_long_searches_start_first(plan: Plan) -> None:
    assert plan.searches is not None
    settings = {
        "darts": small_settings("darts"),
        "darts2": small_settings("darts2"),
        "gdas": small_settings("gdas", epochs=400),
    }
    searches = search_plan("darts", settings=settings, seeds=(0, 1))
    units = plan_searches(searches, finished={("darts2", "1", 1)})
    assert [(unit.method, unit.seed) for unit in units] == [
        ("gdas", 0),
        ("gdas", 1),
        ("darts2", 0),
        ("darts", 0),
        ("darts", 1),
    ]


def test_methods_of_a_space_start_from_the_same_weights(plan: Plan) -> None:
    one, other = (spec_of(plan, (method, "1", 0)).seed for method in ("darts", "random_ws"))
    assert isinstance(one, np.random.SeedSequence) and isinstance(other, np.random.SeedSequence)
    assert one.spawn_key == other.spawn_key
    next_seed = spec_of(plan, ("darts", "1", 1)).seed
    assert isinstance(next_seed, np.random.SeedSequence)
    assert next_seed.spawn_key != one.spawn_key


def test_an_actor_goes_on_from_bytes(images: SearchImages) -> None:
    spec = SearchSpec("gdas", "2", small_settings("gdas"), 3)
    actor = SupernetActor(spec, images)
    actor.train(2)
    state = actor.save()
    vectors = load_space(2).sample(np.random.default_rng(0), 3)
    accuracies = actor.evaluate(vectors, 2)
    assert actor.train()[0].epoch == 3
    assert not np.array_equal(actor.evaluate(vectors, 2), accuracies)
    actor.load(state)
    assert actor.search.epoch == 2
    assert np.array_equal(actor.evaluate(vectors, 2), accuracies)
    source = images.source
    other = SupernetActor(None, (source, source.read("search")), state=state)
    assert np.array_equal(other.evaluate(vectors, 2), accuracies)
    assert [record.epoch for record in other.train(9)] == [3, 4]
    with pytest.raises(UserError, match="cannot read the checkpoint"):
        actor.load(state[:1000])
    with pytest.raises(UserError, match="the checkpoint has method = 'gdas'"):
        SupernetActor(SearchSpec("darts", "2", small_settings("darts"), 3), images, state=state)
    settings = GradientSettings(**SMALL)
    own = SupernetActor(SearchSpec(Starving, "2", settings), images).save()
    again = SupernetActor(None, images, state=own, kind=Starving)
    assert isinstance(again.search.method, Starving)
    with pytest.raises(UserError, match="starving"):
        SupernetActor(None, images, state=own)
    torch_only = SupernetActor(spec, images, state=state)
    assert all(isinstance(p, torch.Tensor) for p in torch_only.search.method.network.parameters())


def test_a_process_that_searches_on_a_cpu_keeps_freed_memory(
    images: SearchImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(supernet_actor, "keep_freed_memory", lambda: calls.append(True))
    SupernetActor(SearchSpec("darts", "1", small_settings("darts")), images)
    assert calls == [True]
