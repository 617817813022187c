"""`python -m raynas.compare` as a user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from raynas.compare import app
from raynas.comparison import DEFAULT_METHODS, Request, start
from raynas.execution import Study
from raynas.optimizers import OPTIMIZERS
from search_spaces import UserError, load_space
from search_spaces.benchmark import Benchmark, write_store
from tests.support.benchmarks import synthetic_benchmark
from tests.support.command_line import call
from tests.support.studies_here import run_here

TRAJECTORY_COLUMNS = [
    "method",
    "space",
    "seed",
    "evaluation",
    "module_hash",
    "epochs",
    "validation_error",
    "test_error",
    "simulated_seconds",
    "real_seconds",
    "incumbent_hash",
    "incumbent_validation_error",
    "incumbent_test_error",
    "validation_regret",
    "test_regret",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_benchmark(
        tmp_path_factory.mktemp("store") / "space1.arrow", load_space(1)
    ).path


def compare(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"RAYNAS_DATA": str(cwd / "data"), "COLUMNS": "120"}
    return subprocess.run(
        [sys.executable, "-m", "raynas.compare", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def run(
    store: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("run")
    options = ["--space", "1", "--methods", "rs,re,hb", "--seeds", "3", "--evaluations", "12"]
    done = compare(*options, "--benchmark", str(store), "--out", "study", cwd=folder)
    assert done.returncode == 0, done.stderr
    return done, folder / "study"


def test_a_comparison_leaves_a_whole_study(
    run: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _, study = run
    names = {path.relative_to(study).as_posix() for path in study.rglob("*") if path.is_file()}
    assert {"manifest.json", "trajectories.parquet", "summary.parquet", "curves.parquet"} <= names
    assert "report.html" in names
    assert any(name.startswith("figures/") and name.endswith(".svg") for name in names)
    assert any(name.startswith("figures/") and name.endswith(".png") for name in names)
    trajectories = pq.read_table(study / "trajectories.parquet")
    assert trajectories.column_names[: len(TRAJECTORY_COLUMNS)] == TRAJECTORY_COLUMNS
    frame = trajectories.to_pandas()
    assert set(frame.method) == {"rs", "re", "hb"}
    assert frame.groupby("method").seed.nunique().tolist() == [3, 3, 3]
    assert (frame[frame.method == "rs"].groupby("seed").size() == 12).all()
    spent = frame.groupby(["method", "seed"]).epochs.sum()
    assert (spent <= 12 * 108).all()
    assert (frame.test_regret >= 0).all() and (frame.validation_regret >= 0).all()
    assert (frame.groupby(["method", "seed"]).simulated_seconds.diff().dropna() >= 0).all()


def test_the_manifest_says_where_the_figures_come_from(
    run: tuple[subprocess.CompletedProcess[str], Path], store: Path
) -> None:
    manifest = json.loads((run[1] / "manifest.json").read_text())
    assert manifest["benchmark"]["sha256"] == Benchmark.open(store).sha256
    assert manifest["benchmark"]["kind"] == "synthetic"
    assert manifest["finished"] >= manifest["created"]
    assert manifest["arguments"]["methods"] == ["rs", "re", "hb"]
    assert manifest["arguments"]["seeds"] == [0, 1, 2]
    assert manifest["versions"]["ray"]


def test_the_console_shows_a_table_and_where_things_are(
    run: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, _ = run
    assert "mean test regret" in done.stdout
    assert done.stdout.startswith("benchmark: synthetic space 1\n")
    for word in ("rs", "re", "hb", "1e4", "1e6", "final", "rank", "study", "report.html"):
        assert word in done.stdout
    assert done.stderr == ""


def test_resuming_a_finished_study_shows_it_again(
    run: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _, study = run
    before = pq.read_table(study / "trajectories.parquet")
    again = call(app, "--resume", "study", cwd=study.parent)
    assert again.returncode == 0, again.stderr
    assert pq.read_table(study / "trajectories.parquet").equals(before)
    assert "mean test regret" in again.stdout


def test_resume_refuses_other_arguments(
    run: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    study = run[1]
    refused = call(app, "--resume", "study", "--evaluations", "13", cwd=study.parent)
    assert refused.returncode == 2
    assert "evaluations is 12 there, 13 was given" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--space", "4"], 2, "unknown space '4'; valid are: 1, 2, 3, 101"),
        (["--methods", "rs,magic"], 2, "unknown method 'magic'; valid are: rs"),
        (["--preset", "huge"], 2, "unknown preset 'huge'; valid are: quick, paper"),
        (["--repeat", "7"], 2, "unknown repeat '7'; valid are: seeded, mean, 0, 1, 2"),
        (["--incumbent", "luck"], 2, "unknown incumbent rule 'luck'"),
        (["--seeds", "0"], 2, "--seeds must be greater than 0"),
        (["--seeds", "many"], 2, "--seeds"),
        (["--speed", "1"], 2, "--speed"),
        (["--workers", "-1"], 2, "--workers must be greater than 0"),
        (["--budget-seconds", "0"], 2, "--budget-seconds must be greater than 0"),
        (["--seed", "-1"], 2, "--seed must not be negative"),
        (["--out", "a", "--resume", "b"], 2, "give one"),
        (["--methods", ""], 2, "--methods names nothing"),
        (["--benchmark", ""], 2, "--benchmark names nothing"),
        (["--resume", "nowhere"], 1, "nowhere"),
        (["--benchmark", "nowhere.arrow"], 1, "no benchmark file nowhere.arrow"),
        (["--benchmark", "nasbench_full.tfrecord"], 1, "search_spaces.convert"),
        (["--benchmark", "{store}", "--space", "3"], 1, "lacks at least 53,169 of the 55,854"),
        (["--benchmark", "{store}", "--address", "127.0.0.1:9"], 1, "127.0.0.1:9"),
    ],
)
def test_bad_input_is_one_line(
    options: list[str], code: int, message: str, store: Path, tmp_path: Path
) -> None:
    given = [option.format(store=store) for option in options]
    if "--space" not in given and "--resume" not in given:
        given += ["--space", "1"]
    refused = call(app, *given, cwd=tmp_path)
    assert refused.returncode == code, refused.stderr
    assert refused.stderr.startswith("error: ")
    assert message in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "Traceback" not in refused.stderr + refused.stdout
    assert not (tmp_path / "studies").exists()


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    refused = compare("--space", "4", "--debug", cwd=tmp_path)
    assert refused.returncode != 0
    assert "Traceback" in refused.stderr


def test_an_occupied_directory_is_left_alone(store: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    request = Request(spaces=("1",), methods=("rs",), seeds=1, evaluations=2, benchmark=str(store))
    with pytest.raises(UserError, match="choose another directory with --out"):
        start(request, tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_methods_that_the_benchmark_cannot_serve(store: Path, tmp_path: Path) -> None:
    only_108 = tmp_path / "only108.arrow"
    _without_small_budgets(store, only_108)
    request = Request(spaces=("1",), benchmark=str(only_108))
    begun = start(request, tmp_path / "study")
    begun.study.close()
    assert set(begun.plan.methods) == set(DEFAULT_METHODS) - {"hb", "bohb"}
    assert "hb, bohb need figures at 4, 12, 36 epochs" in begun.notes[0]
    asked = Request(spaces=("1",), methods=("rs", "hb"), benchmark=str(only_108))
    with pytest.raises(UserError, match=r"hb need.*--full"):
        start(asked, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def _without_small_budgets(source: Path, target: Path) -> None:
    import numpy as np

    whole = Benchmark.open(source)
    columns = {"module_hash": whole.hashes, "parameters": whole.column("parameters")[0]}
    for quantity, unknown in (
        ("validation_accuracy", 65535),
        ("test_accuracy", 65535),
        ("training_seconds", np.nan),
    ):
        stacked = np.stack(
            [
                np.stack([whole.column(f"{quantity}_{e}_{r}")[0] for r in range(3)], axis=1)
                for e in (4, 12, 36, 108)
            ],
            axis=1,
        ).copy()
        stacked[:, :3] = unknown
        columns[quantity] = stacked
    write_store(target, columns, name="108 only", kind="synthetic", metadata={})


def test_smac3_is_on_request_only() -> None:
    assert set(OPTIMIZERS) - set(DEFAULT_METHODS) == {"smac3"}


@pytest.mark.parametrize("on_ray", [False, pytest.param(True, marks=pytest.mark.long)])
def test_every_option_reaches_the_runs(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_ray: bool
) -> None:
    options = ["--space", "1", "--methods", "rs,smac", "--seeds", "2", "--evaluations", "8"]
    options += ["--benchmark", str(store), "--workers", "3", "--repeat", "mean", "--seed", "5"]
    options += ["--incumbent", "oracle", "--budget-seconds", "6000"]
    options += ["--out", "study", "--quiet"]
    if on_ray:
        done = compare(*options, cwd=tmp_path)
    else:
        monkeypatch.setattr("raynas.execution.runner.run_study", run_here)
        done = call(app, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stderr == ""
    arguments = json.loads((tmp_path / "study" / "manifest.json").read_text())["arguments"]
    assert (arguments["workers"], arguments["repeat"], arguments["seed"]) == (3, "mean", 5)
    frame = pq.read_table(tmp_path / "study" / "trajectories.parquet").to_pandas()
    assert (frame.repeat == -1).all()
    assert (frame.simulated_seconds <= 6000).all()
    runs = frame.groupby(["method", "seed"])
    assert (runs.incumbent_test_error.diff().dropna() <= 0).all()  # oracle: a running minimum
    table = Benchmark.open(store).table(load_space(1))
    rows = [table.space.row_of_hash(name) for name in frame.module_hash]
    frame["trained"] = table.training_seconds(rows)
    sums = frame.groupby(["method", "seed"]).agg({"trained": "sum", "simulated_seconds": "max"})
    assert (sums.trained > 1.5 * sums.simulated_seconds).all()  # three at a time


@pytest.mark.long
def test_a_budget_shorter_than_any_training(store: Path, tmp_path: Path) -> None:
    options = ["--space", "1", "--methods", "rs", "--seeds", "1", "--benchmark", str(store)]
    refused = compare(*options, "--budget-seconds", "1", cwd=tmp_path)
    assert refused.returncode == 1
    assert "no training ended within --budget-seconds 1" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_ctrl_c_says_how_to_go_on(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("raynas.execution.runner.run_study", stop)
    options = ["--space", "1", "--methods", "rs", "--benchmark", str(store), "--out", "study"]
    stopped = call(app, *options, cwd=tmp_path)
    way_out = f"continue with --resume {tmp_path / 'study'}"
    assert stopped.stderr == f"stopped; nothing finished is lost, {way_out}\n"
    assert stopped.returncode == 130
    Study.resume(tmp_path / "study").close()


def test_several_spaces_in_one_study(tmp_path: Path) -> None:
    request = Request(
        spaces=("1", "2"), methods=("rs",), seeds=2, evaluations=3, benchmark="surrogate"
    )
    begun = start(request, tmp_path / "study")
    assert begun.plan.pairs() == [("rs", "1"), ("rs", "2")]
    with begun.study as study:
        run_here(study, begun.plan)
        frame = study.finish(begun.tables).to_pandas()
    assert frame.groupby(["space", "seed"]).size().tolist() == [3] * 4
    for space, rows in frame.groupby("space"):
        cells = [begun.tables[space].space.row_of_hash(name) for name in rows.incumbent_hash]
        regret = begun.tables[space].test_error(cells) - begun.tables[space].best_test_error
        assert rows.test_regret.to_numpy() == pytest.approx(regret)


def test_a_damaged_benchmark_is_refused(store: Path, tmp_path: Path) -> None:
    content = bytearray(store.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(byte ^ 255 for byte in content[middle : middle + 64])
    (tmp_path / "damaged.arrow").write_bytes(content)
    request = Request(spaces=("1",), benchmark=str(tmp_path / "damaged.arrow"))
    with pytest.raises(UserError, match="is damaged"):
        start(request, tmp_path / "study")
    assert not (tmp_path / "study").exists()
