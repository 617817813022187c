from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from raynas.analysis import trajectory
from raynas.oneshot import method_info, method_names
from raynas.report import build_report
from raynas.report.cell_drawing import draw_cell
from raynas.report.content import contents
from raynas.report.search_explorer import explorer_data
from raynas.report.search_sections import search_facts
from raynas.report.search_static import write_search_figures
from raynas.report.studies import merge, read_study
from raynas.report.styles import styles
from raynas.supernet.operations import PRIMITIVES
from search_spaces.cell import OPERATIONS
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from search_spaces.table import Table
from tests.support.pages import Outline, page_of, report_data
from tests.support.searches_study import FinishedSearch, walking_search, write_searches

SEARCH_FIGURES = ["search-test-regret", "search-validation-regret", "search-entropy"]
ANYTIME = ["test-regret", "validation-regret", "rank", "final-regret", "distribution"]


@pytest.fixture(scope="module")
def page(both_families: Path) -> str:
    return (both_families / "report.html").read_text()


def figure(page: str, name: str) -> dict:
    [found] = [f for f in report_data(page)["figures"] if f["id"] == f"figure-0-{name}"]
    return found


def methods_of(drawn: dict) -> set[str]:
    return {trace["meta"]["method"] for trace in drawn["data"] if "method" in trace["meta"]}


def test_every_one_shot_method_has_a_style_under_its_own_name() -> None:
    looks = styles(method_names())
    assert {n: s.name for n, s in looks.items()} == {n: method_info(n).label for n in looks}
    assert len({style.light for style in looks.values()}) == len(looks)


def test_both_families_share_the_figures_but_for_the_ranks(page: str) -> None:
    names = [f["id"].removeprefix("figure-0-") for f in report_data(page)["figures"]]
    assert names == ANYTIME + SEARCH_FIGURES
    black_box, one_shot = {"rs", "re", "hb", "tpe"}, {"darts", "gdas", "random_ws"}
    for name in ("test-regret", "validation-regret", "final-regret", "distribution"):
        assert black_box | one_shot <= methods_of(figure(page, name))
    assert methods_of(figure(page, "rank")) == black_box
    for name in SEARCH_FIGURES[:2]:
        assert methods_of(figure(page, name)) == one_shot
    assert methods_of(figure(page, "search-entropy")) == {"darts", "gdas"}


def test_the_clocks_are_told_apart(page: str) -> None:
    text = Outline(page).text
    assert "The two clocks do not measure the same thing" in text
    assert "real seconds of search so far, on cpu" in text
    assert figure(page, "test-regret")["layout"]["xaxis"]["title"]["text"] == (
        "simulated training, or real search (s)"
    )


def test_the_images_of_the_search_are_announced(page: str, study: Path) -> None:
    text = Outline(page).text
    assert "Searched on scikit-learn digits (8x8, 1 channel) with 5 epochs, C = 4, 2 cells" in text
    assert "The searches saw scikit-learn digits" in text
    assert "Searched on" not in Outline((study / "report.html").read_text()).text


def test_the_gpu_of_the_search_is_named() -> None:
    search = {"images": {"title": "CIFAR-10", "name": "cifar10"}, "device": "cuda"}
    facts = search_facts([{"search": search, "gpus": ["NVIDIA H100"]}, {"arguments": {}}])
    assert "on NVIDIA H100." in facts and "cuda" not in facts
    assert "on cuda." in search_facts([{"search": search}])
    assert search_facts([{"arguments": {}}]) == ""


def test_the_tables_are_grouped_by_family_with_the_number_of_runs(
    page: str, both_families: Path
) -> None:
    text = Outline(page).text
    assert "Black-box methods (4 methods, 20 runs)" in text
    assert "One-shot methods (3 methods, 6 runs)" in text
    [table] = re.findall(r"One-shot methods \(3.*?</table>", page, re.S)
    for row in pq.read_table(both_families / "summary.parquet").to_pylist():
        if row["checkpoint"] == "final" and row["method"] in ("darts", "gdas", "random_ws"):
            assert f"{100 * row['mean_test_regret']:.3f}" in table
            assert f">{row['mean_rank']:.2f}<" in table
    assert ">2 (1 failed)<" in table
    assert table.count("<b>") == 1
    assert "diverged in epoch 4 of 5: &lt;weights&gt; not finite" in page


