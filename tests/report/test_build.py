from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from raynas.report import build_report
from raynas.report.__main__ import app
from search_spaces.errors import UserError
from search_spaces.table import Table
from tests.support.command_line import call
from tests.support.pages import Outline, page_of, report_data
from tests.support.studies import random_log, write_study


@pytest.fixture(scope="module")
def page(study: Path) -> str:
    return (study / "report.html").read_text()


def test_the_page_is_one_file_of_moderate_size(study: Path, page: str) -> None:
    assert (study / "report.html").stat().st_size < 8_000_000
    assert all(a.startswith(("#", "data:")) for a in Outline(page).addresses)


def test_the_page_names_the_benchmark_and_the_winner(page: str) -> None:
    text = Outline(page).text
    assert "Synthetic benchmark" in text
    assert "ends with the lowest mean test regret" in text
    assert re.search(r"95\s% interval [\d.]+ – [\d.]+", text)


def test_every_figure_has_every_method(page: str) -> None:
    data = report_data(page)
    names = [figure["id"].removeprefix("figure-0-") for figure in data["figures"]]
    assert names == ["test-regret", "validation-regret", "rank", "final-regret", "distribution"]
    for figure in data["figures"]:
        shown = {trace["meta"].get("method") for trace in figure["data"]}
        assert {"rs", "re", "hb", "tpe"} <= shown
    assert "exact-random-search" in data["styles"]


def test_regret_over_time_is_on_logarithmic_axes(page: str) -> None:
    layouts = {figure["id"]: figure["layout"] for figure in report_data(page)["figures"]}
    for name in ("test-regret", "validation-regret"):
        layout = layouts[f"figure-0-{name}"]
        assert layout["xaxis"]["type"] == layout["yaxis"]["type"] == "log"


