"""The interactive figures of a sweep, as plain Plotly descriptions.

Colours come from the page's script, see `raynas.report.figures`.
"""

from __future__ import annotations

from html import escape

import numpy as np

from raynas.report.axes import (
    Figure,
    digits,
    layout_of,
    log_axis,
    numbers,
    points_axis,
    regret_floor,
)
from raynas.report.figures import band
from raynas.report.styles import Style
from tuning.report.analysis import (
    Floats,
    Importance,
    RankCorrelation,
    Trajectory,
    rank_correlations,
    trajectory,
)
from tuning.report.content import DEFAULT, MODEL, RANDOM, Row, SweepContent
from tuning.report.looks import SWEEP, looks

MAIN = "simulated"


def figures(content: SweepContent, found: Importance | None) -> dict[str, Figure]:
    """The figures of a sweep: name -> {"data", "layout"} for `Plotly.newPlot`.

    There are none if every evaluation failed.
    """
    if not content.completed:
        return {}
    drawn = {
        MAIN: simulated_figure(content),
        "wall": incumbent_figure(content, "wall"),
        "epochs": incumbent_figure(content, "epochs"),
        "budgets": budgets_figure(content),
        "parallel": parallel_figure(content),
    }
    correlations = [c for c in rank_correlations(content) if c.rho is not None]
    if correlations:
        drawn["correlation"] = correlation_figure(correlations)
    if found is not None:
        drawn["importance"] = importance_figure(found)
    if content.curves:
        drawn["curves"] = curves_figure(content, "validation_error", "validation error of the cell")
        drawn["one-shot-curves"] = curves_figure(content, "one_shot_error", "one-shot error")
    return drawn


def simulated_figure(content: SweepContent) -> Figure:
    """Test regret over simulated time: the sweep, searches with both settings, black-box."""
    style = looks(content)
    found = trajectory(content)
    regret = 100 * (found.test_error - content.best_test_error)
    curves = {} if content.comparison is None else content.comparison.curves["test_regret"]
    labels = [label for label in curves if label in style and label not in _searched(content)]
    points = {label: content.regrets(label) for label in _searched(content)}
    floor = regret_floor(
        [regret, *(100 * y for _, y in points.values()), *(curves[label].mean for label in labels)]
    )
    traces: list[Figure] = []
    for label in labels:
        curve = curves[label]
        traces += band(label, "mean", curve.seconds, curve.low, curve.high, floor)
        traces.append(_line(label, style[label], curve.seconds, curve.mean, floor))
    traces.append(_steps(SWEEP, style[SWEEP], found.simulated, regret, floor, width=3.0))
    for label, (seconds, finals) in points.items():
        if len(seconds):
            traces += _searches(label, style[label], seconds, 100 * finals, floor)
    traces.sort(key=lambda trace: trace["meta"]["role"] != "band")
    axes = log_axis("simulated time (s): searching, and training every cell found")
    return {"data": traces, "layout": layout_of(axes, points_axis("test regret"))}


def _searched(content: SweepContent) -> tuple[str, str]:
    return content.method, content.tuned


def _line(label: str, style: Style, x: Floats, y: Floats, floor: float) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(style.name),
        "x": numbers(x),
        "y": numbers(np.where(np.isnan(y), np.nan, np.maximum(y, floor))),
        "line": {"width": 2.0, "dash": style.dash},
        "hovertemplate": f"<b>{escape(style.name)}</b><br>after %{{x:.4s}}s<br>%{{y:.3g}} "
        "percentage points<extra></extra>",
        "meta": {"method": label, "role": "line"},
    }


def _steps(
    label: str, style: Style, x: Floats, y: Floats, floor: float, width: float = 2.2
) -> Figure:
    trace = _line(label, style, x, y, floor)
    trace["line"] = {"width": width, "dash": style.dash, "shape": "hv"}
    return trace


def _searches(
    label: str, style: Style, seconds: Floats, regret: Floats, floor: float
) -> list[Figure]:
    """Every search as a mark, and their mean."""
    name = escape(style.name)
    mean = float(regret.mean())
    marks = {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(seconds),
        "y": numbers(np.maximum(regret, floor)),
        "marker": {"size": 7, "symbol": f"{style.symbol}-open", "line": {"width": 1.4}},
        "hovertemplate": f"<b>{name}</b>, one search<br>%{{y:.3g}} percentage points after "
        "%{x:.4s}s<extra></extra>",
        "meta": {"method": label, "role": "marks"},
    }
    centre = {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(np.array([seconds.mean()])),
        "y": numbers(np.array([max(mean, floor)])),
        "marker": {"size": 15, "symbol": style.symbol, "line": {"width": 1.5}},
        "hovertemplate": f"<b>{name}</b>, mean of {len(regret)}<br>{digits(mean)} percentage "
        "points<extra></extra>",
        "meta": {"method": label, "role": "mean"},
    }
    return [marks, centre]