def test_each_family_has_its_finding(page: str) -> None:
    text = Outline(page).text
    assert re.search(r"Black-box methods: .* ends with the lowest", text)
    assert re.search(r"One-shot methods: .* of real search\.", text)


def test_regret_and_one_shot_error_over_epochs(page: str, found: list[FinishedSearch]) -> None:
    drawn = figure(page, "search-test-regret")
    means = [t for t in drawn["data"] if t["meta"] == meta("gdas", "mean")]
    regret, error = sorted(means, key=lambda t: t.get("yaxis", "y"))
    assert regret["x"] == error["x"] == [1, 2, 3, 4, 5]
    gdas = [s for s in found if s.method == "gdas"]
    table = gdas[0].table
    cells = [table.space.rows([r.vector for r in s.records]) for s in gdas]
    expected = np.mean([table.test_error(rows) - table.best_test_error for rows in cells], axis=0)
    np.testing.assert_allclose(regret["y"], 100 * expected, rtol=1e-4)
    accuracy = np.mean([[r.validation_accuracy for r in s.records] for s in gdas], axis=0)
    np.testing.assert_allclose(error["y"], 100 * (1 - accuracy), rtol=1e-4)
    assert drawn["layout"]["yaxis2"]["overlaying"] == "y"


def meta(method: str, statistic: str) -> dict[str, str]:
    return {"method": method, "statistic": statistic, "role": "line"}


def test_the_explorer_has_every_epoch_and_each_cell_once(
    page: str, found: list[FinishedSearch]
) -> None:
    [data] = report_data(page)["explorers"]
    hashes = [cell["hash"] for cell in data["cells"]]
    assert len(hashes) == len(set(hashes))
    shown = {(run["method"], run["seed"]): run for run in data["runs"]}
    assert len(shown) == len(found)
    for search in found:
        run = shown[search.method, search.seed]
        cells = [hashes[i] for i in run["cells"]]
        assert cells == [record.module_hash for record in search.records]
        accuracy = [100 * record.validation_accuracy for record in search.records]
        np.testing.assert_allclose(run["accuracy"], accuracy, rtol=1e-4)
        assert bool(run["alphas"]) == (search.method != "random_ws")
        for choice, rows in zip(data["choices"], run["alphas"], strict=False):
            assert len(rows) == len(choice["options"])
            assert {len(row) for row in rows} == {len(search.records)}
        if run["alphas"]:
            for epoch, record in enumerate(search.records):
                assert [bits[epoch] for bits in run["taken"]] == bits_of(record.vector)


def bits_of(vector: tuple[int, ...]) -> list[int]:
    """The choices of an architecture of space 1, options as bits, in the explorer's order."""
    space = load_space("1")
    sets = [s[choice] for s, choice in zip(space.parent_sets, vector[4:], strict=True)]
    chosen = [s for s, options in zip(sets, space.parent_sets, strict=True) if len(options) > 1]
    operations = [1 << PRIMITIVES.index(OPERATIONS[option]) for option in vector[:4]]
    return [*operations, *(sum(1 << parent for parent in parents) for parents in chosen)]


def test_a_cell_in_the_explorer_is_drawn_as_elsewhere(both_families: Path) -> None:
    [content] = contents(merge([read_study(both_families)]))
    space = load_space(content.name)
    for cell in explorer_data(content, "x")["cells"]:
        svg = draw_cell(space.cell(space.row_of_hash(cell["hash"])))
        paths = re.findall(r'class="edge" d="([^"]*)"', svg)
        numbers = [[float(n) for n in re.findall(r"-?[\d.]+", p)] for p in (*paths, *cell["paths"])]
        half = len(paths)
        for exact, whole in zip(numbers[:half], numbers[half:], strict=True):
            np.testing.assert_allclose(whole, exact, atol=0.51)
        assert svg.count("<rect") == len(cell["vertices"])


def test_a_page_without_searches_has_nothing_of_them(study: Path) -> None:
    page = (study / "report.html").read_text()
    assert "explorers" not in report_data(page)
    assert "searchExplorer = " not in page and 'class="explorer"' not in page
    assert "One-shot" not in Outline(page).text


