"""The page of a study of settings."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from raynas.analysis.sensitivity import SENSITIVITY_SCHEMA
from raynas.report.sensitivity import page, write_sensitivity
from raynas.report.sensitivity_figures import setting_styles
from raynas.report.sensitivity_sections import limits_notice
from raynas.report.sensitivity_wording import findings, verdict
from raynas.search_request import SearchRequest
from raynas.studies import STUDIES, Claim
from raynas.study_request import Request
from search_spaces.table import Table
from tests.support.pages import Outline, report_data
from tests.support.settings_studies import analysed, walked_study

METHODS = ("darts", "gdas")


def request(name: str, table: Table, seeds: int = 4) -> Request:
    searches = SearchRequest(search_seeds=seeds, epochs=4, device="cpu", images="digits")
    return Request(name, ("1",), METHODS, str(table.benchmark.path), searches=searches)


@pytest.fixture(scope="module")
def made(tables: dict[str, Table], tmp_path_factory: pytest.TempPathFactory):
    """A study of regularisation, and its page."""
    path = tmp_path_factory.mktemp("studies") / "regularisation"
    table = tables["1"]
    lost = ("gdas (weight_decay=0.0081, cutout=on)", 2)
    begun = walked_study(path, request("regularisation", table), table, lost)
    rows, merged = analysed(begun)
    looks = setting_styles(one.setting for one in begun.studied)
    return rows, page(begun.grid, begun.studied, rows, merged, looks), begun, merged


def test_the_page_says_what_was_asked_found_and_not_shown(made) -> None:
    _, html, _, _ = made
    outline = Outline(html)
    assert all(a.startswith(("#", "data:")) for a in outline.addresses)
    for words in (
        "What do weight decay and cutout",
        "Size of this study: preset quick",
        "cutout and weight decay may do something else on CIFAR-10",
        "the network has C = 4 and 3 cells",
        "all epochs of the published grid are divided by 12.5 (4 for 50)",
        "4 searches per setting find only large differences",
        "settings is told apart from the default",
        "Spearman's correlation",
        "weight_decay=0.0081, cutout=on: 1 of 4",
        "4 runs against 4",
        "over 10 settings a single one cannot fall below p = 0.29; 6 searches each can",
        "More weight decay makes all methods less stable",
        "Cutout has little effect on GDAS",
        "those of the scripts of NAS-Bench-1Shot1",
        "python -m raynas.study regularisation --space 1 --methods darts,gdas --preset quick",
        "--search-seeds 4",
        "run failed: made up",
        "Up to 200,000 splits of the searches, which is 10 of each setting, are all listed",
    ):
        assert words in outline.text, words


def test_every_setting_has_a_row_a_line_and_a_switch(made) -> None:
    rows, html, begun, _ = made
    data = report_data(html)
    settings = {one.setting for one in begun.studied}
    assert set(data["styles"]) == settings and len(settings) == 11
    looks = setting_styles(settings)
    assert len({(look.light, look.dash) for look in looks.values()}) == 11
    for setting in settings:
        assert html.count(f'data-row="{setting}"') == len(METHODS)
        assert f'class="chip" aria-pressed="true" data-method="{setting}"' in html
    assert len(data["figures"]) == 3 * len(METHODS)
    for figure in data["figures"]:
        shown = {trace["meta"]["method"] for trace in figure["data"]}
        default = {"weight_decay=0.0003, cutout=off"}
        assert shown == (settings - default if "difference" in figure["id"] else settings)
    lines = [t for t in data["figures"][0]["data"] if t["meta"]["statistic"] == "mean"]
    finals = {t["meta"]["method"]: t["y"][-1] for t in lines}
    for row in rows:
        if row["method"] == "darts":
            assert finals[row["setting"]] == pytest.approx(100 * row["test_regret"], rel=1e-4)


def test_the_files(made, tmp_path: Path) -> None:
    rows, _, begun, merged = made
    found = pa.Table.from_pylist(rows, schema=SENSITIVITY_SCHEMA)
    # Drawing takes the time: one method will do.
    some = found.filter(pa.compute.equal(found["method"], "darts"))
    paths = write_sensitivity(begun.grid, begun.studied, some, merged, tmp_path)
    names = {f"space-1-darts-{n}" for n in ("test-regret", "one-shot-error")}
    assert paths.page == tmp_path / "report.html" and paths.page.exists()
    assert {path.name for path in paths.figures} == {
        f"{name}.{kind}" for name in names for kind in ("svg", "png")
    }
    assert all(path.stat().st_size > 1000 for path in paths.figures)


def test_one_seed_gives_a_page_without_intervals(tables: dict[str, Table], tmp_path: Path) -> None:
    table = tables["1"]
    begun = walked_study(tmp_path / "one", request("warm-start", table, seeds=1), table)
    rows, merged = analysed(begun)
    looks = setting_styles(one.setting for one in begun.studied)
    text = Outline(page(begun.grid, begun.studied, rows, merged, looks)).text
    assert "Nothing can be said of the differences: one value, at least 3 are needed" in text
    assert "1 search per setting find" in text
    assert "Of these settings and methods the sources at hand say nothing" in text
    assert "warm_start_epochs=2" in text and "for warm_start_epochs=20" in text


SHIFT = {"difference": 0.1, "difference_low": 0.05, "difference_high": 0.2, "p": 0.01}
SMALL = {"difference": 0.0, "difference_low": -0.001, "difference_high": 0.001, "p": 0.8}


def row(**values) -> dict:
    usual = {"space": "3", "method": "darts", "setting": "x=2", "runs": 6, "failed": 0}
    return (
        usual
        | {"difference_statement": None, "p_similar": None, "p_not_lower": None}
        | SHIFT
        | values
    )


@pytest.mark.parametrize(
    ("effect", "found", "expected"),
    [
        ("higher", {}, "agree"),
        ("lower", {}, "disagree"),
        ("higher", {"p": 0.06}, "not comparable"),
        ("higher", {"failed": 2}, "not comparable"),
        ("none", {}, "disagree"),
        ("none", SMALL, "not comparable"),
        ("none", SMALL | {"p_similar": 0.01}, "agree"),
        ("not lower", {"p_not_lower": 0.01}, "agree"),
        ("not lower", SMALL, "not comparable"),
    ],
)
def test_verdicts_are_those_of_a_reproduction(effect, found, expected: str) -> None:
    claim = Claim("it does", "someone", ("darts",), "x=2", effect)
    assert verdict(claim, row(**found), []) == expected
    elsewhere = {"agree": "agrees in direction"}.get(expected, "not comparable")
    assert verdict(claim, row(**found), ["digits instead of CIFAR-10"]) == elsewhere
    assert verdict(claim, None, []) == "not run"


def test_each_part_of_a_smaller_network_is_noticed(made) -> None:
    manifest = made[3].studies[0].manifest
    for channels, cells, smaller in ((16, 9, False), (32, 3, True), (4, 9, True), (32, 12, False)):
        settings = {"darts": {"channels": channels, "cells": cells}}
        search = manifest["search"] | {"settings": settings}
        said = limits_notice(manifest | {"search": search})
        assert (f"the network has C = {channels} and {cells} cells" in said) == smaller


def test_a_setting_that_differs_is_named(made) -> None:
    rows = [dict(r) for r in made[0] if r["method"] == "darts"]
    other = next(r for r in rows if not r["default"])
    for r in rows:
        r["p_holm"] = None if r["default"] else 1.0
    other |= {"p_holm": 0.02, "difference": 0.05, "difference_low": 0.01, "difference_high": 0.09}
    said = findings(rows)
    wanted = f"beyond chance: {other['setting']}: +5.000 [+1.000, +9.000] (p 0.020)"
    assert wanted in said
    assert "The other 9 are not told apart from it." in said


def test_what_is_not_known_of_differences_is_said_of_them(made) -> None:
    rows = [dict(r) | {"p_holm": None} for r in made[0] if r["method"] == "darts"][:3]
    for r in rows:
        r |= {"statement": "of the regret", "difference_statement": "of the difference"}
    said = findings(rows)
    assert "Nothing can be said of the differences: of the difference." in said
    assert "of the regret" not in said


def test_all_studies_have_a_title_and_a_question() -> None:
    for grid in STUDIES.values():
        assert grid.title and grid.question.endswith("?")
