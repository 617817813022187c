"""The interactive figures, as plain Plotly descriptions.

Traces carry no colour: `meta` says which method they show, and the page's script paints them for
the light or the dark theme and hides them when the method or the statistic is switched off.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from raynas.analysis import anytime, statistics
from raynas.report.content import (
    SpaceContent,
    above_best,
    final_cells,
    final_regrets,
    share_at,
    thin,
)
from raynas.report.styles import EXACT

Figure = dict[str, Any]
STRIP_POINTS = 150
DISTRIBUTION_POINTS = 200
_REGRETS = {
    "test_regret": "test regret (percentage points)",
    "validation_regret": "validation regret (percentage points)",
}


def figures(content: SpaceContent) -> dict[str, Figure]:
    """The figures of a space: name -> {"data", "layout"} for `Plotly.newPlot`."""
    drawn = {name.replace("_", "-"): anytime_figure(content, name) for name in _REGRETS}
    drawn["final-regret"] = final_figure(content)
    if len(content.groups) > 1:
        drawn["rank"] = rank_figure(content)
    if content.distribution is not None:
        drawn["distribution"] = distribution_figure(content)
    return drawn


def numbers(values: np.ndarray) -> list[float | None]:
    """Six significant digits, and null for what is not a number."""
    return [float(f"{v:.6g}") if np.isfinite(v) else None for v in np.asarray(values, dtype=float)]


def regret_floor(values: Sequence[np.ndarray]) -> float:
    """Where a regret of zero is drawn on a log axis: half the least positive value."""
    every = np.concatenate([np.ravel(v) for v in values]) if values else np.zeros(0)
    positive = every[np.isfinite(every) & (every > 0)]
    return float(positive.min()) / 2 if len(positive) else 1e-3


# ------------------------------------------------------------------------------ regret over time


def anytime_figure(content: SpaceContent, quantity: str) -> Figure:
    """Regret over simulated time, both axes logarithmic, for both statistics."""
    curves = dict(content.curves[quantity])
    if content.exact:
        curves[EXACT] = content.exact[quantity]
    floor = regret_floor([v for c in curves.values() for v in (c.mean, c.low, c.q25, c.median)])
    traces = []
    for label, curve in curves.items():
        traces += _curve_traces(content, label, curve, floor)
    traces.sort(key=lambda trace: trace["meta"]["role"] != "band")  # bands below all lines
    return {"data": traces, "layout": _layout(_time(), _log(_REGRETS[quantity]))}


def _curve_traces(
    content: SpaceContent, label: str, curve: anytime.Curve, floor: float
) -> list[Figure]:
    return [
        trace
        for statistic, centre, low, high in (
            ("mean", curve.mean, curve.low, curve.high),
            ("median", curve.median, curve.q25, curve.q75),
        )
        for trace in (
            *_band(label, statistic, curve.seconds, low, high, floor),
            _line(content, label, statistic, curve, centre, low, high, floor),
        )
    ]


def _band(
    label: str,
    statistic: str,
    seconds: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    floor: float,
) -> list[Figure]:
    known = np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return []
    outline = np.concatenate([seconds[known], seconds[known][::-1]])
    edge = np.concatenate([low[known], high[known][::-1]])
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": numbers(outline),
            "y": numbers(np.maximum(edge, floor)),
            "fill": "toself",
            "line": {"width": 0},
            "hoverinfo": "skip",
            "meta": {"method": label, "statistic": statistic, "role": "band"},
        }
    ]


def _line(
    content: SpaceContent,
    label: str,
    statistic: str,
    curve: anytime.Curve,
    centre: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    floor: float,
) -> Figure:
    style = content.styles[label]
    unit = "evaluations" if label == EXACT else "runs"
    around = "95 % interval" if statistic == "mean" else "quartiles"
    texts = [
        f"{statistic} {_digits(c)}"
        + (f"<br>{around} {_digits(a)} – {_digits(b)}" if a == a else "")
        for c, a, b in zip(centre, low, high, strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(style.name),
        "x": numbers(curve.seconds),
        "y": numbers(np.where(np.isnan(centre), np.nan, np.maximum(centre, floor))),
        "line": {"width": 2.2, "dash": style.dash},
        "text": texts,
        "customdata": [int(n) for n in curve.runs],
        "hovertemplate": f"<b>{escape(style.name)}</b><br>after %{{x:.4s}}s<br>%{{text}}"
        f"<br>%{{customdata}} {unit}<extra></extra>",
        "meta": {"method": label, "statistic": statistic, "role": "line"},
    }


def _digits(value: float) -> str:
    return f"{value:.3g}" if value >= 1e-3 or value == 0 else f"{value:.1e}"


# ------------------------------------------------------------------------------------ other views


def final_figure(content: SpaceContent) -> Figure:
    """Final test regrets: a box, the runs, and the mean with its interval, per method."""
    finals = final_regrets(content)
    floor = regret_floor(list(finals.values()))
    traces: list[Figure] = []
    for row, (label, values) in enumerate(finals.items()):
        known = np.sort(values[~np.isnan(values)])
        if len(known):
            traces += _final_traces(content, label, known, float(row), floor)
    axis = {
        "tickvals": list(range(len(finals))),
        "ticktext": [escape(content.styles[label].name) for label in finals],
        "range": [len(finals) - 0.4, -0.6],
        "showgrid": False,
        "automargin": True,
        "ticks": "",
    }
    return {"data": traces, "layout": _layout(_log("final test regret (percentage points)"), axis)}


def _final_traces(
    content: SpaceContent, label: str, known: np.ndarray, row: float, floor: float
) -> list[Figure]:
    name = escape(content.styles[label].name)
    q25, median, q75 = np.percentile(known, [25, 50, 75])
    reach = 1.5 * (q75 - q25)
    fences = known[(known >= q25 - reach) & (known <= q75 + reach)]
    edges = {
        key: [float(max(value, floor))]
        for key, value in (
            ("q1", q25),
            ("median", median),
            ("q3", q75),
            ("lowerfence", fences[0]),
            ("upperfence", fences[-1]),
        )
    }
    box = {
        "type": "box",
        "orientation": "h",
        "y": [row],
        "width": 0.5,
        "line": {"width": 1.3},
        "name": name,
        "hoverinfo": "skip",
        "meta": {"method": label, "role": "box"},
        **edges,
    }
    return [box, _strip(label, name, known, row, floor), _mean_mark(label, name, known, row, floor)]


def _strip(label: str, name: str, known: np.ndarray, row: float, floor: float) -> Figure:
    shown = known[thin(len(known), STRIP_POINTS)]
    # Multiples of the golden ratio spread evenly and are the same for every page.
    jitter = (np.arange(len(shown)) * 0.618034 % 1 - 0.5) * 0.36
    return {
        "type": "scatter",
        "mode": "markers",
        "x": numbers(np.maximum(shown, floor)),
        "y": numbers(row + jitter),
        "marker": {"size": 5, "opacity": 0.55},
        "text": [_digits(v) for v in shown],
        "hovertemplate": f"<b>{name}</b><br>a run ended at %{{text}}<extra></extra>",
        "meta": {"method": label, "role": "points"},
    }


def _mean_mark(label: str, name: str, known: np.ndarray, row: float, floor: float) -> Figure:
    mean = float(known.mean())
    low, high = (float(end[0]) for end in statistics.mean_interval(known[:, None]))
    interval = f"<br>95 % interval {_digits(low)} – {_digits(high)}" if low == low else ""
    mark: Figure = {
        "type": "scatter",
        "mode": "markers",
        "x": [max(mean, floor)],
        "y": [row],
        "marker": {"size": 10, "symbol": "diamond", "line": {"width": 1.5}},
        "hovertemplate": f"<b>{name}</b><br>mean of {len(known)} runs {_digits(mean)}{interval}"
        "<extra></extra>",
        "meta": {"method": label, "role": "mean"},
    }
    if low == low:
        ends = {"array": [high - mean], "arrayminus": [mean - max(low, floor)]}
        mark["error_x"] = {"type": "data", "symmetric": False, "thickness": 1.8, "width": 5, **ends}
    return mark


def rank_figure(content: SpaceContent) -> Figure:
    """Mean rank over simulated time, rank 1 on top."""
    traces = []
    for label, ranks in content.ranks.items():
        style = content.styles[label]
        inside = shown_ranks(content, label)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": escape(style.name),
                "x": numbers(content.rank_seconds[inside]),
                "y": numbers(ranks[inside]),
                "line": {"width": 2.2, "dash": style.dash},
                "hovertemplate": f"<b>{escape(style.name)}</b><br>after %{{x:.4s}}s"
                "<br>mean rank %{y:.2f}<extra></extra>",
                "meta": {"method": label, "role": "line"},
            }
        )
    axis = {"title": {"text": "mean rank by test regret"}, "autorange": "reversed"}
    return {"data": traces, "layout": _layout(_time(), axis)}


def shown_ranks(content: SpaceContent, label: str) -> np.ndarray:
    """At which of the `rank_seconds` a method's rank is drawn: where its curve is, (g,) bool."""
    seconds = content.curves["test_regret"][label].seconds
    first, last = seconds[0], seconds[-1]
    return np.asarray((content.rank_seconds >= first) & (content.rank_seconds <= last))


