"""`python -m raynas.correlation` as a user meets it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import kendalltau

from raynas.correlation import app
from raynas.correlation_study import Request, prepare, rerun_command
from raynas.execution.manifest import new_manifest, write_manifest
from raynas.oneshot import write_checkpoint
from raynas.scored_cells import Drawing, architectures, networks, scored_cells
from search_spaces import load_space
from search_spaces.command_line import run
from search_spaces.errors import UserError
from search_spaces.graph_arrays import prune
from search_spaces.table import Table
from tests.support.benchmarks import synthetic_benchmark
from tests.support.pages import Outline, report_data
from tests.support.terminal import drawn_by

EPOCHS = 3
SHORT = ("--actors", "0", "--cells", "30", "--images-limit", "24")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    space = load_space(1)
    path = tmp_path_factory.mktemp("store") / "space1.arrow"
    return synthetic_benchmark(path, space).table(space)


@pytest.fixture(scope="module")
def study(table: Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of one search with the checkpoints of both epochs; all images, tiny network."""
    from raynas.images import find_images, load_search_images
    from raynas.oneshot import Search, method_settings

    path = tmp_path_factory.mktemp("studies") / "mine"
    images = load_search_images(find_images("digits"))
    values = {"channels": 4, "cells": 1, "epochs": EPOCHS, "batch_size": 200, "learning_rate": 0.3}
    search = Search("darts", load_space("1"), images, method_settings("darts", **values), seed=0)
    folder = path / "checkpoints" / "darts-1-0"
    folder.mkdir(parents=True)
    for epoch in range(1, EPOCHS + 1):
        search.advance(1)
        for name in (f"epoch_{epoch}.pt", "last.pt"):
            write_checkpoint(folder / name, search.state_dict())
    searched = {
        "settings": {"darts": search.settings.as_dict()},
        "spaces": ["1"],
        "seeds": [0],
        "images": {"source": "digits", "name": "digits", "title": "digits"},
        "device": "cpu",
    }
    write_manifest(path, new_manifest({"spaces": ["1"]}, {"1": table}, searched))
    return path


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["correlation", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "140")
    with pytest.raises(SystemExit) as ended:
        run(app)
    return int(ended.value.code or 0)


