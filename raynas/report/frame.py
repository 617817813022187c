"""What every page has: the template with styles and scripts in it, cards, and method switches."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

from raynas.report.markup import tag, text
from raynas.report.styles import EXACT, Style


def render(data: dict[str, Any], script: str, **parts: str) -> str:
    """A page as one HTML file.

    Args:
        data: what the script reads: figures, styles.
        script: the page's script, after Plotly.
        parts: the HTML of the template's places.
    """
    return Template(asset("page.html")).substitute(
        parts, style=asset("page.css"), data=_json(data), plotly=_plotly(), script=script
    )


def asset(name: str) -> str:
    """The text of a file in `assets`."""
    return (files("raynas.report") / "assets" / name).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("</script", "<\\/script")


def _json(value: Any) -> str:
    """JSON that no text in it can end the script element with."""
    plain = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def method_switches(looks: dict[str, Style], shown: str = "Methods shown") -> str:
    """A button for each method (or what else figures show) that shows or hides it in all."""
    chips = [
        tag(
            "button",
            _swatch(label, style),
            text(style.name),
            type="button",
            class_="chip",
            aria_pressed="true",
            data_method=label,
        )
        for label, style in sorted(looks.items(), key=lambda item: item[0] == EXACT)
    ]
    return tag("div", *chips, class_="chips", role="group", aria_label=shown)


def statistic_switch() -> str:
    """Buttons that choose between mean and median in all figures."""
    statistics = [
        tag(
            "button",
            title,
            type="button",
            data_statistic=name,
            aria_pressed="true" if name == "mean" else "false",
        )
        for name, title in (("mean", "Mean, 95 % interval"), ("median", "Median, quartiles"))
    ]
    return tag("div", *statistics, class_="switch", role="group", aria_label="Statistic")


def _swatch(label: str, style: Style) -> str:
    dashes = " ".join(f"{2.2 * length:g}" for length in style.dashes)
    line = tag("line", x1=1, y1=5, x2=27, y2=5, stroke_width=2.4, stroke_dasharray=dashes or "none")
    known = {"class_": "dash", "data_method": label, "aria_hidden": "true"}
    return tag("svg", line, viewBox="0 0 28 10", **known)


def card(identifier: str, heading: str, caption: str, wide: bool, height: int | None = None) -> str:
    """The place of an interactive figure with its heading and caption; height is in pixels."""
    style = {} if height is None else {"style": f"height:{height}px"}
    return tag(
        "figure",
        tag("h3", text(heading)),
        tag("div", "", id=identifier, class_="plot", role="img", aria_label=heading, **style),
        tag("figcaption", text(caption)),
        class_="card wide" if wide else "card",
    )