def incumbent_figure(content: SweepContent, clock: str) -> Figure:
    """Errors of the best cell so far over wall-clock time or epochs."""
    style = looks(content)[SWEEP]
    found: Trajectory = trajectory(content, "finished" if clock == "wall" else "evaluation")
    x = getattr(found, clock)
    traces = []
    for name, values, dash in (
        ("validation error", found.validation_error, "solid"),
        ("test error", found.test_error, "dot"),
    ):
        trace = _steps(SWEEP, style, x, 100 * values, 0.0)
        trace["line"] |= {"dash": dash}
        trace["hovertemplate"] = f"{name} %{{y:.2f}} %<extra></extra>"
        traces.append(trace)
    title = "seconds since the sweep began" if clock == "wall" else "epochs trained"
    axis = {"title": {"text": title}, "rangemode": "tozero"}
    errors = {"title": {"text": "solid: validation, dotted: test error (%)"}}
    return {"data": traces, "layout": layout_of(axis, errors)}


def budgets_figure(content: SweepContent) -> Figure:
    """Every evaluation at its budget; chance moves the marks sideways."""
    place = {epochs: i for i, epochs in enumerate(content.budgets)}
    groups: dict[str, list[Row]] = {}
    for row in content.completed:
        groups.setdefault(content.kind(row), []).append(row)
    traces = []
    for label, rows in groups.items():
        style = looks(content)[label]
        shifts = np.array([row["evaluation"] for row in rows]) * 0.618034 % 1 - 0.5
        x = np.array([place[row["epochs"]] for row in rows]) + 0.6 * shifts
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": escape(style.name),
                "x": numbers(x),
                "y": numbers(100 * np.array([row["validation_error"] for row in rows])),
                "text": [_described(content, row) for row in rows],
                "marker": {"size": 12 if label == DEFAULT else 8, "symbol": style.symbol},
                "hovertemplate": "%{y:.2f} %<br>%{text}<extra></extra>",
                "meta": {"method": label, "role": "points"},
            }
        )
    ticks = {"tickvals": list(place.values()), "ticktext": [f"{e} epochs" for e in place]}
    x_axis = {"title": {"text": "budget"}, "range": [-0.5, len(place) - 0.5], **ticks}
    return {"data": traces, "layout": layout_of(x_axis, _error_axis(content))}


def _error_axis(content: SweepContent) -> Figure:
    errors = 100 * np.array([row["validation_error"] for row in content.completed])
    title = {"text": "validation error (%)"}
    if len(errors) and errors.max() > 4 * errors.min():
        return {**points_axis("validation error", "%"), "title": title}
    return {"title": title}


def _described(content: SweepContent, row: Row) -> str:
    values = "<br>".join(f"{axis.name} {row[axis.name]:.4g}" for axis in content.axes)
    return f"configuration {row['configuration']}, bracket {row['bracket']}<br>{values}"


def best_rows(content: SweepContent) -> list[Row]:
    """The last completed evaluation of each configuration, the worst first."""
    last: dict[int, Row] = {}
    for row in content.completed:
        known = last.get(row["configuration"])
        if known is None or row["epochs"] >= known["epochs"]:
            last[row["configuration"]] = row
    return sorted(last.values(), key=lambda row: -row["validation_error"])


def parallel_places(content: SweepContent, row: Row, errors: Floats) -> list[float]:
    """Where a configuration crosses each axis, 0 to 1; the last axis is its error."""
    own = [axis.place(row[axis.name]) for axis in content.axes]
    spread = max(float(errors.max() - errors.min()), 1e-12)
    return [*own, float((row["validation_error"] - errors.min()) / spread)]


