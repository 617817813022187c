"""`python -m raynas.random_policy` as a user meets it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raynas.analysis.random_policy import WITHOUT_SHARING
from raynas.analysis.random_policy.record import read_record
from raynas.execution.manifest import read_manifest
from raynas.random_policy import app
from raynas.version import this_version
from search_spaces import load_space
from search_spaces.command_line import run
from search_spaces.space import hash_texts
from search_spaces.table import Table
from tests.support.benchmarks import synthetic_benchmark
from tests.support.command_line import understood
from tests.support.pages import Outline, report_data
from tests.support.searches_study import walking_search, write_searches
from tests.support.studies import random_log, write_study


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    space = load_space(1)
    path = tmp_path_factory.mktemp("store") / "space1.arrow"
    return synthetic_benchmark(path, space).table(space)


@pytest.fixture(scope="module")
def study(table: Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs each of random search and a luckier method, two of a one-shot method."""
    log = random_log(table, {"rs": 0.0, "re": 20.0}, seeds=4, evaluations=15)
    path = write_study(tmp_path_factory.mktemp("studies") / "mine", {"1": table}, [log])
    return write_searches(path, [walking_search("random_ws", table, s, 3) for s in range(2)])


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object, columns: int = 120) -> int:
    monkeypatch.setattr(sys, "argv", ["random_policy", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit) as ended:
        run(app)
    return int(ended.value.code or 0)


def test_a_study_gets_table_page_and_figures(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, study) == 0
    said = capsys.readouterr().out
    assert "Space 1: final cells against the random policy" in said
    assert "random_ws against the same without weight sharing (2 and 4 runs)" in said
    words = " ".join(said.split())
    assert "real seconds of search on average" in words and "Their budgets are not equal" in words
    assert "simulated seconds of training on average without." in words
    assert "4 runs against a known distribution" in said
    assert "no interval: 2 values, at least 3 are needed" in " ".join(said.split())
    rows = pq.read_table(study / "random_policy.parquet").to_pylist()
    assert {row["method"] for row in rows} == {"rs", "re", "random_ws"}
    (row,) = [row for row in rows if row["reference"] == WITHOUT_SHARING]
    ends = pq.read_table(study / "trajectories.parquet").to_pandas()
    took = ends.groupby(["method", "seed"]).simulated_seconds.max().groupby("method").mean()
    assert row["mean_seconds"] == pytest.approx(took["random_ws"])
    assert row["reference_mean_seconds"] == pytest.approx(took["rs"])
    assert len(list((study / "figures").glob("random-policy-space-1-*.png"))) == 3


def test_a_narrow_console_gets_several_tables(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call(monkeypatch, study, "--out", tmp_path, columns=80) == 0
    said = capsys.readouterr().out
    assert "…" not in said
    heads = [line for line in said.splitlines() if line.startswith("┃ method")]
    words = ("accuracy", "difference", "best of n")
    assert [[word in head for word in words].index(True) for head in heads] == [0, 1, 2]
    assert max(map(len, heads)) <= 80


@pytest.mark.parametrize("columns", [80, 110, 150])
def test_long_names_of_methods_leave_the_numbers_whole(
    table: Table,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    columns: int,
) -> None:
    searches = [
        walking_search(f"{name} (learning_rate=0.0025)", table, seed, 3)
        for name in ("darts", "a_method_with_a_long_name")
        for seed in range(3)
    ]
    study = write_searches(tmp_path / "study", searches)
    assert call(monkeypatch, study, "--out", tmp_path / "out", columns=columns) == 0
    said = capsys.readouterr().out
    assert "…" not in said and "a_method_with_a_long_name (learning_rate=0.0025)" in said
    heads = "".join(line for line in said.splitlines() if line.startswith("┃ method"))
    assert all(name in heads for name in ("worst", "p, same", "A, search"))


def test_the_page_is_whole_and_defines_what_it_shows(
    study: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert call(monkeypatch, study, "--out", tmp_path) == 0
    page = (tmp_path / "random_policy.html").read_text()
    outline = Outline(page)
    assert all(a.startswith(("#", "data:")) for a in outline.addresses)
    assert "Synthetic benchmark" in outline.text
    for words in (
        "(r / r_max)^n",
        "uniform on [0, 1]",
        "Against random draws: unique cells",
        "Against random draws: raw architectures",
        "Against random search of the study",
        "Against the same without weight sharing",
        "Seconds without",
        "Their budgets are not equal",
        "no statement at equal cost",
        "Search sd",
        "Training sd",
        "Best of 1000",
        "Difference (points)",
        "Equivalence p",
    ):
        assert words in outline.text, words
    names = [figure["id"] for figure in report_data(page)["figures"]]
    assert names == ["figure-0-draws", "figure-0-superiority", "figure-0-best-of"]


def test_a_csv_of_others_and_a_set_to_draw_from(
    table: Table,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hashes = hash_texts(table.space.unique_hashes())
    lines = [f"<b>theirs</b>,{seed},{hashes[7 * seed]}" for seed in range(5)]
    (tmp_path / "theirs.csv").write_text("\n".join(["method,seed,module_hash", *lines]))
    (tmp_path / "reachable.csv").write_text("\n".join(["module_hash", *hashes[:100]]))
    options = ["--space", "1", "--benchmark", table.benchmark.path, "--out", tmp_path / "out"]
    options += ["--among", tmp_path / "reachable.csv"]
    assert call(monkeypatch, tmp_path / "theirs.csv", *options) == 0
    rows = pq.read_table(tmp_path / "out" / "random_policy.parquet").to_pylist()
    assert {"unique cells", "raw architectures", "reachable"} <= {r["reference"] for r in rows}
    assert "the seconds of the runs are not known" in " ".join(capsys.readouterr().out.split())
    assert "<b>theirs" not in (tmp_path / "out" / "random_policy.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{study}", "--space", "3"], 1, "raynas.compare --space 3"),
        (["{study}", "--space", "foo"], 2, "unknown space 'foo'; valid are: 1, 2, 3, 101"),
        (["{theirs}", "--space", "foo"], 2, "unknown space 'foo'; valid are: 1, 2, 3, 101"),
        (["nowhere"], 1, "no study or file nowhere"),
        (["{study}", "--margin", "0"], 2, "--margin is 0.0"),
        (["{study}", "--margin", "nan"], 2, "--margin is nan"),
        (["{study}", "--margin", "inf"], 2, "--margin is inf"),
        (["{twice}", "--space", "1"], 1, "has the column method twice"),
        (["{parquet}", "--space", "1"], 1, "has the column seed twice"),
        (["{damaged}"], 1, "trajectories.parquet has the column method twice"),
        (["{partial}"], 1, "trajectories.parquet lacks the columns incumbent_hash"),
        (["{study}", "--among", "{cells}"], 1, "has the column module_hash twice"),
        (["{study}", "--among", "{parquet}"], 1, "has the column seed twice"),
        (["{empty}"], 1, "manifest.json; `python -m raynas.compare --space 3` or"),
        (["{unfinished}"], 1, "continue it with --resume"),
        (["{study}", "{other}"], 1, "different benchmarks"),
        (["{study}", "--among", "{study}/summary.parquet"], 1, "lacks the column module_hash"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str],
    code: int,
    message: str,
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folders = {"study": study}
    for name in ("empty", "unfinished", "other", "damaged", "partial"):
        folders[name] = tmp_path / name
        folders[name].mkdir()
    for name, head, row in (
        ("twice", "method,seed,method", "a,0,b"),
        ("cells", "module_hash,module_hash", "a,b"),
        ("theirs", "method,seed,module_hash,space", "a,0,b,1"),
    ):
        folders[name] = tmp_path / f"{name}.csv"
        folders[name].write_text(f"{head}\n{row}\n")
    manifest = json.loads((study / "manifest.json").read_text())
    (tmp_path / "unfinished" / "manifest.json").write_text(json.dumps(manifest))
    manifest["benchmark"]["sha256"] = "0" * 64
    (tmp_path / "other" / "manifest.json").write_text(json.dumps(manifest))
    trajectories = (study / "trajectories.parquet").read_bytes()
    (tmp_path / "other" / "trajectories.parquet").write_bytes(trajectories)
    whole = pq.read_table(study / "trajectories.parquet")
    columns = [whole[name] for name in whole.column_names]
    double = pa.table([*columns, whole["method"]], names=[*whole.column_names, "method"])
    for name, table in (("damaged", double), ("partial", whole.drop_columns("incumbent_hash"))):
        pq.write_table(table, folders[name] / "trajectories.parquet")
        (folders[name] / "manifest.json").write_text((study / "manifest.json").read_text())
    folders["parquet"] = tmp_path / "theirs.parquet"
    names = ["method", "seed", "module_hash", "seed"]
    pq.write_table(pa.table([["a"], [0], ["b"], [1]], names=names), folders["parquet"])
    given = [argument.format(**folders) for argument in arguments]
    assert call(monkeypatch, *given, "--out", tmp_path / "out") == code
    said = capsys.readouterr().err
    assert message in said and len(said.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_changed_benchmark_is_not_used_unasked(
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    changed = tmp_path / "changed"
    changed.mkdir()
    manifest = json.loads((study / "manifest.json").read_text())
    store = manifest["benchmark"]["path"]
    manifest["benchmark"]["sha256"] = "0" * 64
    (changed / "manifest.json").write_text(json.dumps(manifest))
    data = (study / "trajectories.parquet").read_bytes()
    (changed / "trajectories.parquet").write_bytes(data)
    assert call(monkeypatch, changed) == 1
    assert f"--benchmark {store}" in capsys.readouterr().err
    assert call(monkeypatch, changed, "--benchmark", store) == 0


def test_the_table_says_what_it_was_made_from(
    study: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = (study, "--margin", "0.5", "--benchmark", benchmark_of(study), "--out", tmp_path)
    assert call(monkeypatch, *arguments) == 0
    record = read_record(tmp_path / "random_policy.parquet")
    assert record is not None and record.made_by == this_version()
    assert record.studies == {str(study): read_manifest(study)["created"]}
    module, read = understood(record.command())
    assert (module, read["studies"]) == ("raynas.random_policy", [study])
    assert read["margin"] == 0.5 and read["benchmark"] == benchmark_of(study)


def benchmark_of(study: Path) -> str:
    return str(read_manifest(study)["benchmark"]["path"])