def distribution_figure(content: SpaceContent) -> Figure:
    """Empirical distribution of the space's test errors, with each method's final cells.

    Errors are drawn as distances from the best cell, as the best ones would be one point else.
    """
    assert content.distribution is not None
    errors, share = content.distribution
    kept = thin(len(errors), DISTRIBUTION_POINTS)
    cells: Figure = {
        "type": "scatter",
        "mode": "lines",
        "name": "all cells of the space",
        "x": numbers(above_best(content, errors[kept])),
        "y": numbers(share[kept] * 100),
        "line": {"width": 2, "shape": "hv"},
        "customdata": numbers(errors[kept] * 100),
        "hovertemplate": "%{y:.3~g} % of the cells have a test error"
        "<br>of at most %{customdata:.3f} %<extra></extra>",
        "meta": {"role": "context"},
    }
    marks = [_marks(content, label) for label in content.groups]
    layout = _layout(
        _log("test error above the best cell (percentage points)"),
        _log("share of unique cells (%)"),
    )
    layout["yaxis"]["dtick"] = 1
    return {"data": [cells, *marks], "layout": layout}


def _marks(content: SpaceContent, label: str) -> Figure:
    assert content.distribution is not None
    style = content.styles[label]
    errors, runs = final_cells(content.groups[label])
    share = share_at(content.distribution, errors)
    notes = zip(runs, errors * 100, share * 100, strict=True)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": escape(style.name),
        "x": numbers(above_best(content, errors)),
        "y": numbers(np.maximum(share, content.distribution[1][0]) * 100),
        "marker": {  # open symbols, so that equal cells of several methods show through
            "symbol": f"{style.symbol}-open",
            "size": numbers(np.minimum(8 + 3 * np.sqrt(runs - 1), 20)),
            "line": {"width": 1.8},
        },
        "customdata": [[int(n), f"{error:.3f}", f"{part:.3g}"] for n, error, part in notes],
        "hovertemplate": f"<b>{escape(style.name)}</b><br>final cell of %{{customdata[0]}} run(s)"
        "<br>test error %{customdata[1]} %<br>%{customdata[2]} % of the cells are at most that"
        "<extra></extra>",
        "meta": {"method": label, "role": "marks"},
    }


def _log(title: str, dtick: int | str = "D2") -> Figure:
    return {"title": {"text": title}, "type": "log", "exponentformat": "power", "dtick": dtick}


def _time() -> Figure:
    ticks = {"minor": {"dtick": "D1", "ticks": "outside", "ticklen": 2, "showgrid": False}}
    return _log("simulated time (s)", 1) | ticks


def _layout(x: Figure, y: Figure) -> Figure:
    return {
        "xaxis": x,
        "yaxis": y,
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"l": 64, "r": 16, "t": 12, "b": 48},
    }
