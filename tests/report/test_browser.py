"""The page in a real browser: it loads, draws, reacts, and asks the network for nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import load

pytestmark = pytest.mark.browser

FIGURES = ("test-regret", "validation-regret", "rank", "final-regret", "distribution")
VISIBLE = """
const found = {};
for (const plot of document.querySelectorAll('.plot')) {
  found[plot.id] = plot._fullData.filter((t) => t.visible === true)
    .map((t) => [t.meta.method || null, t.meta.statistic || null]);
}
return found;
"""


@pytest.fixture
def page(browser: Any, study: Path) -> Any:
    load(browser, study / "report.html")
    return browser


def visible(browser: Any) -> dict[str, set[tuple[str | None, str | None]]]:
    return {name: {tuple(t) for t in ts} for name, ts in browser.execute_script(VISIBLE).items()}


def press(browser: Any, selector: str) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    before = visible(browser)
    browser.execute_script(f"document.querySelector('{selector}').click()")
    WebDriverWait(browser, 30).until(lambda b: visible(b) != before)


def test_it_loads_without_an_error_and_without_the_network(page: Any) -> None:
    assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert any(url.endswith("report.html") for url in asked)
    # The browser's own start page has chrome: addresses.
    local = ("file:", "data:", "blob:", "chrome:", "chrome-untrusted:", "about:")
    assert [url for url in asked if not url.startswith(local)] == []


def test_every_figure_has_drawn(page: Any) -> None:
    for name in FIGURES:
        drawn = page.execute_script(
            "const plot = document.getElementById(arguments[0]);"
            "return [...plot.querySelectorAll('.scatterlayer path, .boxlayer path')]"
            ".map((p) => p.getAttribute('d') || '').filter((d) => d.length > 10).length",
            f"figure-0-{name}",
        )
        assert drawn >= 4, name
    assert page.execute_script("return document.querySelectorAll('svg.cell .vertex').length") >= 3


def test_switching_a_method_off_hides_it_everywhere(page: Any) -> None:
    everywhere = visible(page)
    assert set(everywhere) == {f"figure-0-{name}" for name in FIGURES}
    assert all("re" in {method for method, _ in shown} for shown in everywhere.values())
    press(page, '.chip[data-method="re"]')
    for shown in visible(page).values():
        methods = {method for method, _ in shown}
        assert "re" not in methods and "tpe" in methods
    press(page, '.chip[data-method="re"]')
    assert visible(page) == everywhere


def test_the_statistic_switches(page: Any) -> None:
    assert {s for _, s in visible(page)["figure-0-test-regret"]} == {"mean"}
    press(page, '[data-statistic="median"]')
    for name in ("test-regret", "validation-regret"):
        assert {s for _, s in visible(page)[f"figure-0-{name}"]} == {"median"}
    pressed = "return document.querySelector('[data-statistic=\"median\"]').ariaPressed"
    assert page.execute_script(pressed) == "true"


def test_hover_shows_numbers(page: Any) -> None:
    page.execute_script("Plotly.Fx.hover('figure-0-rank', [{curveNumber: 0, pointNumber: 20}])")
    label = "return document.querySelector('#figure-0-rank .hovertext').textContent"
    assert "mean rank" in page.execute_script(label)


def test_dark_pages_have_other_colours(page: Any) -> None:
    colour = "return document.getElementById('figure-0-rank')._fullData[0].line.color"
    light = page.execute_script(colour)
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [dark]})
    try:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(page, 30).until(lambda b: b.execute_script(colour) != light)
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(browser: Any, study: Path, width: int) -> None:
    load(browser, study / "report.html", width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
