"""The same figures for papers and slides: Matplotlib, SVG and PNG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from raynas.execution.files import write_atomically
from raynas.report.axes import TIMES, regret_floor
from raynas.report.cell_drawing import draw_cell
from raynas.report.content import (
    SpaceContent,
    above_best,
    best_cell,
    final_cells,
    final_regrets,
    share_at,
)
from raynas.report.figures import shown_ranks, time_title
from raynas.report.styles import EXACT, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Draw = Callable[["Axes", SpaceContent], None]
# Laid out at the resolution of the PNG: the widths of small letters depend on it.
_DPI = 160
_INK, _FAINT = "#2b2b2b", "#dcdcdc"
_PARAMETERS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with Matplotlib, so every machine draws the same
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9a9a9a",
    "axes.labelcolor": _INK,
    "xtick.color": "#6b6b6b",
    "ytick.color": "#6b6b6b",
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _FAINT,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.hashsalt": "raynas",  # the same study gives the same bytes
    "svg.fonttype": "path",
}


def write_static_figures(content: SpaceContent, folder: Path) -> list[Path]:
    """Write the figures of one space as SVG and PNG; returns the paths.

    Raises:
        UserError: the file system refuses.
    """
    drawings: dict[str, Draw] = {
        "test-regret": lambda axes, c: draw_regret(axes, c, "test_regret"),
        "validation-regret": lambda axes, c: draw_regret(axes, c, "validation_regret"),
        "final-regret": draw_finals,
    }
    if len(content.ranks) > 1:
        drawings["rank"] = draw_ranks
    if content.distribution is not None:
        drawings["distribution"] = draw_distribution
    paths = []
    for name, draw in drawings.items():
        paths += write_figure(on_axes(draw), content, folder / f"space-{content.name}-{name}")
    return paths


def write_best_cell(content: SpaceContent, folder: Path) -> list[Path]:
    """Write the best cell found as SVG, if there is one; returns the paths."""
    cell = best_cell(content)
    if cell is None:
        return []
    path = folder / f"space-{content.name}-best-cell.svg"
    write_atomically(path, lambda p: p.write_text(draw_cell(cell), encoding="utf-8"))
    return [path]


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a figure is drawn, and its width and height in inches."""

    draw: Callable[[Figure, SpaceContent], object]
    size: tuple[float, float] = (7.2, 4.4)


def on_axes(draw: Draw, size: tuple[float, float] = (7.2, 4.4)) -> Drawing:
    """A figure that has one pair of axes."""
    return Drawing(lambda figure, content: draw(figure.add_subplot(), content), size)


def write_figure(drawing: Drawing, content: SpaceContent, stem: Path) -> list[Path]:
    """Draw a figure under the space's title and write it as SVG and PNG; returns the paths."""
    kind = content.studies[0].benchmark["kind"]
    title = f"{content.title} ({kind} benchmark)"
    return write_titled(lambda figure: drawing.draw(figure, content), title, stem, drawing.size)


def write_titled(
    draw: Callable[[Figure], object], title: str, stem: Path, size: tuple[float, float]
) -> list[Path]:
    """Draw a figure of some width and height in inches under a title; SVG and PNG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_PARAMETERS):
        figure = Figure(figsize=size, dpi=_DPI, layout="constrained")
        draw(figure)
        if len(figure.axes) > 2:  # panels have titles of their own
            figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=_INK)
        else:
            figure.axes[0].set_title(title, loc="left", fontsize=11, color=_INK)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once, not again for each file
        return [
            _save(figure, stem.with_name(stem.name + suffix), metadata)
            for suffix, metadata in ((".svg", {"Date": None}), (".png", {"Software": None}))
        ]


def _save(figure: Figure, path: Path, metadata: dict[str, None]) -> Path:
    kind = path.suffix[1:]
    write_atomically(
        path, lambda p: figure.savefig(p, format=kind, dpi=_DPI, metadata=dict(metadata))
    )
    return path


def look(style: Style) -> dict[str, Any]:
    """Colour, dash and width of a method's line."""
    dashes = (0, style.dashes) if style.dashes else "solid"
    return {"color": style.light, "linestyle": dashes, "linewidth": 1.7}


