"""`python -m tuning.sweep` as a user meets it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from raynas.execution.manifest import read_manifest, write_manifest
from raynas.search_request import SearchRequest
from raynas.tuned import read_tuned
from search_spaces import UserError, load_space
from tests.support.benchmarks import synthetic_benchmark
from tests.support.command_line import call
from tests.support.sweep_studies import sweep, sweep_study
from tuning.found import tuned_settings
from tuning.presets import find_size
from tuning.request import SweepRequest, new_sweep, old_sweep
from tuning.run import SweepResult
from tuning.sweep import app
from tuning.table import read_evaluations


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_benchmark(tmp_path_factory.mktemp("store") / "one.arrow", load_space(1)).path


@pytest.fixture(scope="module")
def study(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweep_study(tmp_path_factory.mktemp("studies") / "sweep", sweep(store))


def test_the_published_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuning.request.available_cores", lambda: 2)
    asked = SweepRequest("darts", "3", preset="paper", benchmark="surrogate")
    with pytest.raises(UserError, match=r"python -m search_spaces\.fetch cifar10"):
        new_sweep(asked)  # on CIFAR-10, and on nothing else in its place
    begun = new_sweep(replace(asked, searches=SearchRequest(images="digits")))
    settings = begun.settings
    assert settings.budgets == (25, 50, 100)
    assert (settings.planned_evaluations, settings.planned_epochs) == (280, 17_100)
    assert (settings.concurrent, settings.algorithm, settings.restart) == (16, "bohb", False)
    defaults = begun.objective.defaults
    assert (defaults.channels, defaults.cells, defaults.epochs) == (16, 9, 100)
    assert [axis.name for axis in begun.axes] == ["weight_decay", "cutout_prob", "learning_rate"]


@pytest.mark.parametrize(
    ("cluster", "device", "share", "preset", "expected"),
    [
        (None, "cpu", None, "quick", 6),
        (None, "cpu", None, "paper", 16),
        ({"CPU": 64.0, "GPU": 16.0}, "cuda", None, "paper", 32),
        ({"CPU": 64.0, "GPU": 16.0}, "cuda", 0.5, "paper", 64),
        ({"CPU": 8.0, "GPU": 16.0}, "cuda", 0.5, "paper", 16),
        ({"CPU": 2.0, "GPU": 1.0}, "auto", None, "quick", 2),
        ({"CPU": 40.0}, "auto", None, "quick", 80),
        ({"CPU": 0.0}, "cpu", None, "quick", 4),
    ],
)
def test_twice_as_many_evaluations_as_workers(
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    cluster: dict[str, float] | None,
    device: str,
    share: float | None,
    preset: str,
    expected: int,
) -> None:
    """Of this machine, or of a cluster with GPUs that this machine has not."""
    monkeypatch.setattr("tuning.request.available_cores", lambda: 3)
    gpus = None if cluster is None else cluster.get("GPU", 0.0)
    searches = SearchRequest(
        device=device, gpus_per_trial=share, cluster_gpus=gpus, images="digits"
    )
    request = SweepRequest(
        "darts", "1", benchmark=str(store), preset=preset, searches=searches, cluster=cluster
    )
    assert new_sweep(request).settings.concurrent == expected
    assert new_sweep(replace(request, concurrent=1)).settings.concurrent == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("config_space", 1),
        ("algorithm", "random"),
        ("min_epochs", 2),
        ("max_epochs", 12),
        ("eta", 4),
        ("iterations", 5),
        ("concurrent", 7),
        ("restart", True),
        ("seed", 3),
        ("repeat", "1"),
        ("finalists", 0),
        ("final_seeds", 2),
        ("seeds", 4),
    ],
)
def test_every_option_reaches_the_sweep(store: Path, option: str, value: Any) -> None:
    usual = new_sweep(SweepRequest("darts", "1", benchmark=str(store)))
    changed = new_sweep(SweepRequest("darts", "1", benchmark=str(store), **{option: value}))
    assert changed.arguments[option] == value != usual.arguments[option]
    if hasattr(changed.settings, option):
        assert getattr(changed.settings, option) == value
    if option == "max_epochs":
        assert (changed.objective.max_epochs, changed.objective.defaults.epochs) == (12, 12)
    if option == "restart":
        assert changed.objective.restart
    if option == "config_space":
        assert len(changed.axes) == 2
    if option == "repeat":
        same = changed.objective.scores.validation_error == usual.objective.scores.validation_error
        assert not same.all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the one-shot method to tune"),
        (["enas"], "unknown one-shot method 'enas'"),
        (["darts", "--space", "101"], "unknown space with one-shot methods '101'"),
        (["darts", "--config-space", "7"], "unknown configuration space '7'"),
        (["darts", "--algorithm", "grid"], "unknown algorithm 'grid'"),
        (["darts", "--repeat", "9"], "unknown repeat '9'"),
        (["darts", "--preset", "huge"], "unknown preset 'huge'"),
        (["darts", "--min-epochs", "30", "--max-epochs", "10"], "budgets out of order"),
        (["darts", "--eta", "1"], "--eta 1 is too small; give 2 or more"),
        (["darts", "--seeds", "0"], "--seeds 0 is too small; give 1 or more"),
        (["darts", "--finalists", "-1"], "--finalists -1 is too small; give 0 or more"),
        (["darts", "--config-space", "3", "--batch-size", "8"], "batch_size = 8 of the untuned"),
        (["darts", "--device", "cpu", "--gpus-per-trial", "1"], "--gpus-per-trial needs a GPU"),
        (["darts", "--benchmark", "nowhere.arrow"], "nowhere.arrow"),
        (["darts", "--out", "a", "--resume", "b"], "give one"),
        (["--resume", "absent"], "absent"),
    ],
)
def test_wrong_input_is_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = call(app, *arguments, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert not (tmp_path / "studies").exists()


def test_a_cluster_is_asked_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[SweepRequest] = []

    def remember(request: SweepRequest) -> None:
        asked.append(request)
        raise UserError("enough")

    resources = {"CPU": 8.0, "GPU": 4.0}
    monkeypatch.setattr("raynas.execution.cluster.probe_cluster", lambda _: resources)
    monkeypatch.setattr("tuning.request.new_sweep", remember)
    assert call(app, "darts", "--address", "a:1", cwd=tmp_path).stderr == "error: enough\n"
    (request,) = asked
    assert (request.cluster, request.searches.cluster_gpus) == (resources, 4.0)


def test_resuming_has_the_same_sweep(study: Path, store: Path) -> None:
    first, again = sweep(store), old_sweep(study, SweepRequest())
    assert again.settings == first.settings
    assert again.arguments == first.arguments
    assert again.axes == first.axes
    assert again.objective.defaults == first.objective.defaults
    assert again.space == first.space


def test_resuming_refuses_other_arguments(study: Path, store: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"method is 'darts' there, 'gdas' was given"):
        old_sweep(study, SweepRequest("gdas"))
    with pytest.raises(UserError, match=r"eta is 2 there, 4 was given"):
        old_sweep(study, SweepRequest(eta=4))
    with pytest.raises(UserError, match=r"was made with the benchmark 'synthetic"):
        old_sweep(study, SweepRequest(benchmark="surrogate"))
    other = sweep_study(tmp_path / "other", sweep(store))
    write_manifest(other, read_manifest(other) | {"kind": "comparison"})
    with pytest.raises(UserError, match=r"is a comparison, not a sweep"):
        old_sweep(other, SweepRequest())


def test_the_best_configuration_becomes_tuned_settings(study: Path, store: Path) -> None:
    begun = sweep(store)
    result = SweepResult(study, read_evaluations(study))
    best = result.incumbent
    assert best is not None and best["epochs"] == 8
    tuned = tuned_settings(begun, result, best)
    assert (tuned.method, tuned.space) == ("darts", "1")
    assert set(tuned.settings) == {"weight_decay", "cutout_probability", "learning_rate"}
    assert tuned.settings["learning_rate"] == best["learning_rate"]
    (study / "tuned.json").write_text(tuned.as_json())
    assert read_tuned(study) == tuned


def test_presets_know_both_devices() -> None:
    assert find_size("quick", "cuda") != find_size("quick", "cpu")
    assert find_size("paper", "cuda") == find_size("paper", "cpu")
    with pytest.raises(UserError, match="unknown preset 'slow'; valid are: quick, paper"):
        find_size("slow", "cpu")


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_sweep_from_start_to_page(store: Path, tmp_path: Path) -> None:
    size = ["--iterations", "3", "--min-epochs", "1", "--max-epochs", "4", "--search-seeds", "2"]
    small = ["--channels", "4", "--cells", "2", "--seeds", "2", "--config-space", "2"]
    small += ["--finalists", "2", "--final-seeds", "2"]
    options = ["darts", "--space", "1", "--benchmark", str(store), "--out", "sweep"]
    done = call(app, *options, *size, *small, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    study = tmp_path / "sweep"
    for name in ("manifest.json", "evaluations.parquet", "curves.parquet", "cells.parquet"):
        assert (study / name).exists()
    assert (study / "report.html").stat().st_size > 1_000_000
    assert "improvement factor" in done.stdout
    assert "then the best 2 and the default with 2 new seeds each" in done.stdout
    assert "6 searches of 4 epochs" in done.stdout
    assert pq.read_table(study / "finals" / "evaluations.parquet").num_rows == 6
    table = pq.read_table(study / "evaluations.parquet")
    assert table.num_rows == 13
    assert read_tuned(study).method == "darts"
    compared = pq.read_table(study / "comparison" / "trajectories.parquet")
    methods = set(compared["method"].to_pylist())
    assert methods == {"darts", "darts (tuned)", "rs", "re", "tpe", "bohb"}
    again = call(app, "--resume", "sweep", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert pq.read_table(study / "evaluations.parquet").equals(table)