def test_scores_coefficients_and_page(
    study: Path,
    table: Table,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "found"
    options = (study, *SHORT, "--statistics", "batch", "--epochs", "all", "--out", out)
    assert call(monkeypatch, *options) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert "darts, space 1, seed 0, epoch 3: 60 evaluations" in said
    assert "one training against the others reaches tau" in " ".join(said.split())
    scores = pq.read_table(out / "correlation.parquet")
    assert scores.num_rows == 30 * 2 * EPOCHS
    assert len(set(scores["row"].to_pylist())) == 30
    hashes = dict(zip(scores["row"].to_pylist(), scores["module_hash"].to_pylist(), strict=True))
    assert all(load_space(1).row_of_hash(h) == row for row, h in hashes.items())
    accuracies = scores["accuracy"].to_numpy() * 24
    assert np.allclose(accuracies, accuracies.round())
    rows = pq.read_table(out / "correlation_coefficients.parquet").to_pylist()
    assert {row["budget"] for row in rows} == {4, 12, 36, 108}
    kendall = [r for r in rows if r["measure"] == "kendall" and r["quantity"] == "test"]
    whole = [r for r in kendall if r["subset"] == "all"]
    assert len(whole) == 4 * 2 * EPOCHS
    assert all(r["low"] <= r["value"] <= r["high"] for r in whole)
    page = (out / "correlation.html").read_text()
    outline = Outline(page)
    assert all(a.startswith(("#", "data:")) for a in outline.addresses)
    shown = ("Published rule", "0.576", "Over the epochs of the search", "Ceiling", "Random order")
    shown += ("of all cells and among the 10 % that are best by it",)
    for words in (*shown, "One training against the others", "1 seed: the interval is over cells"):
        assert words in outline.text, words
    assert "Against validation and test accuracy" in outline.text
    late = pq.read_table(out / "correlation_late.parquet").to_pylist()
    for rule in ("corrected", "published"):
        (mean,) = (r for r in late if (r["rule"], r["measure"]) == (rule, "kendall"))
        each = [r["value"] for r in whole if (r["rule"], r["budget"]) == (rule, 108)]
        assert mean["value"] == pytest.approx(np.mean(each)) and len(each) == EPOCHS
        assert mean["widest"] == pytest.approx(np.ptp(each)) and mean["epochs"] == [1, 2, 3]
        assert f"tau is {mean['value']:.2f}" in " ".join(said.split())
    assert "Averaged over the last checkpoints" in outline.text and "epochs 1, 2, 3" in outline.text
    drawn_there = report_data(page)["figures"]
    assert len(drawn_there) == 6
    over = [f for f in drawn_there if f["layout"]["xaxis"]["title"]["text"] == "epochs alone"]
    for quantity, figure in zip(("test", "validation"), over, strict=True):
        corrected = [
            row
            for row in rows
            if (row["measure"], row["subset"], row["rule"]) == ("kendall", "all", "corrected")
            and (row["quantity"], row["epoch"]) == (quantity, EPOCHS)
        ]
        assert figure["data"][0]["y"] == pytest.approx([r["value"] for r in corrected], abs=1e-4)
        assert figure["layout"]["yaxis"]["range"] == over[0]["layout"]["yaxis"]["range"]
        for row in corrected:
            assert f"{row['value']:.2f}" in outline.text
    drawn = {path.name for path in (out / "figures").iterdir()}
    for name in ("scatter-darts", "epochs", "budgets", "budgets-validation", "vertices"):
        for suffix in ("svg", "png"):
            assert f"correlation-space-1-{name}.{suffix}" in drawn
    before = scores.to_pylist()
    (out / "correlation_coefficients.parquet").unlink()
    assert call(monkeypatch, study, "--out", out, "--resume") == 0
    assert pq.read_table(out / "correlation.parquet").to_pylist() == before
    assert pq.read_table(out / "correlation_coefficients.parquet").to_pylist() == rows


def test_a_terminal_shows_a_bar_with_count_and_time_left(study: Path, tmp_path: Path) -> None:
    few = ("--cells", "5", "--rules", "published", *SHORT[:2], *SHORT[4:], "--out", tmp_path)
    command = [sys.executable, "-m", "raynas.correlation", study, *few]
    code, drawn = drawn_by(list(map(str, command)))
    assert code == 0, drawn
    # The tables have the bar's sign in their borders, so only lines with its words count.
    lines = re.findall(r"darts, space 1, seed 0, epoch 3 ━{24} 5/5 evaluations, left", drawn)
    assert lines, drawn
    assert re.search(r"cells +[━╸╺]{24} 0/5 evaluations, left", drawn)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (
            ("--epochs", "7"),
            1,
            "after epoch 7, only after 1, 2, 3; `python -m raynas.compare --keep",
        ),
        (("--epochs", "often"), 2, "last, all, or numbers"),
        (("--space", "3"), 2, "no searches of space 3, only of 1"),
        (("--methods", "gdas"), 2, "no searches of method gdas, only of darts"),
        (("--seeds", "4"), 2, "no searches of seed 4, only of 0"),
        (("--rules", "mine"), 2, "corrected"),
        (("--cells", "1"), 2, "at least 3"),
        (("--labellings", "0"), 2, "at least 1"),
        (("--methods", ""), 2, "--methods names nothing; leave it out"),
        (("--space", ","), 2, "--space names nothing"),
        (("--epochs", ""), 2, "--epochs names nothing"),
        (("--seeds", " "), 2, "--seeds names nothing"),
        (("--rules", "published", "--statistics", "batch"), 2, "leave --statistics out"),
        (("--actors", "0", "--address", "10.0.0.1:6379"), 2, "leave one of them out"),
    ],
)
def test_what_is_missing_is_said(
    study: Path,
    options: tuple[str, ...],
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, study, *options) == code
    said = capsys.readouterr().err.strip()
    assert words in said and "\n" not in said
    assert not (study / "correlation").exists()


