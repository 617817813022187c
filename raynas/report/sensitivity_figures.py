"""The figures of a study of settings: one colour and dash per setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from raynas.analysis.searches import EpochCurve, SearchRun, epoch_curve
from raynas.report.axes import Figure, digits, layout_of, points_axis, regret_floor, spread_axis
from raynas.report.search_figures import bands_first, epoch_axis, epoch_traces
from raynas.report.static_figures import label_points, legend, look, write_titled
from raynas.report.styles import Style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawn

Groups = Mapping[str, list[SearchRun]]
Curves = dict[str, EpochCurve]
# More intervals than these hide one another.
MOST_BANDED = 4
_ROW, _MARGINS = 28, 80
_DOT, _DASH = (1.2, 1.8), (5.0, 2.5)
#: Colours on white and on a dark page, after Okabe and Ito (2008), for the first factor.
_COLOURS = (
    ("#0b62a8", "#5aa9f0"),
    ("#00845f", "#3cc79b"),
    ("#c98a00", "#f2be4b"),
    ("#d1491b", "#ff8a5c"),
    ("#7b2d5b", "#d98ab4"),
)
#: Dashes and symbols for the second factor.
_LINES: tuple[tuple[str, tuple[float, ...], str, str], ...] = (
    ("solid", (), "circle", "o"),
    ("dash", _DASH, "square", "s"),
    ("dot", _DOT, "diamond", "D"),
)


def setting_styles(settings: Iterable[str]) -> dict[str, Style]:
    """A style for each setting "a=1, b=off": the colour by its first factor, the dash by others."""
    colours: dict[str, int] = {}
    dashes: dict[str, int] = {}
    found = {}
    for setting in dict.fromkeys(settings):
        first, _, rest = setting.partition(", ")
        light, dark = _COLOURS[colours.setdefault(first, len(colours)) % len(_COLOURS)]
        line = _LINES[dashes.setdefault(rest, len(dashes)) % len(_LINES)]
        dash, lengths, symbol, marker = line
        found[setting] = Style(setting, light, dark, dash, symbol, lengths, marker)
    return found


def figures(groups: Groups, rows: list[dict[str, Any]], looks: dict[str, Style]) -> dict[str, Any]:
    """The figures of one method on one space: name -> {"data", "layout"}."""
    drawn: dict[str, Any] = {}
    if groups:
        drawn["regret"] = _over_epochs(groups, looks, regret_curves(groups), "test regret")
        drawn["one-shot"] = _over_epochs(groups, looks, error_curves(groups), "one-shot error")
    if any(row["difference"] is not None for row in rows):
        drawn["difference"] = _differences(rows, looks)
    return drawn


def regret_curves(groups: Groups) -> Curves:
    """Test regret in percentage points over epochs, by setting."""
    return {s: epoch_curve(runs, lambda run: 100 * run.test_regret) for s, runs in groups.items()}


def error_curves(groups: Groups) -> Curves:
    """One-shot validation error in per cent over epochs, by setting."""
    return {
        s: epoch_curve(runs, lambda run: 100 * run.one_shot_error) for s, runs in groups.items()
    }


def _over_epochs(groups: Groups, looks: dict[str, Style], curves: Curves, what: str) -> Figure:
    regret = what == "test regret"
    floor = regret_floor([v for c in curves.values() for v in (c.mean, c.low, c.q25, c.median)])
    traces = []
    for setting, curve in curves.items():
        style = looks[setting]
        banded = len(curves) <= MOST_BANDED
        for trace in epoch_traces(style, setting, curve, what, floor, banded=banded):
            if trace["meta"]["role"] == "line":
                trace["line"] |= {"dash": style.dash}
            traces.append(trace)
    values = [c.mean for c in curves.values()]
    axis = points_axis(what) if regret else spread_axis(what, values)
    x = epoch_axis([run for runs in groups.values() for run in runs])
    return {"data": bands_first(traces), "layout": layout_of(x, axis)}


def _differences(rows: list[dict[str, Any]], looks: dict[str, Style]) -> Figure:
    """A row for each setting but the default: difference in percentage points, with interval."""
    shown = [row for row in rows if row["difference"] is not None]
    traces = []
    for row in shown:
        value = 100 * row["difference"]
        style = looks[row["setting"]]
        trace: Figure = {
            "type": "scatter",
            "mode": "markers",
            "name": escape(row["setting"]),
            "x": [value],
            "y": [row["setting"]],
            "marker": {"size": 10, "symbol": style.symbol, "line": {"width": 1}},
            "hovertemplate": f"<b>{escape(row['setting'])}</b><br>{_signed(value)}"
            f"{_between(row)} percentage points<extra></extra>",
            "meta": {"method": row["setting"], "role": "mean"},
        }
        if row["difference_low"] is not None:
            low, high = 100 * row["difference_low"], 100 * row["difference_high"]
            ends = {"array": [high - value], "arrayminus": [value - low]}
            trace["error_x"] = {"type": "data", "symmetric": False, **ends, "thickness": 1.6}
        traces.append(trace)
    x = {"title": {"text": "difference in final test regret (percentage points)"}}
    y = {"type": "category", "range": [len(shown) - 0.4, -0.6]}
    layout = layout_of(x, y)
    line = {"color": "#8a8a8a", "width": 1.2}
    zero = {"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper", "line": line}
    return {"data": traces, "layout": layout | {"shapes": [zero]}}


def difference_height(rows: list[dict[str, Any]]) -> int:
    """Pixels that the figure of differences needs."""
    return _ROW * len(rows) + _MARGINS


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{digits(abs(value))}"


def _between(row: dict[str, Any]) -> str:
    if row["difference_low"] is None:
        return ""
    low, high = (_signed(100 * row[f"difference_{end}"]) for end in ("low", "high"))
    return f" [{low}, {high}]"


def write_figures(groups: Groups, looks: dict[str, Style], title: str, stem: Path) -> list[Path]:
    """Write the curves of one method on one space as SVG and PNG; returns the paths.

    Raises:
        UserError: the file system refuses.
    """
    if not groups:
        return []
    paths = []
    for name, curves, label in (
        ("test-regret", regret_curves(groups), "mean test regret (percentage points)"),
        ("one-shot-error", error_curves(groups), "mean one-shot validation error (%)"),
    ):
        draw = partial(_draw, curves=curves, looks=looks, label=label)
        paths += write_titled(draw, title, stem.with_name(f"{stem.name}-{name}"), (8.2, 4.4))
    return paths


def _draw(figure: Drawn, curves: Curves, looks: dict[str, Style], label: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_subplot()
    floor = regret_floor([v for c in curves.values() for v in (c.mean, c.low)])
    for setting, curve in curves.items():
        style = looks[setting]
        mean, low, high = (np.maximum(v, floor) for v in (curve.mean, curve.low, curve.high))
        axes.plot(curve.epochs, mean, label=style.name, **look(style))
        if len(curves) <= MOST_BANDED:
            axes.fill_between(curve.epochs, low, high, color=style.light, alpha=0.1, linewidth=0)
    axes.set(yscale="log", xlabel="epoch", ylabel=label)
    label_points(axes.yaxis)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(axes)
