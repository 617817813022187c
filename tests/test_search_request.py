"""Options of one-shot searches: each changes something, and none is silently left out."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from raynas.compare import app
from raynas.comparison import DEFAULT_METHODS, Comparison, Request, resume, start
from raynas.comparison import _methods as choose_methods
from raynas.oneshot import REGISTRY
from raynas.presets import PRESETS
from raynas.report.rerun import rerun_command
from raynas.search_request import SearchRequest
from search_spaces import UserError, load_space
from search_spaces.benchmark import Benchmark
from tests.support.benchmarks import synthetic_benchmark


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    return synthetic_benchmark(tmp_path_factory.mktemp("store") / "one.arrow", load_space(1))


@pytest.fixture(autouse=True)
def no_fetched_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path / "nothing"))


@pytest.fixture
def begin(store: Benchmark, tmp_path: Path) -> Any:
    def make(methods: str | None = "rs,darts,random_ws", **options: Any) -> Comparison:
        given = {name: options.pop(name) for name in ("preset", "spaces") if name in options}
        request = Request(
            methods=tuple(methods.split(",")) if methods else None,
            benchmark=str(store.path),
            searches=SearchRequest(**options),
            **{"spaces": ("1",)} | given,
        )
        begun = start(request, tmp_path / f"study-{len(list(tmp_path.iterdir()))}")
        begun.study.close()
        return begun

    return make


@pytest.mark.parametrize(
    ("option", "value"),
    [("epochs", 7), ("channels", 8), ("cells", 2), ("batch_size", 50), ("precision", "bf16")],
)
def test_an_option_changes_a_setting_of_every_method(begin: Any, option: str, value: Any) -> None:
    usual, changed = begin().plan.searches, begin(**{option: value}).plan.searches
    for method in ("darts", "random_ws"):
        assert getattr(changed.settings[method], option) == value
        assert getattr(usual.settings[method], option) != value


def test_the_other_options_change_the_plan(begin: Any, tmp_path: Path) -> None:
    usual = begin().plan.searches
    assert (usual.device, usual.gpus_per_trial, usual.keep_checkpoints) == ("cpu", None, "last")
    assert begin(search_seeds=3).plan.searches.seeds == (0, 1, 2) != usual.seeds
    assert begin(keep_checkpoints="all").plan.searches.keep_checkpoints == "all"
    on_gpu = begin(device="cuda", gpus_per_trial=0.25, cluster_gpus=1.0).plan.searches
    assert (on_gpu.device, on_gpu.gpus_per_trial) == ("cuda", 0.25)
    assert on_gpu.settings["darts"].channels == 16
    (tmp_path / "cifar").mkdir()
    for number in range(1, 5):
        (tmp_path / "cifar" / f"data_batch_{number}.bin").touch()  # not decoded before the run
    begun = begin(images=str(tmp_path / "cifar"))
    assert begun.plan.searches.images.name == "cifar10"
    assert begun.study.manifest["search"]["images"]["name"] == "cifar10"


def test_the_paper_preset_is_as_published(begin: Any) -> None:
    with pytest.raises(UserError, match=r"python -m search_spaces\.fetch cifar10"):
        begin(preset="paper")  # on CIFAR-10, and on nothing else in its place
    begun = begin(methods="rs,darts,random_ws,gdas", preset="paper", images="digits")
    assert (begun.plan.seeds, begun.plan.evaluations) == (tuple(range(500)), 280)
    plan = begun.plan.searches
    assert plan.seeds == tuple(range(6))
    shape = {(s.channels, s.cells, s.epochs) for s in plan.settings.values()}
    assert shape == {(16, 9, 50)}
    assert plan.settings["random_ws"].candidates == 1000
    assert plan.settings["random_ws"].batch_size == 64
    assert plan.settings["gdas"].batch_size == 96
    assert "digits" in begun.notes[-1] and "fetch cifar10" in begun.notes[-1]


def test_the_manifest_tells_what_is_searched_on(begin: Any) -> None:
    begun = begin()
    search = begun.study.manifest["search"]
    assert search["images"]["title"] == "scikit-learn digits (8x8, 1 channel)"
    assert search["images"]["shape"] == [1, 8, 8]
    assert search["settings"]["random_ws"]["candidates"] == 20
    assert search["seeds"] == [0, 1] and search["device"] == "cpu"
    arguments = begun.study.arguments
    assert (arguments["channels"], arguments["cells"]) == (4, 3)
    assert any("scikit-learn digits" in note for note in begun.notes)


def test_resume_has_the_same_plan_and_checks_the_options(begin: Any, store: Benchmark) -> None:
    begun = begin(epochs=3, search_seeds=4)
    path = begun.study.path
    again = resume(path, Request(searches=SearchRequest(epochs=3, search_seeds=4, cells=3)))
    again.study.close()
    assert again.plan == begun.plan
    for option, value, told in (
        ("epochs", 4, "epochs is 3 there, 4 was given"),
        ("search_seeds", 1, r"search_seeds is \[0, 1, 2, 3\] there, \[0\] was given"),
        ("images", "cifar10", "images is 'digits' there"),
        ("gpus_per_trial", 0.5, "gpus_per_trial is None there"),
        ("keep_checkpoints", "all", "keep_checkpoints is 'last' there"),
        ("device", "cuda", "device is 'auto' there"),
    ):
        with pytest.raises(UserError, match=told):
            resume(path, Request(searches=SearchRequest(**{option: value})))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"preset": "paper", "images": "auto"},
        {"preset": "paper", "images": "digits", "cells": 2, "batch_size": 50},
        {"epochs": 7, "channels": 8, "precision": "bf16", "search_seeds": 3, "device": "cpu"},
        {"keep_checkpoints": "all", "images": "auto"},
    ],
)
def test_the_command_that_a_page_names_asks_for_the_same_study(
    begin: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Request] = []

    def ask(request: Request, out: Path | None) -> None:
        asked.append(request)
        raise UserError("not now")

    manifest = begin(**options).study.manifest
    command = shlex.split(rerun_command(manifest))
    assert command[:3] == ["python", "-m", "raynas.compare"]
    monkeypatch.setattr("raynas.comparison.start", ask)
    with pytest.raises(UserError, match="not now"):
        app(command[3:], standalone_mode=False)
    again = start(asked[0], tmp_path / "again")
    again.study.close()
    assert again.study.manifest["search"] == manifest["search"]
    differing = {
        name
        for name, value in again.study.arguments.items()
        if value != manifest["arguments"][name]
    }
    assert differing == set()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "--epochs must be greater than 0, not 0"),
        ({"batch_size": -1}, "--batch-size must be greater than 0"),
        ({"batch_size": 601}, "there are only 600 images in each half"),
        ({"search_seeds": 0}, "--search-seeds must be greater than 0"),
        ({"device": "tpu"}, "unknown device 'tpu'; valid are: auto, cpu, cuda"),
        ({"precision": "int4"}, "unknown precision 'int4'; valid are: float32, bf16"),
        ({"keep_checkpoints": "no"}, "valid are: last, all"),
        ({"images": "nowhere"}, "unknown images 'nowhere'"),
        ({"images": "cifar10"}, "fetch cifar10"),
        ({"device": "cpu", "gpus_per_trial": 0.5}, "--gpus-per-trial needs a GPU"),
        ({"device": "cuda", "gpus_per_trial": 2.0}, "--gpus-per-trial must be at most 1"),
        ({"device": "cuda", "cluster_gpus": 0.0}, "the Ray cluster has no GPU; use --device cpu"),
        ({"methods": "rs", "epochs": 3}, "--epochs changes one-shot searches"),
        (
            {"methods": "pc_darts", "channels": 6},
            "pc_darts: partial_channels = 4: must divide the 6 channels; give a multiple with "
            "--channels",
        ),
    ],
)
def test_bad_options(begin: Any, options: dict[str, Any], message: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError, match=message) as caught:
        begin(**options)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before  # no study is left behind


def test_missing_files_of_images_are_found_before_there_is_a_study(
    begin: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "data_batch_1.bin").write_bytes(b"")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError, match=r"lacks data_batch_2\.bin, .*data_batch_4\.bin"):
        begin(images=str(folder))
    assert sorted(tmp_path.iterdir()) == before


def test_a_gpu_that_is_not_there_is_missed_before_there_is_a_study(
    begin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UserError, match="torch finds no GPU; use --device cpu"):
        begin(device="cuda")
    assert sorted(tmp_path.iterdir()) == before
    assert begin(device="auto").plan.searches.device == "cpu"


def test_default_methods_have_both_families(begin: Any) -> None:
    assert DEFAULT_METHODS[-len(REGISTRY) :] == tuple(REGISTRY)
    begun = begin(methods=None)
    assert begun.plan.searched == tuple(REGISTRY)
    assert set(begun.plan.searches.settings) == set(REGISTRY)
    assert begun.plan.pairs()[-1] == (list(REGISTRY)[-1], "1")
    assert len(begun.plan.runs()) == 10 * len(begun.plan.black_box) + 2 * len(REGISTRY)


def test_space_101_has_no_one_shot_methods(store: Benchmark) -> None:
    table = store.table(load_space(1))
    tables = {"101": table}
    methods, notes = choose_methods(None, tables)
    assert not set(methods) & set(REGISTRY) and "rs" in methods
    assert notes == (f"left out: {', '.join(REGISTRY)}: space 101 has no one-shot methods",)
    with pytest.raises(UserError, match="darts: space 101 has no one-shot methods"):
        choose_methods(("rs", "darts"), tables)
    methods, notes = choose_methods(None, tables | {"1": table})
    assert set(REGISTRY) <= set(methods) and "on space 101" in notes[0]


def test_the_quick_preset_is_small_without_a_gpu() -> None:
    quick = PRESETS["quick"].searches
    assert quick["cpu"].images == "digits" and quick["cpu"].seeds == 2
    assert quick["cuda"].settings["channels"] > quick["cpu"].settings["channels"]


@pytest.mark.parametrize(
    ("asked", "gpus", "device"),
    [(None, 2.0, "cuda"), (None, 0.0, "cpu"), ("auto", 0.5, "cuda"), ("cpu", 2.0, "cpu")],
)
def test_unless_told_searches_use_the_gpus_of_the_cluster(
    begin: Any, asked: str | None, gpus: float, device: str
) -> None:
    begun = begin(device=asked, cluster_gpus=gpus)
    assert begun.plan.searches.device == device
    assert begun.study.manifest["arguments"]["device"] == (asked or "auto")
    assert "cluster_gpus" not in begun.study.manifest["arguments"]