def test_any_architecture_of_a_cell_may_stand_for_it() -> None:
    space = load_space(1)
    first = architectures("1", drawing="first")[0][0]
    draws = [architectures("1", seed)[0][0] for seed in range(40)]
    for vectors in (first, *draws):
        assert (space.rows(vectors) == np.arange(space.num_unique)).all()
    assert np.array_equal(draws[3], architectures("1", 3)[0][0])
    vectors = space.enumerate()
    rows = space.rows(vectors)
    cell = int(np.argmax(np.bincount(rows)))
    there = {tuple(v) for v in vectors[rows == cell]}
    seen = [tuple(d[cell]) for d in draws]
    # Uniformly: of m architectures, 40 draws are expected to show m (1 - (1 - 1/m)^40).
    expected = len(there) * (1 - (1 - 1 / len(there)) ** 40)
    assert set(seen) <= there and len(set(seen)) == pytest.approx(expected, rel=0.25)
    assert tuple(first[cell]) in there


def test_the_architectures_of_a_cell_are_different_ones() -> None:
    space = load_space(1)
    vectors, there = architectures("1", 0, 3)
    every = architectures("1", 0, 10**9)[1].sum(axis=0)
    assert np.array_equal(vectors[:1], architectures("1", 0)[0])
    known = space.rows(space.enumerate())
    _, one_of_each = np.unique(networks("1", space.enumerate()), return_index=True)
    counts = np.bincount(known[one_of_each], minlength=space.num_unique)
    assert np.array_equal(there.sum(axis=0), np.minimum(counts, 3))
    assert np.array_equal(every, counts)
    for row in range(0, space.num_unique, 7):
        own = vectors[there[:, row], row]
        assert (space.rows(own) == row).all()
        assert len(np.unique(own, axis=0)) == len(own)


@pytest.mark.parametrize("space", ["1", "2", "3"])
def test_the_architectures_of_a_cell_are_different_networks(space: str) -> None:
    """Some differ only in blocks without a path to the output: they would always agree."""
    several, there = architectures(space, 5, 3)
    first, _ = architectures(space, 5, 1)
    plain, drawn = architectures(space, 5, 3, "drawn")
    assert np.array_equal(several[0], first[0]) and np.array_equal(plain[0], first[0])
    for one, other in combinations(range(3), 2):
        both = there[one] & there[other]
        assert not (networks(space, several[one]) == networks(space, several[other]))[both].any()
        both = drawn[one] & drawn[other]
        assert (networks(space, plain[one]) == networks(space, plain[other]))[both].any()


def test_architectures_with_other_loose_ends_are_one_network() -> None:
    """By their pruned cells, block by block."""
    space = load_space("2")
    vectors = space.sample(np.random.default_rng(0), 3000)
    cells = [space.decode(vector) for vector in vectors]
    _, used = prune(np.array([cell.matrix for cell in cells]))
    texts = [
        str((np.flatnonzero(mask).tolist(), cell.prune().matrix.tolist(), cell.prune().ops))
        for cell, mask in zip(cells, used, strict=True)
    ]
    numbers = networks("2", vectors)
    assert len(set(texts)) == len(set(zip(texts, numbers.tolist(), strict=True)))
    assert len(set(texts)) == len(np.unique(numbers)) < len(vectors)


