"""The look inside one search in a real browser: figures, slider, selectors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support.browser import load

pytestmark = pytest.mark.browser

FACT = "return document.querySelector('#explorer-0 [data-fact=\"{}\"]').textContent"
CELL = "return document.querySelector('#explorer-0 svg.cell').outerHTML"


@pytest.fixture
def page(browser: Any, both_families: Path) -> Any:
    load(browser, both_families / "report.html")
    return browser


def fact(browser: Any, name: str) -> str:
    return str(browser.execute_script(FACT.format(name)))


def choose(browser: Any, name: str, value: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    Select(browser.find_element(By.ID, f"explorer-0-{name}")).select_by_value(value)


def slider(browser: Any) -> Any:
    from selenium.webdriver.common.by import By

    return browser.find_element(By.ID, "explorer-0-epoch")


def rows(study: Path, method: str, seed: int) -> list[dict[str, Any]]:
    found = pq.read_table(study / "trajectories.parquet").to_pylist()
    return [r for r in found if (r["method"], r["seed"]) == (method, seed) and not r["failure"]]


def errors(browser: Any) -> list[Any]:
    return [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_every_figure_of_the_searches_has_drawn(page: Any) -> None:
    assert errors(page) == []
    for name in ("search-test-regret", "search-validation-regret", "search-entropy"):
        drawn = page.execute_script(
            "return [...document.querySelectorAll(`#${arguments[0]} .scatterlayer path.js-line`)]"
            ".filter((p) => p.getAttribute('d').length > 10).length",
            f"figure-0-{name}",
        )
        assert drawn >= 2, name
    second = "return document.querySelectorAll('#figure-0-search-test-regret .y2tick').length"
    assert page.execute_script(second) >= 2
    heat = "return document.querySelectorAll('#explorer-0-alphas .heatmaplayer image').length"
    assert page.execute_script(heat) == 1
    lines = "return document.querySelectorAll('#explorer-0-entropy .scatterlayer .js-line').length"
    assert page.execute_script(lines) == 7


def test_arrow_keys_move_through_the_epochs(page: Any, both_families: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    expected = rows(both_families, "darts", 0)
    assert len({row["module_hash"] for row in expected}) > 1
    drawings = {}
    for row in reversed(expected):
        assert fact(page, "hash") == row["module_hash"]
        assert fact(page, "test") == f"{100 * row['test_regret']:.3f} percentage points"
        assert fact(page, "validation") == f"{100 * row['validation_regret']:.3f} percentage points"
        drawings[row["module_hash"]] = page.execute_script(CELL)
        assert "arrow" in drawings[row["module_hash"]]
        slider(page).send_keys(Keys.ARROW_LEFT)
    assert len(set(drawings.values())) == len(drawings)
    assert "epoch 1 of 5" in slider(page).get_attribute("aria-valuetext")
    line = "return document.getElementById('explorer-0-alphas').layout.shapes[0].x0 === 1"
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(page, 30).until(lambda b: b.execute_script(line))
    assert errors(page) == []


def test_method_and_seed_choose_the_search(page: Any, both_families: Path) -> None:
    accuracy = {
        (row["method"], row["seed"], row["epoch"]): f"{100 * row['validation_accuracy']:.2f} %"
        for row in pq.read_table(both_families / "searches.parquet").to_pylist()
    }
    choose(page, "method", "gdas")
    assert fact(page, "hash") == rows(both_families, "gdas", 0)[-1]["module_hash"]
    choose(page, "seed", "1")
    assert fact(page, "hash") == rows(both_families, "gdas", 1)[-1]["module_hash"]
    assert fact(page, "accuracy") == accuracy["gdas", 1, 5]
    choose(page, "method", "darts")
    assert slider(page).get_attribute("max") == "3"  # seed 1 stays chosen; it ended early
    assert fact(page, "accuracy") == accuracy["darts", 1, 3]


def test_a_method_without_parameters_shows_cells_only(page: Any) -> None:
    from selenium.webdriver.common.by import By

    parameters = page.find_element(By.CSS_SELECTOR, "#explorer-0 .parameters")
    assert parameters.is_displayed()
    choose(page, "method", "random_ws")
    assert not parameters.is_displayed()
    note = page.find_element(By.CSS_SELECTOR, "#explorer-0 .without")
    assert "no architecture parameters" in note.text
    choose(page, "method", "gdas")
    assert parameters.is_displayed() and not note.is_displayed()
    assert errors(page) == []


def test_the_first_drawing_is_there_without_the_script(page: Any, both_families: Path) -> None:
    html = (both_families / "report.html").read_text()
    [explorer] = re.findall(r'<section class="explorer".*?</section>', html, re.S)
    last = rows(both_families, "darts", 0)[-1]["module_hash"]
    assert last in explorer and '<svg class="cell"' in explorer


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(browser: Any, both_families: Path, width: int) -> None:
    load(browser, both_families / "report.html", width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
