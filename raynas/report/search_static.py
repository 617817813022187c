"""The static figures of one-shot searches."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from raynas.analysis.searches import Choice, SearchRun, centred, choices, entropy
from raynas.report.axes import regret_floor
from raynas.report.content import SpaceContent
from raynas.report.search_explorer import option_label
from raynas.report.search_figures import (
    choice_curves,
    entropy_range,
    one_shot_curves,
    regret_curves,
)
from raynas.report.static_figures import Drawing, label_points, legend, look, on_axes, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_VERTICES = ("#0b62a8", "#d1491b", "#00845f", "#b3478f", "#c98a00", "#1c1c1c")
_SCALE = ("#c2571a", "#eeb48a", "#f8f8f5", "#85b6de", "#0b4f8a")
_DOTTED = (0, (1.2, 1.8))


def write_search_figures(content: SpaceContent, folder: Path) -> list[Path]:
    """Write the figures of a space's searches as SVG and PNG; returns the paths.

    Raises:
        UserError: the file system refuses.
    """
    if not content.searches:
        return []
    drawings = {
        f"search-{quantity.replace('_', '-')}": on_axes(partial(draw_epochs, quantity=quantity))
        for quantity in ("test_regret", "validation_regret")
    }
    learnt = [label for label, runs in content.searches.items() if any(r.alphas for r in runs)]
    if learnt:
        height = 2.6 * -(-len(learnt) // 2) + 1.2
        drawings["search-entropy"] = Drawing(draw_entropies, (7.2, height))
    for label in learnt:
        run = next(run for run in content.searches[label] if run.alphas)
        name = f"alphas-{re.sub(r'[^A-Za-z0-9_]+', '-', label)}"
        drawings[name] = on_axes(partial(draw_alphas, run=run), (7.2, 8.2))
    paths = []
    for name, drawing in drawings.items():
        paths += write_figure(drawing, content, folder / f"space-{content.name}-{name}")
    return paths


def draw_epochs(axes: Axes, content: SpaceContent, quantity: str) -> None:
    """Mean regret over epochs with its interval; dotted on a second axis the one-shot error."""
    curves = regret_curves(content, quantity)
    floor = regret_floor([values for c in curves.values() for values in (c.mean, c.low)])
    second = axes.twinx()
    second.grid(visible=False)
    second.spines["right"].set_visible(True)
    for label, curve in curves.items():
        style = content.styles[label]
        marks: dict[str, Any] = {}
        if len(curve.epochs) <= 20:
            marks = {"marker": style.marker, "markersize": 3.5}
        solid = look(style) | {"linestyle": "solid"}
        mean, low, high = (np.maximum(v, floor) for v in (curve.mean, curve.low, curve.high))
        axes.plot(curve.epochs, mean, label=style.name, **solid, **marks)
        axes.fill_between(curve.epochs, low, high, color=style.light, alpha=0.1, linewidth=0)
    for label, curve in one_shot_curves(content).items():
        dotted = look(content.styles[label]) | {"linestyle": _DOTTED, "linewidth": 1.3}
        second.plot(curve.epochs, curve.mean, **dotted)
    axes.set(yscale="log", xlabel="epoch")
    axes.set_ylabel(f"solid: mean {quantity.replace('_', ' ')} (percentage points)")
    second.set_ylabel("dotted: mean one-shot validation error (%)")
    label_points(axes.yaxis)
    _whole_epochs(axes)
    legend(axes)


def _whole_epochs(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def draw_entropies(figure: Figure, content: SpaceContent) -> Axes:
    """Entropy of each choice over epochs, mean over seeds, one panel per method."""
    learnt = [label for label, runs in content.searches.items() if any(r.alphas for r in runs)]
    columns = min(2, len(learnt))
    grid = figure.subplots(-(-len(learnt) // columns), columns, sharey=True, squeeze=False)
    panels: list[Axes] = list(grid.flat)
    drawn = {label: choice_curves(content, label, entropy) for label in learnt}
    panels[0].set_ylim(*entropy_range([c.mean for d in drawn.values() for c in d.values()]))
    for axes, (label, curves) in zip(panels, drawn.items(), strict=False):
        for choice, curve in curves.items():
            axes.plot(curve.epochs, curve.mean, label=choice.label, **_choice_look(content, choice))
        axes.set_title(content.styles[label].name, loc="left", fontsize=10)
        axes.set_xlabel("epoch")
        _whole_epochs(axes)
    for axes in panels[len(learnt) :]:
        axes.set_visible(False)
    for row in grid:
        row[0].set_ylabel("entropy of the choice")
    handles = panels[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4, fontsize=8, handlelength=3)
    return panels[0]


def _choice_look(content: SpaceContent, choice: Choice) -> dict[str, Any]:
    last = choices(content.name)[-1].vertex
    colour = _VERTICES[-1] if choice.vertex == last else _VERTICES[choice.vertex - 1]
    dash = "solid" if choice.kind == "operation" else _DOTTED
    return {"color": colour, "linestyle": dash, "linewidth": 1.5}


def draw_alphas(axes: Axes, content: SpaceContent, run: SearchRun) -> None:
    """Heat map of the architecture parameters of one search, less the mean of their choice."""
    from matplotlib.colors import LinearSegmentedColormap

    rows, names, bold = _rows(content, run)
    limit = float(np.nanmax(np.abs(rows))) or 1e-9
    scale = LinearSegmentedColormap.from_list("raynas", _SCALE)
    extent = (run.epochs[0] - 0.5, run.epochs[-1] + 0.5, len(rows) - 0.5, -0.5)
    picture: dict[str, Any] = {"aspect": "auto", "interpolation": "nearest", "extent": extent}
    image = axes.imshow(rows, cmap=scale, vmin=-limit, vmax=limit, **picture)
    axes.set_yticks(range(len(rows)), names, fontsize=7.5)
    axes.tick_params(axis="y", length=0)
    for tick, heavy in zip(axes.get_yticklabels(), bold, strict=True):
        tick.set_fontweight("bold" if heavy else "normal")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(f"epoch ({content.styles[run.method].name}, seed {run.seed})")
    _whole_epochs(axes)
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.4, aspect=30, pad=0.02)
    bar.set_label("parameter less the mean of its choice", fontsize=9)
    bar.outline.set_visible(False)


def _rows(content: SpaceContent, run: SearchRun) -> tuple[np.ndarray, list[str], list[bool]]:
    """Values, names, and whether it is a choice's own row, which has no values."""
    rows, names, bold = [], [], []
    for choice in choices(content.name):
        rows += [np.full(len(run.epochs), np.nan), *centred(run, choice).T]
        names += [choice.label, *map(option_label, choice.options)]
        bold += [True] + [False] * len(choice.options)
    return np.array(rows), names, bold
