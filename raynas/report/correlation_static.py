"""The static figures of a rank correlation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raynas.analysis.rank_correlation import Group, Truth
from raynas.analysis.rank_correlation.coefficients import main_target
from raynas.report.correlation_figures import (
    BUDGETS,
    VALIDATION,
    Looks,
    Row,
    line_figures,
    some_cells,
)
from raynas.report.static_figures import legend, look, write_titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def write_correlation_figures(
    rows: Sequence[Row],
    groups: Sequence[Group],
    truth: Truth,
    looks: Looks,
    title: str,
    folder: Path,
) -> list[Path]:
    """Write the figures of one space as SVG and PNG; returns the paths.

    Raises:
        UserError: the file system refuses.
    """
    space = groups[0].space
    drawings: dict[str, Callable[[Axes], None]] = {}
    shown = line_figures(rows, groups, truth)
    for group in shown.groups:
        label = re.sub(r"[^A-Za-z0-9_]+", "-", group.method).strip("-")
        chance = 100 * rows[0]["chance_accuracy"]
        drawings[f"scatter-{label}"] = partial(
            _scatter, group=group, truth=truth, looks=looks, chance=chance
        )
    for name, (places, of) in shown.lines.items():
        drawings[name] = partial(_lines, rows=of, at=places, name=name, looks=looks)
    paths = []
    for name, draw in drawings.items():

        def on(figure: Figure, draw: Callable[[Axes], None] = draw) -> None:
            draw(figure.add_subplot())

        paths += write_titled(on, title, folder / f"correlation-space-{space}-{name}", (7.2, 4.4))
    return paths


def _scatter(axes: Axes, group: Group, truth: Truth, looks: Looks, chance: float) -> None:
    quantity, budget = main_target(truth)
    x, y, some = some_cells(group, truth)
    style = looks[group.method]
    axes.scatter(x[some], y[some], s=8, color=style.light, alpha=0.45, linewidths=0)
    axes.axhline(chance, color="#8a8a8a", linestyle=":", linewidth=1.4, label="guessing")
    legend(axes)
    axes.set_xlabel(f"mean {quantity} accuracy at {budget} epochs (%)")
    axes.set_ylabel(f"one-shot accuracy of {style.name}, seed {group.seeds[0]} (%)")


_AXES = {
    "epochs": "epoch of the search",
    "budgets": "epochs of training alone",
    VALIDATION: "epochs of training alone, validation accuracy",
    "vertices": "vertices",
}


def _lines(
    axes: Axes, rows: Sequence[Row], at: Callable[[Row], int], name: str, looks: Looks
) -> None:
    ceilings: dict[int, float] = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method and row["value"] is not None]
        own.sort(key=at)
        style, places = looks[method], [at(row) for row in own]
        ends = [(r["low"], r["high"]) if r["low"] is not None else (r["value"],) * 2 for r in own]
        values = [row["value"] for row in own]
        errors = [
            [value - low for value, (low, _) in zip(values, ends, strict=True)],
            [high - value for value, (_, high) in zip(values, ends, strict=True)],
        ]
        axes.errorbar(
            places, values, yerr=errors, marker=style.marker, label=style.name, **look(style)
        )
        ceilings |= {at(row): row["ceiling"] for row in own if row["ceiling"] is not None}
    ceiling: Mapping[int, float] = dict(sorted(ceilings.items()))
    line: dict[str, Any] = {"color": "#8a8a8a", "linestyle": ":", "linewidth": 1.4, "marker": "_"}
    axes.plot(list(ceiling), list(ceiling.values()), label="ceiling", **line)
    axes.axhline(0, color="#8a8a8a", linewidth=0.8)
    axes.set(
        xlabel=_AXES[name],
        ylabel="Kendall's tau",
        xscale="log" if name in BUDGETS else "linear",
    )
    marks = sorted({at(row) for row in rows})
    if len(marks) <= 12:
        axes.set_xticks(marks, [str(mark) for mark in marks])
        axes.set_xticks([], minor=True)
    legend(axes)
