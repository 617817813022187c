"""The figures of a sweep for papers and slides: SVG and PNG."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from raynas.report.axes import regret_floor
from raynas.report.static_figures import label_points, legend, look, write_titled
from tuning.report.analysis import Importance, rank_correlations, trajectory
from tuning.report.content import DEFAULT, SweepContent
from tuning.report.figures import best_rows, parallel_places
from tuning.report.looks import SWEEP, looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Draw = Callable[["Axes"], object]
_SIZE = (7.2, 4.4)


def write_static_figures(
    content: SweepContent, found: Importance | None, folder: Path
) -> list[Path]:
    """Write the figures of a sweep as SVG and PNG; returns the paths.

    There are none if every evaluation failed.

    Raises:
        UserError: the file system refuses.
    """
    if not content.completed:
        return []
    drawings: dict[str, tuple[Draw, tuple[float, float]]] = {
        "simulated": (lambda axes: draw_simulated(axes, content), _SIZE),
        "incumbent-wall": (lambda axes: draw_incumbent(axes, content, "wall"), _SIZE),
        "incumbent-epochs": (lambda axes: draw_incumbent(axes, content, "epochs"), _SIZE),
        "budgets": (lambda axes: draw_budgets(axes, content), _SIZE),
        "parallel": (lambda axes: draw_parallel(axes, content), (9.6, 4.8)),
    }
    if any(c.rho is not None for c in rank_correlations(content)):
        drawings["correlation"] = (lambda axes: draw_correlations(axes, content), _SIZE)
    if found is not None:
        drawings["importance"] = (lambda axes: draw_importance(axes, found), _SIZE)
    if content.curves:
        drawings["curves"] = (lambda axes: draw_curves(axes, content, "validation_error"), _SIZE)
        drawings["one-shot-curves"] = (
            lambda axes: draw_curves(axes, content, "one_shot_error"),
            _SIZE,
        )
    kind = content.manifest["benchmark"]["kind"]
    title = f"{content.method} on space {content.arguments['space']} ({kind} benchmark)"
    paths = []
    for name, (draw, size) in drawings.items():
        paths += write_titled(_on_axes(draw), title, folder / f"sweep-{name}", size)
    return paths


def _on_axes(draw: Draw) -> Callable[[Figure], object]:
    return lambda figure: draw(figure.add_subplot())


def draw_simulated(axes: Axes, content: SweepContent) -> None:
    """Test regret over simulated time; see the page's figure."""
    style = looks(content)
    found = trajectory(content)
    regret = 100 * (found.test_error - content.best_test_error)
    curves = {} if content.comparison is None else content.comparison.curves["test_regret"]
    searched = (content.method, content.tuned)
    points = {label: content.regrets(label) for label in searched}
    floor = regret_floor([regret, *(100 * y for _, y in points.values())])
    for label, curve in curves.items():
        if label in style and label not in searched:
            axes.plot(curve.seconds, curve.mean, label=style[label].name, **look(style[label]))
            axes.fill_between(
                curve.seconds, curve.low, curve.high, color=style[label].light, alpha=0.1, lw=0
            )
    own = look(style[SWEEP]) | {"linewidth": 2.4, "drawstyle": "steps-post"}
    axes.plot(found.simulated, np.maximum(regret, floor), label=style[SWEEP].name, **own)
    for label, (seconds, finals) in points.items():
        if len(seconds):
            y = np.maximum(100 * finals, floor)
            marks: dict[str, Any] = {"color": style[label].light, "marker": style[label].marker}
            axes.scatter(seconds, y, s=22, alpha=0.6, linewidths=0, **marks)
            mean = max(100 * float(finals.mean()), floor)
            axes.scatter(
                [seconds.mean()],
                [mean],
                s=130,
                edgecolors="white",
                label=style[label].name,
                **marks,
            )
    axes.set(xscale="log", yscale="log")
    axes.set_xlabel("simulated time (s): searching, and training every cell found")
    axes.set_ylabel("test regret (percentage points)")
    label_points(axes.yaxis)
    legend(axes)


def draw_incumbent(axes: Axes, content: SweepContent, clock: str) -> None:
    """Errors of the best cell so far over wall-clock time or epochs."""
    found = trajectory(content, "finished" if clock == "wall" else "evaluation")
    own = look(looks(content)[SWEEP]) | {"drawstyle": "steps-post"}
    x = getattr(found, clock)
    axes.plot(x, 100 * found.validation_error, label="validation error", **own)
    axes.plot(x, 100 * found.test_error, label="test error", **(own | {"linestyle": ":"}))
    axes.set_xlabel("seconds since the sweep began" if clock == "wall" else "epochs trained")
    axes.set_ylabel("error of the best cell so far (%)")
    legend(axes)


