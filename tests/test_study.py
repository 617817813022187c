"""`python -m raynas.study` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from raynas.correlation import app as correlation_app
from raynas.report.__main__ import app as report_app
from raynas.search_request import SearchRequest
from raynas.study import app
from raynas.study_request import Request, start
from search_spaces import load_space
from tests.support.benchmarks import synthetic_benchmark
from tests.support.command_line import call
from tests.support.pages import Outline
from tests.support.processes import descendants, start_module, still_there

SMALL = "--space 1 --methods darts,gdas --channels 2 --cells 1 --batch-size 200 --images digits"
#: What no two runs share.
MEASURED = {
    "searches": ["seconds", "validation_seconds", "peak_memory"],
    "alphas": [],
    "trajectories": ["real_seconds", "simulated_seconds"],
    "sensitivity": [],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "space1.arrow"
    return synthetic_benchmark(path, load_space(1)).path


def correlate(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    few = ("--cells", "10", "--images-limit", "24", "--actors", "0", "--statistics", "batch")
    return call(correlation_app, *arguments, *few, cwd=cwd)


def study(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return call(app, *arguments, cwd=cwd)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("weights", 2, "unknown study 'weights'; valid are: regularisation, learning-rate, epochs"),
        ("epochs --methods darts,rs", 2, "unknown one-shot method 'rs'; valid are: darts, darts2"),
        ("epochs --space 101", 2, "unknown space of one-shot methods '101'; valid are: 1, 2, 3"),
        ("epochs --preset huge", 2, "unknown preset 'huge'; valid are: quick, paper"),
        ("epochs --space 1 --epochs 1", 2, "some would be the same; give at least 2"),
        ("epochs --epochs 0", 2, "--epochs must be greater than 0"),
        (
            "epochs --keep-checkpoints some",
            2,
            "unknown choice of checkpoints 'some'; valid are: last",
        ),
        ("epochs --methods ,", 2, "--methods names nothing"),
        (
            "warm-start --space 1 --methods darts,random_ws",
            2,
            "random_ws has no warm_start_epochs; leave it",
        ),
        ("epochs --out a --resume b", 2, "--out names a new study and --resume an old one"),
        ("epochs --resume nowhere", 1, "`python -m raynas.study NAME` makes one"),
    ],
)
def test_bad_input_is_one_line(
    arguments: str, code: int, words: str, store: Path, tmp_path: Path
) -> None:
    done = study(*arguments.split(), "--benchmark", str(store), cwd=tmp_path)
    assert done.returncode == code
    assert words in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_paper_preset_wants_cifar10(store: Path, tmp_path: Path) -> None:
    options = ("--space", "1", "--preset", "paper", "--benchmark", str(store))
    done = study("epochs", *options, cwd=tmp_path)
    assert done.returncode == 1
    assert "python -m search_spaces.fetch cifar10" in done.stderr


def test_the_manifest_has_every_setting_of_every_search(store: Path, tmp_path: Path) -> None:
    searches = SearchRequest(device="cpu", keep_checkpoints="all")
    request = Request("regularisation", ("1",), benchmark=str(store), searches=searches)
    begun = start(request, tmp_path / "mine")
    begun.study.close()
    manifest = json.loads((tmp_path / "mine" / "manifest.json").read_text())
    assert (manifest["kind"], manifest["arguments"]["name"]) == ("study", "regularisation")
    settings = manifest["search"]["settings"]
    assert len(settings) == 11 * 3
    found = settings["darts (weight_decay=0.0027, cutout=on)"]
    assert (found["weight_decay"], found["cutout_probability"]) == (0.0027, 1.0)
    assert found["cutout_ramp"] and (found["epochs"], found["channels"]) == (10, 4)
    assert not settings["gdas (weight_decay=0.0027, cutout=on)"]["cutout_ramp"]
    assert settings["gdas (weight_decay=0.0003, cutout=off)"]["cutout_probability"] == 0
    assert settings["gdas (weight_decay=0.0003, cutout=0.5)"]["cutout_probability"] == 0.5
    assert len(begun.plan.runs()) == 11 * 3 * 3
    assert begun.plan.searches is not None and begun.plan.searches.keep_checkpoints == "all"
    assert any("darts2, random_ws; --methods" in note for note in begun.notes)
    assert any("divided by 5" in note for note in begun.notes)


def test_resuming_with_other_arguments(store: Path, tmp_path: Path) -> None:
    searches = SearchRequest(device="cpu", search_seeds=2)
    start(Request("epochs", ("1",), ("darts",), str(store), searches=searches), tmp_path / "mine")
    for arguments, words in (
        ("epochs --search-seeds 3", "search_seeds is [0, 1] there, [0, 1, 2] was given"),
        ("epochs --methods gdas", "methods is ['darts'] there, ['gdas'] was given"),
        ("warm-start", "name is 'epochs' there, 'warm-start' was given"),
    ):
        done = study(*arguments.split(), "--resume", "mine", cwd=tmp_path)
        assert done.returncode == 2
        assert words in done.stderr and done.stderr.count("\n") == 1
    other = synthetic_benchmark(tmp_path / "other.arrow", load_space(1), seed=5).path
    done = study("epochs", "--resume", "mine", "--benchmark", str(other), cwd=tmp_path)
    assert done.returncode == 1 and "not with this one" in done.stderr


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_study_from_start_to_page(store: Path, tmp_path: Path) -> None:
    options = [*SMALL.split(), "--epochs", "4", "--search-seeds", "3", "--benchmark", str(store)]
    done = study("epochs", *options, "--out", "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "epochs: 3 settings, 2 methods, space 1, 3 seeds: 18 runs of 2 or 4 or 8" in done.stdout
    assert "darts: done, current" in done.stdout and "gdas: done, current" in done.stdout
    assert "│ 4 *  " in done.stdout and "page   mine/report.html" in done.stdout
    rows = pq.read_table(tmp_path / "mine" / "sensitivity.parquet").to_pylist()
    keys = [(row["method"], row["setting"], row["published"], row["epochs"]) for row in rows]
    lengths = {2: 25, 4: 50, 8: 100}
    assert keys == [
        (m, f"epochs={e}", f"epochs={p}", e) for m in ("darts", "gdas") for e, p in lengths.items()
    ]
    assert all(row["failed"] == 0 and row["test_regret"] > 0 for row in rows)
    searches = pq.read_table(tmp_path / "mine" / "searches.parquet")
    assert searches.num_rows == 2 * 3 * sum(lengths)
    page = (tmp_path / "mine" / "report.html").read_text()
    assert "The length of one-shot searches" in Outline(page).text
    assert len(list((tmp_path / "mine" / "figures").glob("*.svg"))) == 4
    (tmp_path / "mine" / "report.html").unlink()
    anew = call(report_app, "mine", cwd=tmp_path)
    assert anew.returncode == 0, anew.stderr
    assert Outline((tmp_path / "mine" / "report.html").read_text()).text == Outline(page).text
    (tmp_path / "mine" / "report.html").unlink()
    again = study("epochs", "--resume", "mine", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert pq.read_table(tmp_path / "mine" / "sensitivity.parquet").to_pylist() == rows
    assert (tmp_path / "mine" / "report.html").exists()
    scored = correlate("mine", "--methods", "darts", "--seeds", "1", cwd=tmp_path)
    assert scored.returncode == 0, scored.stderr
    methods = pq.read_table(tmp_path / "mine" / "correlation" / "correlation.parquet")["method"]
    assert set(methods.to_pylist()) == {f"darts (epochs={epochs})" for epochs in lengths}
    one = "darts (epochs=4)"
    scored = correlate("mine", "--methods", one, "--out", "other", cwd=tmp_path)
    assert scored.returncode == 0, scored.stderr
    assert "darts (epochs=4), space 1, seed 2, epoch 4" in scored.stdout


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_killed_driver_loses_nothing(store: Path, tmp_path: Path) -> None:
    options = [*SMALL.split(), "--epochs", "6", "--search-seeds", "2", "--benchmark", str(store)]
    quiet = start_module("raynas.study", "warm-start", *options, "--out", "quiet", cwd=tmp_path)
    _, errors = quiet.communicate(timeout=600)
    assert quiet.returncode == 0, errors
    driver = start_module("raynas.study", "warm-start", *options, "--out", "killed", cwd=tmp_path)
    while driver.poll() is None and len(list(tmp_path.glob("killed/checkpoints/*/last.pt"))) < 3:
        time.sleep(0.02)
    below = descendants(driver.pid)
    driver.kill()
    driver.communicate()
    assert still_there(below, 30) == []
    assert json.loads((tmp_path / "killed" / "manifest.json").read_text())["finished"] is None
    driver = start_module("raynas.study", "warm-start", "--resume", "killed", cwd=tmp_path)
    _, errors = driver.communicate(timeout=600)
    assert driver.returncode == 0, errors
    for name, measured in MEASURED.items():
        tables = [
            pq.read_table(tmp_path / folder / f"{name}.parquet").drop_columns(measured).to_pylist()
            for folder in ("quiet", "killed")
        ]
        assert tables[0] == tables[1], name