def test_the_page_says_how_often_a_study_was_resumed(
    study: Path, page: str, tmp_path: Path
) -> None:
    assert "resumed" not in Outline(page).text.partition("Manifest")[0]
    copy = shutil.copytree(study, tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    same = {"time": manifest["created"], "versions": manifest["versions"]}
    other = same | {"versions": manifest["versions"] | {"numpy": "1.0"}}
    (copy / "manifest.json").write_text(json.dumps(manifest | {"resumed": [same, other]}))
    text = Outline(page_of(copy)).text
    assert "resumed 2 times (1 with other package versions), finished" in text


def test_curves_are_thinned(page: str) -> None:
    for figure in report_data(page)["figures"]:
        for trace in figure["data"]:
            most = 400 if trace["meta"]["role"] == "band" else 200
            assert len(trace.get("x", [])) <= most


def test_the_table_shows_what_the_summary_has(study: Path, page: str) -> None:
    text = Outline(page).text
    for row in pq.read_table(study / "summary.parquet").to_pylist():
        if row["checkpoint"] == "final":
            assert f"{100 * row['mean_test_regret']:.3f}" in text
            assert f"{100 * row['ci_low']:.3f} – {100 * row['ci_high']:.3f}" in text


def test_failures_are_listed_escaped(study: Path, page: str) -> None:
    failed = pq.read_table(study / "trajectories.parquet").column("failure").drop_null()
    assert f"{len(failed)} of 600 evaluations failed." in Outline(page).text
    assert "the loss is &lt;nan&gt; &amp; gone" in page
    assert "<nan>" not in page


def test_the_best_cell_and_the_manifest_are_there(study: Path, page: str) -> None:
    table = pq.read_table(study / "trajectories.parquet").to_pylist()
    ends = {(row["method"], row["seed"]): row for row in table}
    best = min(ends.values(), key=lambda row: row["incumbent_validation_error"])
    text = Outline(page).text
    assert best["incumbent_hash"] in text
    assert '<svg class="cell"' in page
    manifest = json.loads((study / "manifest.json").read_text())
    assert manifest["benchmark"]["sha256"] in text
    assert "python -m raynas.compare --space 1 --methods rs,re,hb,tpe --seeds 5" in text


def test_figures_are_written_as_svg_and_png(study: Path) -> None:
    names = {path.name for path in (study / "figures").iterdir()}
    for figure in ("test-regret", "validation-regret", "rank", "final-regret", "distribution"):
        assert {f"space-1-{figure}.svg", f"space-1-{figure}.png"} <= names
    assert "space-1-best-cell.svg" in names
    for path in (study / "figures").iterdir():
        begin = {".png": rb"\x89PNG\r\n", ".svg": rb"<\?xml|<svg "}[path.suffix]
        assert re.match(begin, path.read_bytes()[:200]), path.name


def test_the_command_builds_the_same_page_again(study: Path, page: str, tmp_path: Path) -> None:
    shutil.copytree(study, tmp_path / "first")
    done = call(app, "first", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "out/report.html" in done.stdout
    assert (tmp_path / "out" / "report.html").read_text() == page
    svg = "figures/space-1-rank.svg"
    assert (tmp_path / "out" / svg).read_bytes() == (study / svg).read_bytes()


def test_hostile_names_are_only_text(study: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(study, tmp_path / "<script>alert(1)</script>".replace("/", "_"))
    manifest = json.loads((copy / "manifest.json").read_text())
    attack = "</script><script>alert('x')</script>${plotly}"
    manifest["benchmark"]["name"] = attack
    manifest["arguments"]["preset"] = attack
    (copy / "manifest.json").write_text(json.dumps(manifest))
    table = pq.read_table(copy / "trajectories.parquet")
    names = [attack if m == "re" else m for m in table.column("method").to_pylist()]
    index = table.column_names.index("method")
    pq.write_table(table.set_column(index, "method", [names]), copy / "trajectories.parquet")
    page = page_of(copy)
    assert "<script>alert" not in page
    assert attack in Outline(page).text
    assert page.count("</script>") == 3


def test_several_spaces_have_a_section_each(two_spaces: Path, tmp_path: Path) -> None:
    page = page_of(two_spaces)
    assert 'id="space-0"' in page and 'id="space-1"' in page
    assert "#space-1" in Outline(page).addresses
    assert {f["id"][:9] for f in report_data(page)["figures"]} == {"figure-0-", "figure-1-"}


def test_studies_are_put_together_and_clashing_runs_kept_apart(
    study: Path, two_spaces: Path, tmp_path: Path
) -> None:
    page = page_of(study, two_spaces)
    labels = set(report_data(page)["styles"])
    assert {"rs", "re", "hb", "tpe", "rs · second", "ls · second"} <= labels
    assert "rest on different benchmarks" not in Outline(page).text


def test_further_seeds_of_the_same_study_are_pooled(
    tables: dict[str, Table], tmp_path: Path
) -> None:
    log = random_log(tables["1"], {"rs": 0.0, "re": 5.0}, seeds=4, evaluations=10)
    table = {"1": tables["1"]}
    low = write_study(tmp_path / "low", table, [log.filter(pc.field("seed") < 2)])
    high = write_study(tmp_path / "high", table, [log.filter(pc.field("seed") >= 2)])
    text = Outline(page_of(low, high)).text
    assert "2 methods, 8 runs" in text


def test_different_benchmarks_are_stated(
    study: Path, tables: dict[str, Table], tmp_path: Path
) -> None:
    log = random_log(tables["2"], {"rs": 0.0}, seeds=2, evaluations=5)
    other = write_study(tmp_path / "other", {"2": tables["2"]}, [log])
    text = Outline(page_of(study, other)).text
    assert "rest on different benchmarks" in text


def test_one_run_of_one_method_is_enough(tables: dict[str, Table], tmp_path: Path) -> None:
    log = random_log(tables["1"], {"rs": 0.0}, seeds=1, evaluations=1)
    study = write_study(tmp_path / "tiny", {"1": tables["1"]}, [log])
    text = Outline(page_of(study)).text
    assert "no interval: too few distinct runs" in text


def test_a_study_in_which_all_failed_says_so(tables: dict[str, Table], tmp_path: Path) -> None:
    log = random_log(tables["1"], {"rs": 0.0, "re": 1.0}, seeds=2, evaluations=3, failing=1.0)
    study = write_study(tmp_path / "failed", {"1": tables["1"]}, [log])
    text = Outline(build_report([study], tmp_path / "out").page.read_text()).text
    assert "No run finished an evaluation successfully." in text
    assert "12 of 12 evaluations failed." in text


def test_without_stored_curves_the_page_says_what_is_missing(study: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(study, tmp_path / "copy")
    (copy / "curves.parquet").unlink()
    page = page_of(copy)
    assert "exact curve of random search is not known" in Outline(page).text
    assert "exact-random-search" not in report_data(page)["styles"]


def test_the_page_says_which_incumbent_rule_it_shows(
    page: str, tables: dict[str, Table], tmp_path: Path
) -> None:
    log = random_log(tables["1"], {"rs": 0.0, "hb": 0.0}, seeds=2, evaluations=5)
    oracle = write_study(tmp_path / "study", {"1": tables["1"]}, [log], incumbent="oracle")
    assert "Oracle incumbents" in Outline(page_of(oracle)).text
    assert "Oracle incumbents" not in Outline(page).text


def broken(study: Path, tmp_path: Path, kind: str) -> Path:
    copy = shutil.copytree(study, tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    if kind == "no manifest":
        (copy / "manifest.json").unlink()
    elif kind == "other layout":
        (copy / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    elif kind == "no trajectories":
        (copy / "trajectories.parquet").unlink()
    elif kind == "damaged":
        (copy / "trajectories.parquet").write_bytes(b"PAR1 nothing")
    elif kind == "other columns":
        table = pq.read_table(copy / "trajectories.parquet").drop_columns(["test_regret"])
        pq.write_table(table, copy / "trajectories.parquet")
    elif kind == "twice":
        table = pq.read_table(copy / "curves.parquet")
        pq.write_table(table.append_column("space", table["space"]), copy / "curves.parquet")
    return copy


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("no manifest", "is no study"),
        ("other layout", "layout 99"),
        ("no trajectories", "not finished"),
        ("damaged", "cannot read"),
        ("other columns", "lacks the columns test_regret"),
        ("twice", r"curves\.parquet has the column space twice"),
    ],
)
def test_what_is_no_finished_study_is_refused_in_one_line(
    study: Path, tmp_path: Path, kind: str, words: str
) -> None:
    with pytest.raises(UserError, match=words) as caught:
        build_report([broken(study, tmp_path, kind)], tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_no_studies_and_no_directory() -> None:
    with pytest.raises(UserError, match="at least one"):
        build_report([], "anywhere")
    with pytest.raises(UserError, match="no study directory"):
        build_report(["/no/such/study"], "anywhere")


def test_the_module_is_a_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "raynas.report", str(tmp_path / "none")]
    wrong = subprocess.run(command, capture_output=True, text=True, check=False)
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("error: ") and wrong.stderr.count("\n") == 1