def test_what_is_scored_of_a_sample_of_cells() -> None:
    space = load_space(1)
    one, three = (scored_cells("1", Request(cells=50, labellings=n)) for n in (1, 3))
    assert np.array_equal(one.rows, three.rows) and len(np.unique(one.rows)) == 50
    for cells in (one, three):
        rows, labellings = cells.of(cells.order)
        assert np.array_equal(space.rows(cells.vectors[cells.order]), rows)
        assert set(rows) == set(cells.rows) and len(set(cells.order)) == len(cells.order)
    assert set(one.order) < set(three.order) and set(labellings) == {0, 1, 2}
    assert cells.there[cells.order].all()


def test_the_command_that_made_it_is_known(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Request(methods=("darts",), cells=5, labellings=2, rules=("published",), seed=3)
    prepare(study, asked, tmp_path / "found", resume=False).log.close()
    arguments = json.loads((tmp_path / "found" / "manifest.json").read_text())["arguments"]
    monkeypatch.chdir(study.parent)
    assert rerun_command(arguments) == (
        "python -m raynas.correlation mine --methods darts --cells 5 --labellings 2 "
        "--rules published --seed 3"
    )


def test_several_architectures_of_each_cell(
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "found"
    few = ("--actors", 0, "--cells", 30, "--images-limit", 200, "--labellings", 2)
    options = (study, *few, "--statistics", "batch", "--rules", "corrected", "--out", out)
    assert call(monkeypatch, *options) == 0, capsys.readouterr().err
    said = " ".join(capsys.readouterr().out.split())
    assert "two architectures of the same cell agree with tau" in said
    scores = pq.read_table(out / "correlation.parquet")
    of_cell: dict[int, dict[int, float]] = {}
    for line in scores.to_pylist():
        of_cell.setdefault(line["row"], {})[line["labelling"]] = line["accuracy"]
    assert len(of_cell) == 30 and {tuple(sorted(f)) for f in of_cell.values()} == {(0,), (0, 1)}
    twice = np.array([(found[0], found[1]) for found in of_cell.values() if 1 in found])
    row = pq.read_table(out / "correlation_coefficients.parquet").to_pylist()[0]
    assert row["mean_accuracy"] == pytest.approx(
        np.mean([np.mean([*f.values()]) for f in of_cell.values()])
    )
    assert (row["labellings"], row["cells_with_several"]) == (2, len(twice))
    assert row["labelling_tau"] == pytest.approx(kendalltau(*twice.T).statistic)
    assert row["labelling_low"] < row["labelling_tau"] < row["labelling_high"]
    page = Outline((out / "correlation.html").read_text()).text
    for words in (
        "Two architectures",
        f"{row['labelling_tau']:.2f}",
        f"{len(twice)} cells",
        "up to 2, drawn at random by the seed; its score is their mean",
    ):
        assert words in page, words


@pytest.mark.parametrize("drawing", ["drawn", "first"])
def test_what_an_earlier_version_began_goes_on(
    study: Path, tmp_path: Path, drawing: Drawing
) -> None:
    """It knew one architecture of each cell: the first, later one that was drawn."""
    out = tmp_path / "old"
    request = Request(cells=5, images_limit=24, rules=("published",))
    work = prepare(study, request, out, resume=False)
    work.log.close()
    assert np.array_equal(work.cells["1"].vectors, architectures("1", 0)[0][0])
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest.pop("architectures") == "different"
    assert manifest["arguments"].pop("labellings") == 1
    if drawing == "drawn":
        manifest["architectures"] = drawing
    write_manifest(out, manifest)
    for given in (Request(), Request(labellings=1)):
        work = prepare(study, given, out, resume=True)
        work.log.close()
        assert np.array_equal(work.cells["1"].vectors, architectures("1", 0, 1, drawing)[0][0])
    with pytest.raises(UserError, match="labellings"):
        prepare(study, Request(labellings=2), out, resume=True)


def test_scores_of_two_studies_are_not_mixed(study: Path, tmp_path: Path) -> None:
    out, request = tmp_path / "scores", Request(cells=5, images_limit=24, rules=("published",))
    prepare(study, request, out, resume=False).log.close()
    with pytest.raises(UserError, match="study already; continue it with --resume, or name"):
        prepare(study, request, out, resume=False)
    moved = shutil.copytree(study, tmp_path / "moved")
    prepare(moved, Request(), out, resume=True).log.close()
    manifest = json.loads((moved / "manifest.json").read_text())
    write_manifest(moved, manifest | {"created": "2020-01-01T00:00:00+00:00"})
    with pytest.raises(UserError, match=f"holds scores of {study}, not of {moved}; name"):
        prepare(moved, Request(), out, resume=True)


@pytest.mark.parametrize("actors", ["0", "2"])
def test_a_gpu_that_is_not_there_is_said_at_once(
    study: Path,
    actors: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert call(monkeypatch, study, "--device", "cuda", "--actors", actors) == 1
    assert capsys.readouterr().err.strip().startswith("error: torch finds no GPU; use --device cpu")
    seen = []

    def probe(address: str) -> dict[str, float]:
        seen.append(address)
        return {"CPU": 8.0}

    monkeypatch.setattr("raynas.execution.cluster.probe_cluster", probe)
    if actors != "0":
        there = ("--device", "cuda", "--address", "10.0.0.1:6379")
        assert call(monkeypatch, study, *there) == 1
        assert "the Ray cluster has no GPU" in capsys.readouterr().err
        assert seen == ["10.0.0.1:6379"]
    assert not (study / "correlation").exists()


def test_a_study_without_checkpoints(
    table: Table,
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    write_manifest(bare, new_manifest({"spaces": ["1"]}, {"1": table}))
    assert call(monkeypatch, bare) == 1
    assert "`python -m raynas.compare --methods" in capsys.readouterr().err
    (bare / "manifest.json").write_text((study / "manifest.json").read_text())
    assert call(monkeypatch, bare) == 1
    assert "has no checkpoint of darts, space 1, seed 0" in capsys.readouterr().err
    manifest = json.loads((bare / "manifest.json").read_text())
    manifest |= {"kind": "study", "arguments": {"name": "epochs"}, "study": {}}
    write_manifest(bare, manifest)
    assert call(monkeypatch, bare) == 1
    assert f"`python -m raynas.study epochs --resume {bare}`" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_killed_actors_and_drivers_lose_nothing(study: Path, tmp_path: Path) -> None:
    from tests.support.processes import ray_actors, still_there

    common = ["--images-limit", "200", "--statistics", "batch"]
    quiet, killed = tmp_path / "quiet", tmp_path / "killed"
    assert start(study, *common, "--actors", "0", "--out", quiet).wait(600) == 0
    driver = start(study, *common, "--out", killed)
    wait_for_blocks(killed, 3, driver)
    ray_actors("ScoringActor", driver.pid)[0].kill()
    wait_for_blocks(killed, 6, driver)
    below = ray_actors("ScoringActor", driver.pid)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    assert still_there(below, 30) == []
    kept = {p: p.stat().st_mtime_ns for p in (killed / "log").glob("*.parquet")}
    driver = start(study, *common, "--out", killed, "--resume")
    wait_for_blocks(killed, len(kept) + 1, driver)
    assert all(p.stat().st_mtime_ns == when for p, when in kept.items() if p.exists())
    assert driver.wait(900) == 0
    tables = [pq.read_table(out / "correlation.parquet").to_pylist() for out in (quiet, killed)]
    assert tables[0] == tables[1]


def start(study: Path, *options: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "raynas.correlation", str(study), *map(str, options)]
    return subprocess.Popen(command, start_new_session=True, env=os.environ | {"COLUMNS": "140"})


def wait_for_blocks(out: Path, count: int, driver: subprocess.Popen[bytes]) -> None:
    while len(list((out / "log").glob("*.parquet"))) < count and driver.poll() is None:
        time.sleep(0.02)