def test_a_study_of_searches_only(searches_only: Path, tmp_path: Path) -> None:
    built = build_report([searches_only], tmp_path)
    page = built.page.read_text()
    assert methods_of(figure(page, "rank")) == {"darts", "gdas", "random_ws"}
    assert figure(page, "rank")["layout"]["xaxis"]["title"]["text"] == "search time (s)"
    text = Outline(page).text
    assert "simulated training" not in text and "two clocks" not in text
    names = {path.name for path in built.figures}
    for name in (*SEARCH_FIGURES, "alphas-darts", "alphas-gdas"):
        assert {f"space-1-{name}.svg", f"space-1-{name}.png"} <= names
    assert "space-1-alphas-random_ws.svg" not in names


def test_methods_without_parameters_alone(tables: dict[str, Table], tmp_path: Path) -> None:
    searches = [walking_search("random_ws", tables["1"], seed, 3) for seed in range(2)]
    built = build_report([write_searches(tmp_path / "study", searches)], tmp_path / "out")
    names = [f["id"] for f in report_data(built.page.read_text())["figures"]]
    assert "figure-0-search-test-regret" in names and "figure-0-search-entropy" not in names
    assert not [path for path in built.figures if "alphas" in path.name]


def test_a_search_that_failed_at_once(tables: dict[str, Table], tmp_path: Path) -> None:
    whole = walking_search("darts", tables["1"], 0, 3)
    none = FinishedSearch("gdas", tables["1"], 0, [], "out of memory")
    page = page_of(write_searches(tmp_path / "study", [whole, none]))
    assert "out of memory" in Outline(page).text
    assert {run["method"] for run in report_data(page)["explorers"][0]["runs"]} == {"darts"}


@pytest.mark.long
def test_a_large_study_stays_under_eight_megabytes(
    tables: dict[str, Table], tmp_path: Path
) -> None:
    searches = [
        walking_search(method, tables["2"], seed, 50)
        for method in method_names()
        for seed in range(6)
    ]
    page = page_of(write_searches(tmp_path / "study", searches))
    assert len(page.encode()) < 8_000_000


def test_searches_of_clashing_studies_are_kept_apart(
    searches_only: Path, tables: dict[str, Table], tmp_path: Path
) -> None:
    other = write_searches(tmp_path / "other", [walking_search("gdas", tables["1"], 0, 4)])
    page = page_of(searches_only, other)
    runs = report_data(page)["explorers"][0]["runs"]
    lengths = {(run["method"], run["seed"]): len(run["epochs"]) for run in runs}
    assert lengths["gdas", 0] == 5 and lengths["gdas · other", 0] == 4
    assert all(value is not None for run in runs for value in run["test"])


def test_studies_from_before_there_were_searches_are_read(study: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(study, tmp_path / "first")
    table = pq.read_table(copy / "trajectories.parquet").drop_columns(["device"])
    pq.write_table(table, copy / "trajectories.parquet")
    assert page_of(copy) == (study / "report.html").read_text()


def test_a_damaged_file_of_searches_is_named(searches_only: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(searches_only, tmp_path / "study")
    (copy / "alphas.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(UserError, match=r"cannot read .*alphas\.parquet"):
        page_of(copy)


def test_hostile_names_of_searches_are_only_text(searches_only: Path, tmp_path: Path) -> None:
    attack = "</script><img src=x onerror=alert(1)>"
    copy = shutil.copytree(searches_only, tmp_path / "study")
    for file in ("trajectories", "searches", "alphas"):
        table = pq.read_table(copy / f"{file}.parquet")
        names = [attack if m == "gdas" else m for m in table.column("method").to_pylist()]
        table = table.set_column(table.column_names.index("method"), "method", [names])
        pq.write_table(table, copy / f"{file}.parquet")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["search"]["images"]["title"] = attack
    manifest["search"]["device"] = attack
    (copy / "manifest.json").write_text(json.dumps(manifest))
    page = page_of(copy)
    assert "<img" not in page
    assert page.count("</script>") == 3
    assert attack in Outline(page).text
    [content] = contents(merge([read_study(copy)]))
    (tmp_path / "figures").mkdir()
    paths = write_search_figures(content, tmp_path / "figures")
    assert any("alphas" in path.name for path in paths)
    assert all(path.parent == tmp_path / "figures" for path in paths)


def test_black_box_rows_are_the_tables(tables: dict[str, Table]) -> None:
    from tests.support.studies import random_log

    log = random_log(tables["1"], {"rs": 0.0}, seeds=1, evaluations=3)
    assert set(trajectory(log, tables).column("device").to_pylist()) == {"table"}