def draw_budgets(axes: Axes, content: SweepContent) -> None:
    """Every evaluation at its budget."""
    place = {epochs: i for i, epochs in enumerate(content.budgets)}
    for label in dict.fromkeys(content.kind(row) for row in content.completed):
        rows = [row for row in content.completed if content.kind(row) == label]
        shifts = np.array([row["evaluation"] for row in rows]) * 0.618034 % 1 - 0.5
        x = np.array([place[row["epochs"]] for row in rows]) + 0.6 * shifts
        style = looks(content)[label]
        axes.scatter(
            x,
            [100 * row["validation_error"] for row in rows],
            s=70 if label == DEFAULT else 26,
            color=style.light,
            marker=style.marker,
            label=style.name,
            linewidths=0,
        )
    axes.set_xticks(range(len(place)), [f"{epochs} epochs" for epochs in place])
    axes.set_ylabel("validation error (%)")
    legend(axes)


def draw_parallel(axes: Axes, content: SweepContent) -> None:
    """Each configuration as a line across its hyperparameters and its error."""
    rows = best_rows(content)
    errors = np.array([row["validation_error"] for row in rows])
    names = [*(axis.name for axis in content.axes), "validation error"]
    strong = len(rows) - max(len(rows) // 4, 1)
    known: set[str] = set()
    for number, row in enumerate(rows):
        label = content.kind(row)
        style = looks(content)[label]
        clear = number >= strong or label == DEFAULT
        axes.plot(
            parallel_places(content, row, errors),
            color=style.light,
            linewidth=1.8 if clear else 0.8,
            alpha=0.95 if clear else 0.25,
            label=style.name if clear and label not in known else None,
        )
        known |= {label} if clear else set()
    axes.set_xticks(range(len(names)), [name.replace("_", "\n") for name in names], fontsize=8)
    axes.set_yticks([0, 1], ["least", "most"])
    legend(axes)


def draw_correlations(axes: Axes, content: SweepContent) -> None:
    """Spearman's rho of each pair of budgets with its interval."""
    found = [c for c in rank_correlations(content) if c.rho is not None]
    colour = looks(content)[SWEEP].light
    for place, one in enumerate(found):
        if one.interval is not None:
            axes.plot([place, place], one.interval, color=colour, linewidth=1.8)
    axes.scatter(range(len(found)), [c.rho or 0.0 for c in found], s=60, color=colour, marker="D")
    names = [f"{c.low} and {c.high} epochs\nn = {c.count}" for c in found]
    axes.set_xticks(range(len(found)), names)
    axes.set(ylim=(-1.05, 1.05), xlim=(-0.6, len(found) - 0.4), ylabel="Spearman's rho")


def draw_importance(axes: Axes, found: Importance) -> None:
    """Share of the variance by hyperparameter, and what chance reaches."""
    names = list(found.shares)[::-1]
    axes.barh(names, [100 * found.shares[name] for name in names], color="#8a8a8a", alpha=0.85)
    axes.axvline(
        100 * found.chance, color="#1c1c1c", lw=1.4, ls="--", label="largest by chance, 95 %"
    )
    axes.set_xlabel(
        f"share of the variance (%), {found.count} evaluations of {found.epochs} epochs"
    )
    axes.grid(visible=False, axis="y")
    legend(axes)


def draw_curves(axes: Axes, content: SweepContent, quantity: str) -> None:
    """Each configuration over its epochs; the default and the best one are strong."""
    best = None if content.best is None else content.best["configuration"]
    style = looks(content)
    for number, curve in content.curves.items():
        if number not in (0, best):
            axes.plot(
                curve.epochs, 100 * getattr(curve, quantity), color="#9a9a9a", lw=0.7, alpha=0.5
            )
    strong = {0: DEFAULT} if not best else {0: DEFAULT, int(best): content.tuned}
    for number, label in strong.items():
        if number in content.curves:
            curve = content.curves[number]
            own = look(style[label]) | {"linestyle": "solid", "linewidth": 2.2}
            axes.plot(curve.epochs, 100 * getattr(curve, quantity), label=style[label].name, **own)
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"{quantity.replace('_', ' ')} (%)")
    legend(axes)
