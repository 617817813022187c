"""The study directory: made at once, locked, resumed with the same arguments only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from raynas.analysis.trajectory import TRAJECTORY_SCHEMA, trajectory
from raynas.execution import Study, new_manifest, read_manifest, read_trajectories
from raynas.execution.log import rows_to_table
from raynas.execution.row import Row
from search_spaces.errors import UserError
from search_spaces.table import Table

ARGUMENTS: dict[str, Any] = {
    "spaces": ["1"],
    "methods": ["rs", "re"],
    "seeds": 2,
    "evaluations": 3,
    "budget_seconds": None,
    "repeat": "seeded",
    "incumbent": "validation",
}


@pytest.fixture
def manifest(table: Table) -> dict[str, Any]:
    return new_manifest(ARGUMENTS, {"1": table})


@pytest.fixture
def path(tmp_path: Path, manifest: dict[str, Any]) -> Path:
    Study.create(tmp_path / "new" / "study", manifest).close()
    return tmp_path / "new" / "study"


def fill(study: Study, table: Table) -> None:
    for method in ("re", "rs"):
        for seed in (0, 1):
            row = Row(0, 0, (0,), 7, 108, 0, 0.5, 0.5, 9.0, 0.1, None)
            study.log.append(rows_to_table((method, "1", seed), [row]), {(method, "1", seed): 1})


def test_a_new_study(path: Path, manifest: dict[str, Any], table: Table) -> None:
    assert read_manifest(path) == manifest
    assert sorted(entry.name for entry in path.iterdir()) == ["log", "manifest.json"]
    assert [entry.name for entry in path.parent.iterdir()] == ["study"]
    assert manifest["benchmark"]["sha256"] == table.benchmark.sha256
    assert manifest["versions"]["ray"] and manifest["host"]["cores"] >= 1
    assert manifest["tables"]["1"]["num_unique"] == 2685


def test_an_empty_directory_may_be_used(tmp_path: Path, manifest: dict[str, Any]) -> None:
    Study.create(tmp_path, manifest).close()
    assert read_manifest(tmp_path) == manifest


def test_an_occupied_directory_is_refused(
    path: Path, tmp_path: Path, manifest: dict[str, Any]
) -> None:
    with pytest.raises(UserError, match="holds a study already; continue it with --resume"):
        Study.create(path, manifest)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    for occupied in (tmp_path / "other", tmp_path / "other" / "file"):
        with pytest.raises(UserError, match="exists and is not empty; choose another"):
            Study.create(occupied, manifest)


def test_a_place_that_cannot_be_written(tmp_path: Path, manifest: dict[str, Any]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot (write|look into)"):
        Study.create(tmp_path / "file" / "study", manifest)
    with pytest.raises(UserError, match="cannot write /proc/study"):
        Study.create("/proc/study", manifest)


def test_a_full_disk_at_the_start_leaves_nothing(
    tmp_path: Path, manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "study"
    monkeypatch.setattr(Path, "write_text", _full)
    with pytest.raises(UserError) as caught:
        Study.create(path, manifest)
    assert str(caught.value).startswith(f"cannot write {path}: the disk is full")
    assert list(tmp_path.iterdir()) == []


def test_resume_with_the_same_arguments(path: Path) -> None:
    with Study.resume(path, ARGUMENTS | {"methods": ("rs", "re")}) as study:
        assert study.arguments == ARGUMENTS
    with Study.resume(path, {"seeds": 2}):
        pass


def test_resume_with_other_arguments(path: Path, table: Table) -> None:
    with pytest.raises(UserError) as caught:
        Study.resume(path, {"seeds": 5, "evaluations": 3, "repeat": "mean"})
    assert "seeds is 2 there, 5 was given; repeat is 'seeded' there, 'mean' was given" in str(
        caught.value
    )
    with pytest.raises(UserError, match=r"\[0, 1, \.\.\. 499\] \(500 values\) was given"):
        Study.resume(path, {"seeds": list(range(500))})
    with pytest.raises(UserError, match="made with the benchmark 'synthetic space 1'"):
        Study.resume(path, sha256="0" * 64)
    Study.resume(path, sha256=table.benchmark.sha256).close()


def test_resume_of_what_is_no_study(tmp_path: Path, path: Path) -> None:
    with pytest.raises(UserError, match="no study directory"):
        Study.resume(tmp_path / "nothing")
    with pytest.raises(UserError, match=r"is no study: it has no manifest\.json; .*makes one"):
        Study.resume(tmp_path)
    manifest = path / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text[:100])
    with pytest.raises(UserError, match="damaged"):
        Study.resume(path)
    manifest.write_text(json.dumps(json.loads(text) | {"format": 99}))
    with pytest.raises(UserError, match="layout 99, this version of raynas reads layout 1"):
        Study.resume(path)
    manifest.write_text(json.dumps({"format": 1}))
    with pytest.raises(UserError, match="lacks created"):
        Study.resume(path)


def test_every_continuation_is_noted(path: Path, table: Table) -> None:
    created = read_manifest(path)
    assert created["resumed"] == []
    for _ in range(2):
        Study.resume(path).close()
    with pytest.raises(UserError):
        Study.resume(path, {"seeds": 5})
    manifest = read_manifest(path)
    assert manifest | {"resumed": []} == created
    assert len(manifest["resumed"]) == 2
    for entry in manifest["resumed"]:
        assert entry["time"] >= manifest["created"]
        assert entry["versions"]["torch"] and entry["host"] == manifest["host"]
    with Study.resume(path) as study:
        fill(study, table)
        study.finish({"1": table})
    finished = read_manifest(path)
    assert len(finished["resumed"]) == 3
    Study.resume(path).close()  # only looked at
    assert read_manifest(path) == finished


def test_a_study_from_before_continuations_were_noted(path: Path) -> None:
    manifest = read_manifest(path)
    del manifest["resumed"]
    (path / "manifest.json").write_text(json.dumps(manifest))
    Study.resume(path).close()
    assert len(read_manifest(path)["resumed"]) == 1


def test_a_continuation_that_cannot_be_noted_leaves_the_study_free(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_manifest(path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", _full)
        with pytest.raises(UserError, match=r"cannot write .*manifest\.json: the disk is full"):
            Study.resume(path)
    assert read_manifest(path) == before
    Study.resume(path).close()


def test_only_one_process_may_run_a_study(path: Path) -> None:
    with (
        Study.resume(path),
        pytest.raises(UserError, match=rf"run by another process \(pid {os.getpid()}\)"),
    ):
        Study.resume(path)
    Study.resume(path).close()


def test_the_lock_ends_with_a_killed_process(path: Path) -> None:
    program = (
        "import sys; from raynas.execution import Study; s = Study.resume(sys.argv[1]);"
        "print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(UserError, match=rf"pid {other.pid}"):
            Study.resume(path)
        other.send_signal(signal.SIGKILL)
    Study.resume(path).close()


def test_finish(path: Path, table: Table) -> None:
    with Study.resume(path) as study:
        fill(study, table)
        result = study.finish({"1": table})
        assert study.finished
        assert study.finish({"1": table}).equals(result)
    assert result.schema.names == TRAJECTORY_SCHEMA.names
    assert result["method"].to_pylist() == ["rs", "rs", "re", "re"]  # as in the arguments
    assert read_trajectories(path).equals(result)
    assert sorted(entry.name for entry in path.iterdir()) == [
        "manifest.json",
        "trajectories.parquet",
    ]
    with Study.resume(path) as again:
        assert again.finished
    assert not (path / "log").exists()


def test_a_manifest_says_what_searches_run_on(
    tmp_path: Path, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_gpu(*arguments: Any) -> Any:
        found = trajectory(*arguments)
        devices = ["table", "cpu"] + ["NVIDIA H100"] * (found.num_rows - 2)
        index = found.schema.get_field_index("device")
        return found.set_column(index, "device", [devices])

    monkeypatch.setattr("raynas.execution.study.trajectory", on_gpu)
    assert new_manifest(ARGUMENTS, {"1": table})["device"] == "cpu"
    manifest = new_manifest(ARGUMENTS, {"1": table}, {"device": "cuda"})
    with Study.create(tmp_path / "study", manifest) as study:
        fill(study, table)
        study.finish({"1": table})
    found = read_manifest(tmp_path / "study")
    assert found["device"] == "cuda" and found["gpus"] == ["NVIDIA H100"]


def test_finish_after_a_crash_in_finish(
    path: Path, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Study.resume(path) as study:
        fill(study, table)
        with monkeypatch.context() as patch:
            patch.setattr("raynas.execution.directory.write_manifest", _interrupt)
            with pytest.raises(KeyboardInterrupt):
                study.finish({"1": table})
    with Study.resume(path) as study:
        assert study.finish({"1": table}).num_rows == 4


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_trajectories_that_are_not_there_or_damaged(path: Path) -> None:
    with pytest.raises(UserError, match="not finished; continue it with --resume"):
        read_trajectories(path)
    (path / "trajectories.parquet").write_text("no table")
    with pytest.raises(UserError, match="cannot read"):
        read_trajectories(path)


def test_a_full_disk_while_finishing(
    path: Path, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Study.resume(path) as study:
        fill(study, table)
        with monkeypatch.context() as patch:
            patch.setattr(pq, "write_table", _full)
            with pytest.raises(UserError, match=r"cannot write .*trajectories\.parquet: the disk"):
                study.finish({"1": table})
        assert not study.finished and not (path / "trajectories.parquet").exists()
        assert study.finish({"1": table}).num_rows == 4


def _full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")
