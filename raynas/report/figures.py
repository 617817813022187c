"""The interactive figures, as plain Plotly descriptions.

Traces carry no colour: `meta` says which method they show, and the page's script paints them for
the light or the dark theme and hides them when the method or the statistic is switched off.
"""

from __future__ import annotations

from html import escape

import numpy as np

from raynas.analysis import anytime
from raynas.report.axes import (
    BOTH_TIMES,
    TIMES,
    Figure,
    digits,
    layout_of,
    log_axis,
    numbers,
    points_axis,
    regret_floor,
)
from raynas.report.content import QUANTITIES, SpaceContent
from raynas.report.final_figures import distribution_figure, final_figure
from raynas.report.styles import EXACT


def figures(content: SpaceContent) -> dict[str, Figure]:
    """The figures of a space: name -> {"data", "layout"} for `Plotly.newPlot`."""
    drawn = {name.replace("_", "-"): anytime_figure(content, name) for name in QUANTITIES}
    drawn["final-regret"] = final_figure(content)
    if len(content.ranks) > 1:
        drawn["rank"] = rank_figure(content)
    if content.distribution is not None:
        drawn["distribution"] = distribution_figure(content)
    return drawn


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
    return {
        "data": traces,
        "layout": layout_of(log_axis(time_title(content)), points_axis(quantity.replace("_", " "))),
    }


def time_title(content: SpaceContent) -> str:
    """What the seconds of the anytime figures are."""
    names = list(content.families)
    return TIMES[names[0]] if len(names) == 1 else BOTH_TIMES


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
            *band(label, statistic, curve.seconds, low, high, floor),
            _line(content, label, statistic, curve, centre, low, high, floor),
        )
    ]


def band(
    label: str,
    statistic: str,
    x: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    floor: float,
) -> list[Figure]:
    """The area between two curves as one trace; none where they are not known."""
    known = np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return []
    outline = np.concatenate([x[known], x[known][::-1]])
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
        f"{statistic} {digits(c)}" + (f"<br>{around} {digits(a)} – {digits(b)}" if a == a else "")
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
    time = TIMES[content.rank_family]
    return {"data": traces, "layout": layout_of(log_axis(time), axis)}


def shown_ranks(content: SpaceContent, label: str) -> np.ndarray:
    """At which of the `rank_seconds` a method's rank is drawn: where its curve is, (g,) bool."""
    seconds = content.curves["test_regret"][label].seconds
    first, last = seconds[0], seconds[-1]
    return np.asarray((content.rank_seconds >= first) & (content.rank_seconds <= last))
