"""The interactive figures of one-shot searches over epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import Any

import numpy as np

from raynas.analysis.searches import Choice, EpochCurve, SearchRun, choices, epoch_curve
from raynas.analysis.searches import mean_entropy as mean_entropy_of
from raynas.report.axes import (
    Figure,
    digits,
    layout_of,
    numbers,
    points_axis,
    regret_floor,
    spread_axis,
)
from raynas.report.content import SpaceContent
from raynas.report.figures import band
from raynas.report.styles import Style

Curves = dict[str, EpochCurve]
# Beyond this the marks of neighbouring epochs touch.
MOST_MARKED = 20
# Up to here every epoch has a label, as automatic ones would be fractions.
MOST_TICKS = 10


def search_figures(content: SpaceContent) -> dict[str, Figure]:
    """The figures of a space's searches: name -> {"data", "layout"}; empty without searches."""
    if not content.searches:
        return {}
    drawn = {
        f"search-{quantity.replace('_', '-')}": epochs_figure(content, quantity)
        for quantity in ("test_regret", "validation_regret")
    }
    if any(run.alphas for runs in content.searches.values() for run in runs):
        drawn["search-entropy"] = entropy_figure(content)
    return drawn


def regret_curves(content: SpaceContent, quantity: str) -> Curves:
    """Regret in percentage points over epochs: label -> curve."""
    return _curves(content, lambda run: 100 * getattr(run, quantity))


def one_shot_curves(content: SpaceContent) -> Curves:
    """One-shot validation error in per cent over epochs: label -> curve."""
    return _curves(content, lambda run: 100 * run.one_shot_error)


def entropy_curves(content: SpaceContent) -> Curves:
    """Mean entropy of all choices over epochs, of the methods with architecture parameters."""
    decisions = choices(content.name)
    found = _curves(content, lambda run: mean_entropy_of(run, decisions))
    return {label: curve for label, curve in found.items() if curve.runs.any()}


def choice_curves(
    content: SpaceContent, label: str, quantity: Callable[..., np.ndarray]
) -> dict[Choice, EpochCurve]:
    """A function of (run, choice) over epochs, over the seeds of one method."""
    runs = [run for run in content.searches[label] if run.alphas]
    if not runs:
        return {}
    return {c: epoch_curve(runs, partial(quantity, choice=c)) for c in choices(content.name)}


def _curves(content: SpaceContent, quantity: Callable[[SearchRun], np.ndarray]) -> Curves:
    return {label: epoch_curve(runs, quantity) for label, runs in content.searches.items()}


def epochs_figure(content: SpaceContent, quantity: str) -> Figure:
    """Regret over epochs, and on a second axis the validation error of the shared weights."""
    regrets, errors = regret_curves(content, quantity), one_shot_curves(content)
    floor = regret_floor([v for c in regrets.values() for v in (c.mean, c.low, c.q25, c.median)])
    name = quantity.replace("_", " ")
    traces = [
        trace
        for label, curve in regrets.items()
        for trace in epoch_traces(content.styles[label], label, curve, name, floor, banded=True)
    ]
    for label, curve in errors.items():
        style = content.styles[label]
        for trace in epoch_traces(style, label, curve, "one-shot error", 1e-3, banded=False):
            trace["line"] = {"width": 1.5, "dash": "dot"}
            traces.append(trace | {"yaxis": "y2"})
    layout = layout_of(epoch_axis(every_run(content)), points_axis(f"solid: {name}", "% points"))
    second = spread_axis("dotted: one-shot error", [c.mean for c in errors.values()])
    layout["yaxis2"] = second | {"overlaying": "y", "side": "right", "showgrid": False}
    return {"data": bands_first(traces), "layout": layout}


def entropy_figure(content: SpaceContent) -> Figure:
    """Mean entropy of all choices over epochs, per method."""
    curves = entropy_curves(content)
    traces = [
        trace
        for label, curve in curves.items()
        for trace in epoch_traces(
            content.styles[label], label, curve, "mean entropy", 0.0, banded=True
        )
    ]
    shown = entropy_range([v for c in curves.values() for v in (c.mean, c.low, c.q25)])
    axis = {"title": {"text": "mean entropy of the choices"}, "range": shown}
    return {"data": bands_first(traces), "layout": layout_of(epoch_axis(every_run(content)), axis)}


def entropy_range(values: Sequence[np.ndarray]) -> list[float]:
    """What an axis of entropies shows; differences of less than a hundredth stay flat."""
    every = np.concatenate([np.ravel(v) for v in values])
    span = max(1 - float(np.nanmin(every)), 0.01)
    return [1 - 1.05 * span, 1 + 0.05 * span]


def every_run(content: SpaceContent) -> list[SearchRun]:
    """The searches of all methods."""
    return [run for runs in content.searches.values() for run in runs]


def epoch_axis(runs: Sequence[SearchRun]) -> Figure:
    """Whole epochs."""
    longest = max(len(run.epochs) for run in runs)
    ticks = {"dtick": 1} if longest <= MOST_TICKS else {"tickformat": "d"}
    return {"title": {"text": "epoch"}, **ticks}


def bands_first(traces: list[Figure]) -> list[Figure]:
    """The same traces, intervals below all lines."""
    return sorted(traces, key=lambda trace: trace["meta"]["role"] != "band")


def epoch_traces(
    style: Style, label: str, curve: EpochCurve, what: str, floor: float, *, banded: bool
) -> list[Figure]:
    """Lines, and if `banded` intervals, of both statistics.

    Args:
        style: of the lines; they are solid.
        label: what they show.
        curve: over epochs.
        what: is shown, in words.
        floor: lesser values are drawn there.
        banded: whether there are intervals.
    """
    found = []
    for statistic, centre, low, high in (
        ("mean", curve.mean, curve.low, curve.high),
        ("median", curve.median, curve.q25, curve.q75),
    ):
        if banded:
            found += band(label, statistic, curve.epochs, low, high, floor)
        found.append(_line(style, label, statistic, curve, what, (centre, low, high), floor))
    return found


def _line(
    style: Style,
    label: str,
    statistic: str,
    curve: EpochCurve,
    what: str,
    values: tuple[np.ndarray, np.ndarray, np.ndarray],
    floor: float,
) -> Figure:
    centre, low, high = values
    around = "95 % interval" if statistic == "mean" else "quartiles"
    texts = [
        f"{statistic} {_short(c)}" + (f"<br>{around} {_short(a)} – {_short(b)}" if a == a else "")
        for c, a, b in zip(centre, low, high, strict=True)
    ]
    marked: dict[str, Any] = {"mode": "lines"}
    if len(curve.epochs) <= MOST_MARKED:
        marked = {"mode": "lines+markers", "marker": {"size": 5, "symbol": style.symbol}}
    return {
        "type": "scatter",
        **marked,
        "name": escape(style.name),
        "x": curve.epochs.tolist(),
        "y": numbers(np.where(np.isnan(centre), np.nan, np.maximum(centre, floor))),
        "line": {"width": 2.2},
        "text": texts,
        "customdata": curve.runs.tolist(),
        "hovertemplate": f"<b>{escape(style.name)}</b><br>{what} after epoch %{{x}}<br>%{{text}}"
        "<br>%{customdata} runs<extra></extra>",
        "meta": {"method": label, "statistic": statistic, "role": "line"},
    }


def _short(value: float) -> str:
    return f"{value:.4f}" if 0.9 < value <= 1 else digits(value)
