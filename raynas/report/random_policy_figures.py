"""Figures of the page on random policies: interactive, and static for papers."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from raynas.analysis.random_policy import (
    DRAWS,
    EQUAL_BUDGET,
    Judgement,
    SpaceJudgement,
    wording,
)
from raynas.analysis.statistics import Estimate
from raynas.report.axes import Figure, layout_of, numbers
from raynas.report.static_figures import legend, look, write_titled
from raynas.report.styles import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TICKS = [0.5, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6]
_LABELS = ["50 %", "10 %", "1 %", "0.1 %", "0.01 %", "0.001 %", "0.0001 %"]
_SHIFTS = {0: (-0.13, "circle", "o"), 1: (0.13, "diamond", "D")}


def figures(space: SpaceJudgement, looks: dict[str, Style]) -> dict[str, Figure]:
    """Name -> {"data", "layout"}."""
    return {
        "draws": _draws(space, looks),
        "superiority": _superiority(space, looks),
        "best-of": _best_of(space, looks),
    }


def _rare(space: SpaceJudgement, method: Judgement) -> np.ndarray:
    """Probability of a random draw to be at least as good, per run with a cell."""
    reference = wording.main_reference(space)
    law = next(one for one in space.populations if one.name == reference)
    least = (1 - law.below[-1]) / 2
    found = 1 - law.chances(method.accuracies[method.finals.ended])[0]
    return np.asarray(np.maximum(found, least))


def _rows(space: SpaceJudgement) -> list[Judgement]:
    return sorted(space.methods, key=lambda m: -getattr(m.description, "mean", -1.0))


def _row_axis(space: SpaceJudgement, looks: dict[str, Style]) -> Figure:
    names = [looks[m.finals.method].name for m in _rows(space)]
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [escape(name) for name in names],
        "range": [len(names) - 0.4, -0.6],
        "showgrid": False,
        "automargin": True,
        "ticks": "",
    }


def _jitter(count: int) -> np.ndarray:
    # Multiples of the golden ratio spread evenly and are the same for every page.
    return (np.arange(count) * 0.618034 % 1 - 0.5) * 0.36


def _draws(space: SpaceJudgement, looks: dict[str, Style]) -> Figure:
    traces = []
    for row, method in enumerate(_rows(space)):
        label = method.finals.method
        rare = np.sort(_rare(space, method))
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": numbers(rare),
                "y": numbers(row + _jitter(len(rare))),
                "marker": {"size": 7, "opacity": 0.7, "symbol": looks[label].symbol},
                "text": [f"{100 * value:.3g} %" for value in rare],
                "hovertemplate": f"<b>{escape(looks[label].name)}</b><br>%{{text}} of the draws "
                "are at least as good<extra></extra>",
                "meta": {"method": label, "role": "points"},
            }
        )
    axis = {
        "title": {"text": "probability that one random draw is at least as good"},
        "type": "log",
        "autorange": "reversed",
        "tickvals": _TICKS,
        "ticktext": _LABELS,
    }
    return {"data": traces, "layout": layout_of(axis, _row_axis(space, looks))}


def _references(space: SpaceJudgement) -> tuple[str, str]:
    return wording.main_reference(space), EQUAL_BUDGET


def _superiority(space: SpaceJudgement, looks: dict[str, Style]) -> Figure:
    traces: list[Figure] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [0.5, 0.5],
            "y": [-0.6, len(space.methods) - 0.4],
            "line": {"width": 1.2, "dash": "dot"},
            "hoverinfo": "skip",
            "meta": {"role": "context"},
        }
    ]
    for row, method in enumerate(_rows(space)):
        label = method.finals.method
        for place, reference in enumerate(_references(space)):
            found = method.comparisons[reference].superiority
            if isinstance(found, Estimate):
                traces.append(_interval(looks[label].name, label, reference, found, row, place))
    axis = {"title": {"text": "probability of superiority A"}, "range": [0, 1.03]}
    return {"data": traces, "layout": layout_of(axis, _row_axis(space, looks))}


def _interval(
    name: str, label: str, reference: str, found: Estimate, row: int, place: int
) -> Figure:
    shift, symbol, _ = _SHIFTS[place]
    trace: Figure = {
        "type": "scatter",
        "mode": "markers",
        "x": [found.value],
        "y": [row + shift],
        "marker": {"size": 9, "symbol": symbol, "line": {"width": 1}},
        "hovertemplate": f"<b>{escape(name)}</b><br>against {escape(reference)}"
        f"<br>A {escape(wording.superiority(found))}<extra></extra>",
        "meta": {"method": label, "role": "mean"},
    }
    if isinstance(found.interval, tuple):
        low, high = found.interval
        ends = {"array": [high - found.value], "arrayminus": [found.value - low]}
        trace["error_x"] = {
            "type": "data",
            "symmetric": False,
            "thickness": 1.6,
            "width": 4,
            **ends,
        }
    return trace


def _beaten(space: SpaceJudgement, method: Judgement) -> dict[int, float]:
    found = method.comparisons[wording.main_reference(space)].surpass
    return {} if found is None else found.beats


def _best_of(space: SpaceJudgement, looks: dict[str, Style]) -> Figure:
    traces = []
    for method in _rows(space):
        label = method.finals.method
        beats = _beaten(space, method)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": list(beats),
                "y": numbers(np.array(list(beats.values()))),
                "line": {"width": 2, "dash": looks[label].dash},
                "marker": {"size": 6, "symbol": looks[label].symbol},
                "hovertemplate": f"<b>{escape(looks[label].name)}</b><br>surpasses the best of "
                "%{x} draws<br>with probability %{y:.2f}<extra></extra>",
                "meta": {"method": label, "role": "line"},
            }
        )
    x = {"title": {"text": "random draws k"}, "type": "log", "tickvals": list(DRAWS)}
    y = {"title": {"text": "probability to surpass their best"}, "range": [0, 1.03]}
    return {"data": traces, "layout": layout_of(x, y)}


# Static ------------------------------------------------------------------------------------------


def write_figures(
    space: SpaceJudgement, looks: dict[str, Style], title: str, folder: Path
) -> list[Path]:
    """Write the figures of one space as SVG and PNG; returns the paths.

    Raises:
        UserError: the file system refuses.
    """
    drawings: dict[str, Callable[[Axes, SpaceJudgement, dict[str, Style]], None]] = {
        "draws": _draw_draws,
        "superiority": _draw_superiority,
        "best-of": _draw_best_of,
    }
    paths = []
    height = 1.4 + 0.3 * max(len(space.methods), 4)
    for name, draw in drawings.items():
        stem = folder / f"random-policy-space-{space.space}-{name}"
        size = (7.2, 4.4 if name == "best-of" else height)

        def on(figure: Any, draw: Any = draw) -> None:
            draw(figure.add_subplot(), space, looks)

        paths += write_titled(on, title, stem, size)
    return paths


def _name_rows(axes: Axes, space: SpaceJudgement, looks: dict[str, Style]) -> None:
    names = [looks[m.finals.method].name for m in _rows(space)]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")


def _draw_draws(axes: Axes, space: SpaceJudgement, looks: dict[str, Style]) -> None:
    for row, method in enumerate(_rows(space)):
        style = looks[method.finals.method]
        rare = np.sort(_rare(space, method))
        where = row + _jitter(len(rare))
        axes.scatter(rare, where, s=22, color=style.light, alpha=0.7, marker=style.marker)
    axes.set(xscale="log", xlabel="probability that one random draw is at least as good")
    axes.invert_xaxis()
    low, high = sorted(axes.get_xlim())
    inside = [(t, n) for t, n in zip(_TICKS, _LABELS, strict=True) if low <= t <= high]
    axes.set_xticks([t for t, _ in inside], [n for _, n in inside])
    axes.set_xticks([], minor=True)
    _name_rows(axes, space, looks)


def _draw_superiority(axes: Axes, space: SpaceJudgement, looks: dict[str, Style]) -> None:
    axes.axvline(0.5, color="#8a8a8a", linewidth=1, linestyle=":")
    for row, method in enumerate(_rows(space)):
        colour = looks[method.finals.method].light
        for place, reference in enumerate(_references(space)):
            found = method.comparisons[reference].superiority
            if not isinstance(found, Estimate):
                continue
            shift, _, marker = _SHIFTS[place]
            axes.scatter(found.value, row + shift, s=30, color=colour, marker=marker, zorder=3)
            if isinstance(found.interval, tuple):
                axes.plot(found.interval, [row + shift] * 2, color=colour, linewidth=1.4)
    axes.set(xlim=(0, 1.02))
    axes.set_xlabel("probability of superiority: random draw (circle), random search (diamond)")
    _name_rows(axes, space, looks)


def _draw_best_of(axes: Axes, space: SpaceJudgement, looks: dict[str, Style]) -> None:
    for method in _rows(space):
        style = looks[method.finals.method]
        beats = _beaten(space, method)
        axes.plot(list(beats), list(beats.values()), label=style.name, **look(style))
    axes.set(xscale="log", ylim=(0, 1.03), xlabel="random draws k")
    axes.set_ylabel("probability to surpass their best")
    axes.set_xticks(list(DRAWS), [f"{draws:,}" for draws in DRAWS])
    legend(axes)
