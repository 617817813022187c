"""The interactive figures of how the runs ended."""

from __future__ import annotations

from html import escape

import numpy as np

from raynas.analysis import statistics
from raynas.report.axes import (
    Figure,
    digits,
    layout_of,
    log_axis,
    numbers,
    points_axis,
    regret_floor,
)
from raynas.report.content import (
    SpaceContent,
    above_best,
    final_cells,
    final_regrets,
    share_at,
    thin,
)

STRIP_POINTS = 150
DISTRIBUTION_POINTS = 200


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
    return {"data": traces, "layout": layout_of(points_axis("final test regret"), axis)}


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
        "text": [digits(v) for v in shown],
        "hovertemplate": f"<b>{name}</b><br>a run ended at %{{text}}<extra></extra>",
        "meta": {"method": label, "role": "points"},
    }


def _mean_mark(label: str, name: str, known: np.ndarray, row: float, floor: float) -> Figure:
    mean = float(known.mean())
    low, high = (float(end[0]) for end in statistics.mean_interval(known[:, None]))
    interval = f"<br>95 % interval {digits(low)} – {digits(high)}" if low == low else ""
    mark: Figure = {
        "type": "scatter",
        "mode": "markers",
        "x": [max(mean, floor)],
        "y": [row],
        "marker": {"size": 10, "symbol": "diamond", "line": {"width": 1.5}},
        "hovertemplate": f"<b>{name}</b><br>mean of {len(known)} runs {digits(mean)}{interval}"
        "<extra></extra>",
        "meta": {"method": label, "role": "mean"},
    }
    if low == low:
        ends = {"array": [high - mean], "arrayminus": [mean - max(low, floor)]}
        mark["error_x"] = {"type": "data", "symmetric": False, "thickness": 1.8, "width": 5, **ends}
    return mark


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
    layout = layout_of(
        points_axis("test error above the best cell"), log_axis("share of unique cells (%)")
    )
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