def parallel_figure(content: SweepContent) -> Figure:
    """Each configuration as a line across its hyperparameters and its error."""
    rows = best_rows(content)
    errors = np.array([row["validation_error"] for row in rows])
    names = [axis.name for axis in content.axes] + ["validation error"]
    best = len(rows) - max(len(rows) // 4, 1)
    traces = []
    for number, row in enumerate(rows):
        label = content.kind(row)
        strong = number >= best or label == DEFAULT
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": escape(looks(content)[label].name),
                "x": list(range(len(names))),
                "y": numbers(np.array(parallel_places(content, row, errors))),
                "opacity": 0.95 if strong else 0.25,
                "line": {"width": 2.4 if strong else 1.2, "dash": "solid"},
                "text": [f"{100 * row['validation_error']:.2f} %<br>{_described(content, row)}"]
                * len(names),
                "hovertemplate": "%{text}<extra></extra>",
                "meta": {"method": label, "role": "line"},
            }
        )
    x_axis = {
        "tickvals": list(range(len(names))),
        "ticktext": [name.replace("_", "<br>") for name in names],
        "range": [-0.3, len(names) - 0.7],
        "showgrid": True,
    }
    y_axis = {"showticklabels": False, "showgrid": False, "range": [-0.12, 1.12]}
    layout = layout_of(x_axis, y_axis) | {"annotations": _ends(content, errors)}
    layout["margin"] = {"l": 24, "r": 24, "t": 12, "b": 64}
    return {"data": traces, "layout": layout}


def _ends(content: SweepContent, errors: Floats) -> list[Figure]:
    ends = [(axis.low, axis.high) for axis in content.axes]
    texts = [(f"{low:.3g}", f"{high:.3g}") for low, high in ends]
    if len(errors):
        texts.append((f"{100 * errors.min():.2f} %", f"{100 * errors.max():.2f} %"))
    return [
        {"x": i, "y": y, "text": text, "showarrow": False, "yshift": shift, "font": {"size": 11}}
        for i, pair in enumerate(texts)
        for y, shift, text in ((0, -10, pair[0]), (1, 10, pair[1]))
    ]


def correlation_figure(found: list[RankCorrelation]) -> Figure:
    """Spearman's rho of each pair of budgets with its interval."""
    names = [f"{c.low} and {c.high} epochs<br>n = {c.count}" for c in found]
    rho = np.array([c.rho for c in found], float)
    low = [c.rho - c.interval[0] if c.interval and c.rho is not None else 0 for c in found]
    high = [c.interval[1] - c.rho if c.interval and c.rho is not None else 0 for c in found]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": names,
        "y": numbers(rho),
        "marker": {"size": 12, "symbol": "diamond"},
        "error_y": {"array": high, "arrayminus": low, "symmetric": False, "thickness": 1.6},
        "hovertemplate": "%{x}<br>Spearman's rho %{y:.2f}<extra></extra>",
        "meta": {"method": SWEEP, "role": "points"},
    }
    y_axis = {"title": {"text": "Spearman's rho"}, "range": [-1.05, 1.05], "dtick": 0.5}
    return {"data": [trace], "layout": layout_of({"type": "category"}, y_axis)}


def importance_figure(found: Importance) -> Figure:
    """Share of the variance by hyperparameter, and what chance reaches."""
    names = list(found.shares)[::-1]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [100 * found.shares[name] for name in names],
        "y": names,
        "marker": {"opacity": 0.7},
        "hovertemplate": "%{y}: %{x:.1f} %<extra></extra>",
        "meta": {"method": RANDOM, "role": "bars"},
    }
    chance = {
        "type": "scatter",
        "mode": "lines",
        "x": [100 * found.chance] * len(names),
        "y": names,
        "line": {"width": 2, "dash": "dash"},
        "hovertemplate": "by chance the largest reaches %{x:.1f} % once in twenty times"
        "<extra></extra>",
        "meta": {"method": MODEL, "role": "line"},
    }
    x_axis = {"title": {"text": "share of the variance (%)"}, "rangemode": "tozero"}
    return {"data": [bars, chance], "layout": layout_of(x_axis, {"type": "category"})}


def curves_figure(content: SweepContent, quantity: str, title: str) -> Figure:
    """Each configuration over its epochs; the default and the best one are strong."""
    best = None if content.best is None else content.best["configuration"]
    kinds = {row["configuration"]: content.kind(row) for row in content.rows}
    traces = []
    for number, curve in content.curves.items():
        strong = number in (0, best)
        label = content.tuned if number == best and number else kinds[number]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"configuration {number}",
                "x": numbers(curve.epochs),
                "y": numbers(100 * getattr(curve, quantity)),
                "opacity": 1.0 if strong else 0.3,
                "line": {"width": 2.8 if strong else 1.1, "dash": "solid"},
                "hovertemplate": f"configuration {number}<br>epoch %{{x}}<br>%{{y:.2f}} %"
                "<extra></extra>",
                "meta": {"method": label, "role": "line"},
            }
        )
    traces.sort(key=lambda trace: float(str(trace["opacity"])))
    axis = {"title": {"text": "epoch"}, "tickformat": "d"}
    return {"data": traces, "layout": layout_of(axis, {"title": {"text": f"{title} (%)"}})}
