"""Tuned settings: the file of a sweep, and a comparison with them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from raynas.comparison import Comparison, Request, resume, start
from raynas.labels import base_method
from raynas.report.rerun import rerun_command
from raynas.report.styles import styles
from raynas.search_request import SearchRequest
from raynas.tuned import TUNED, Tuned, is_tuned, read_all_tuned, read_tuned
from search_spaces import UserError, load_space
from search_spaces.benchmark import Benchmark
from tests.support.benchmarks import synthetic_benchmark
from tests.support.command_line import call

FOUND = Tuned(
    "darts",
    "1",
    {"weight_decay": 1e-5, "batch_size": 32},
    {"study": "s", "images": "digits", "channels": 4, "cells": 3, "epochs": 12},
)


def sweep(folder: Path, found: Tuned = FOUND, **changed: Any) -> Path:
    """A directory with what a sweep leaves for comparisons."""
    folder.mkdir(parents=True)
    content = json.loads(found.as_json()) | changed
    (folder / TUNED).write_text(json.dumps({k: v for k, v in content.items() if v is not None}))
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    return synthetic_benchmark(tmp_path_factory.mktemp("store") / "one.arrow", load_space(1))


@pytest.fixture
def begin(store: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path / "nothing"))

    def make(*tuned: Path, methods: str | None = "rs,darts", **options: Any) -> Comparison:
        request = Request(
            spaces=("1",),
            methods=tuple(methods.split(",")) if methods else None,
            benchmark=str(store.path),
            searches=SearchRequest(**options),
            tuned=tuned,
        )
        begun = start(request, tmp_path / f"study-{len(list(tmp_path.iterdir()))}")
        begun.study.close()
        return begun

    return make


def test_reading_what_was_written(tmp_path: Path) -> None:
    assert read_tuned(sweep(tmp_path / "s")) == FOUND
    assert read_tuned(tmp_path / "s" / TUNED) == FOUND
    assert FOUND.label == "darts (tuned)"
    assert (base_method(FOUND.label), is_tuned(FOUND.label)) == ("darts", True)
    assert (base_method("darts"), is_tuned("darts")) == ("darts", False)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": 2}, "has format 2, this version reads format 1"),
        ({"settings": None}, "lacks settings"),
        ({"settings": [1]}, "has no valid settings"),
        ({"method": "enas"}, "unknown one-shot method 'enas'; valid are: darts"),
        ({"settings": {"lr": 1.0}}, "tunes 'lr', which darts does not have"),
        ({"settings": {"momentum": "high"}}, "sets momentum to 'high', which is no number"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, changed: Any, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        read_tuned(sweep(tmp_path / "s", **changed))
    assert "\n" not in str(error.value)


def test_what_is_missing_or_damaged_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no study .*absent"):
        read_tuned(tmp_path / "absent")
    with pytest.raises(UserError, match=r"has no tuned.json: it is no finished sweep"):
        read_tuned(tmp_path)
    (tmp_path / TUNED).write_text("{")
    with pytest.raises(UserError, match="is damaged"):
        read_tuned(tmp_path)
    (tmp_path / TUNED).write_text("[]")
    with pytest.raises(UserError, match="is damaged"):
        read_tuned(tmp_path)


def test_one_sweep_per_method(tmp_path: Path) -> None:
    other = Tuned("gdas", "3", {"learning_rate": 0.5})
    places = [sweep(tmp_path / "a"), sweep(tmp_path / "b", other)]
    assert list(read_all_tuned(places)) == ["darts (tuned)", "gdas (tuned)"]
    with pytest.raises(UserError, match=r"both tuned darts; give one --tuned per method"):
        read_all_tuned([*places, sweep(tmp_path / "c")])


def test_the_tuned_method_runs_beside_the_default_one(begin: Any, tmp_path: Path) -> None:
    begun = begin(sweep(tmp_path / "s"), methods="darts,rs", epochs=5)
    assert begun.plan.methods == ("darts", "darts (tuned)", "rs")
    assert begun.plan.searched == ("darts", "darts (tuned)")
    default, tuned = begun.plan.searches.settings.values()
    assert (default.weight_decay, tuned.weight_decay) == (3e-4, 1e-5)
    assert (default.batch_size, tuned.batch_size) == (96, 32)
    assert (default.epochs, tuned.epochs) == (5, 5)
    assert pickle.loads(pickle.dumps(begun.plan)) == begun.plan


def test_the_manifest_and_the_notes_say_what_was_tuned(begin: Any, tmp_path: Path) -> None:
    study = sweep(tmp_path / "s")
    begun = begin(study)
    manifest = begun.study.manifest
    assert manifest["arguments"]["tuned"] == [str(study)]
    assert manifest["search"]["tuned"]["darts (tuned)"]["settings"] == FOUND.settings
    (note,) = [note for note in begun.notes if note.startswith("darts (tuned)")]
    assert "weight_decay 1e-05" in note
    assert "epochs 12 there, 40 here" in note
    assert rerun_command(manifest).count("tuned") == 1
    assert f"--methods rs,darts --tuned {study}" in rerun_command(manifest)


def test_resuming_needs_no_sweep(begin: Any, tmp_path: Path) -> None:
    study = sweep(tmp_path / "s")
    begun = begin(study)
    (study / TUNED).unlink()
    again = resume(begun.study.path, Request())
    again.study.close()
    assert again.plan == begun.plan
    with pytest.raises(UserError, match=r"tuned is .* there"):
        resume(begun.study.path, Request(tuned=(tmp_path / "other",)))


def test_a_method_that_does_not_run_is_refused(begin: Any, tmp_path: Path) -> None:
    study = sweep(tmp_path / "s")
    with pytest.raises(UserError, match=r"it tuned darts, which is not among the methods \(rs\)"):
        begin(study, methods="rs")


def test_settings_that_do_not_fit_are_refused(begin: Any, tmp_path: Path) -> None:
    study = sweep(tmp_path / "s", Tuned("darts", "1", {"cutout_length": 30}))
    with pytest.raises(UserError, match=r"cutout_length = 30: must be in 0\.\.8"):
        begin(study)


def test_tuned_methods_look_like_themselves() -> None:
    plain, tuned, own = styles(["darts", "darts (tuned)", "mine (tuned)"]).values()
    assert plain.light == tuned.light
    assert plain.dash != tuned.dash and plain.symbol != tuned.symbol
    assert tuned.name == "DARTS (1st order), tuned"
    assert own.name == "mine, tuned"


def test_the_command_line_takes_sweeps(tmp_path: Path) -> None:
    from raynas.compare import app

    done = call(app, "--tuned", str(tmp_path / "absent"), "--methods", "darts", cwd=tmp_path)
    assert done.returncode == 1
    assert f"there is no study {tmp_path / 'absent'}" in done.stderr