def legend(axes: Axes) -> None:
    """The legend beside the axes."""
    axes.figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside right upper",
        fontsize=9,
        handlelength=3.2,
        labelcolor=_INK,
    )


def draw_regret(axes: Axes, content: SpaceContent, quantity: str) -> None:
    """Mean regret over simulated time with its 95 % interval."""
    curves = content.curves[quantity]
    floor = regret_floor([values for c in curves.values() for values in (c.mean, c.low)])
    for label, curve in curves.items():
        style = content.styles[label]
        mean, low, high = (_floored(v, floor) for v in (curve.mean, curve.low, curve.high))
        axes.plot(curve.seconds, mean, label=style.name, **look(style))
        axes.fill_between(curve.seconds, low, high, color=style.light, alpha=0.12, linewidth=0)
    if content.exact:
        exact, style = content.exact[quantity], content.styles[EXACT]
        axes.plot(exact.seconds, _floored(exact.mean, floor), label=style.name, **look(style))
    axes.set(xscale="log", yscale="log", xlabel=time_title(content))
    axes.set_ylabel(f"mean {quantity.replace('_', ' ')} (percentage points)")
    label_points(axes.yaxis)
    legend(axes)


def label_points(axis: Axis) -> None:
    """Label a log axis in plain numbers at 1, 2 and 5 times the powers of ten."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def _floored(values: np.ndarray, floor: float) -> np.ndarray:
    return np.where(np.isnan(values), np.nan, np.maximum(values, floor))


def draw_finals(axes: Axes, content: SpaceContent) -> None:
    """Final test regret of the runs of each method."""
    finals = list(final_regrets(content).values())
    floor = regret_floor(finals)
    for row, (label, values) in enumerate(zip(content.groups, finals, strict=True)):
        style = content.styles[label]
        known = np.maximum(np.sort(values[~np.isnan(values)]), floor)
        if not len(known):
            continue
        line = {"color": style.light, "linewidth": 1.2}
        axes.boxplot(
            known,
            positions=[row],
            orientation="horizontal",
            widths=0.5,
            showfliers=False,
            boxprops=line,
            whiskerprops=line,
            capprops=line,
            medianprops=line | {"linewidth": 2.2},
        )
        jitter = (np.arange(len(known)) * 0.618034 % 1 - 0.5) * 0.36
        axes.scatter(known, row + jitter, s=12, color=style.light, alpha=0.5, linewidths=0)
    axes.set(xscale="log", ylim=(len(finals) - 0.4, -0.6))
    axes.set_xlabel("final test regret (percentage points)")
    label_points(axes.xaxis)
    axes.set_yticks(range(len(finals)), [content.styles[label].name for label in content.groups])
    axes.grid(visible=False, axis="y")


def draw_ranks(axes: Axes, content: SpaceContent) -> None:
    """Mean rank over simulated time."""
    for label, ranks in content.ranks.items():
        style = content.styles[label]
        inside = shown_ranks(content, label)
        axes.plot(content.rank_seconds[inside], ranks[inside], label=style.name, **look(style))
    axes.set(xscale="log", xlabel=TIMES[content.rank_family], ylabel="mean rank by test regret")
    axes.invert_yaxis()
    legend(axes)


def draw_distribution(axes: Axes, content: SpaceContent) -> None:
    """Distribution of the space's test errors with the final cells of each method."""
    assert content.distribution is not None
    errors, share = content.distribution
    above = above_best(content, errors)
    axes.step(above, share * 100, where="post", color="#8a8a8a", label="all cells")
    for label, runs in content.groups.items():
        style = content.styles[label]
        found, count = final_cells(runs)
        axes.scatter(
            above_best(content, found),
            np.maximum(share_at(content.distribution, found), share[0]) * 100,
            s=26 + 12 * (count - 1),
            facecolors="none",
            edgecolors=style.light,
            marker=style.marker,
            linewidths=1.3,
            label=style.name,
            zorder=3,
        )
    axes.set(xscale="log", yscale="log")
    axes.set_xlabel("test error above the best cell (percentage points)")
    axes.set_ylabel("share of unique cells (%)")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    legend(axes)
