"""Interactive figures of the page on rank correlation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from raynas.analysis.rank_correlation import ALL, BEST_TRUE, Group, Truth
from raynas.analysis.rank_correlation.coefficients import main_target
from raynas.report.axes import Figure, layout_of, numbers
from raynas.report.styles import Style

_MOST_POINTS = 3000
_BINS = 40
#: The figure over the budgets with the accuracy that is not looked at first.
VALIDATION = "budgets-validation"
#: Figures with one vertical scale.
BUDGETS = ("budgets", VALIDATION)

Row = dict[str, Any]
Looks = Mapping[str, Style]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the figures of one space show.

    Attributes:
        groups: of the scatters, one per method: its last checkpoint.
        lines: name -> where a row lies on the horizontal axis, and the rows of Kendall's tau.
    """

    groups: list[Group]
    lines: Mapping[str, tuple[Callable[[Row], int], list[Row]]]


def line_figures(rows: Sequence[Row], groups: Sequence[Group], truth: Truth) -> Shown:
    """Which rows and groups are drawn: those of the first rule and statistics."""
    first, last = _first_pair(groups), _last(groups)
    one = [
        row
        for row in rows
        if row["measure"] == "kendall" and (row["rule"], row["statistics"]) == first
    ]
    main = main_target(truth)
    aimed = [row for row in one if (row["quantity"], row["budget"]) == main]
    ended = [row for row in one if row["epoch"] == last[row["method"]]]
    whole = [row for row in ended if row["subset"] == ALL]
    lines = {
        "epochs": (_epoch, [row for row in aimed if row["subset"] == ALL]),
        "budgets": (_budget, [row for row in whole if row["quantity"] == main[0]]),
        VALIDATION: (_budget, [row for row in whole if row["quantity"] != main[0]]),
        "vertices": (
            _size,
            [
                row
                for row in aimed
                if row["epoch"] == last[row["method"]] and row["subset"].endswith("vertices")
            ],
        ),
    }
    kept = {
        name: (at, of)
        for name, (at, of) in lines.items()
        if name == "vertices" or len({at(row) for row in of}) > 1
    }
    scattered = [
        group
        for group in groups
        if (group.rule, group.statistics) == first and group.epoch == last[group.method]
    ]
    return Shown(scattered, kept)


_TITLES = {
    "epochs": "epoch of the search",
    "budgets": "epochs alone",
    VALIDATION: "epochs alone",
    "vertices": "vertices",
}


def figures(
    rows: Sequence[Row], groups: Sequence[Group], truth: Truth, looks: Looks
) -> dict[str, Figure]:
    """Method or name -> {"data", "layout"}; the scatter of each method first."""
    shown, last, main = line_figures(rows, groups, truth), _last(groups), main_target(truth)
    chance = 100 * rows[0]["chance_accuracy"]
    found = {group.method: _scatter(group, truth, chance) for group in shown.groups}
    over_budgets = [row for name in BUDGETS if name in shown.lines for row in shown.lines[name][1]]
    for name, (at, of) in shown.lines.items():
        found[name] = _lines(of, looks, at, _TITLES[name], log=name in BUDGETS)
        if name in BUDGETS:
            found[name]["layout"]["yaxis"]["range"] = _heights(over_budgets)
    ruled = [
        row
        for row in rows
        if row["measure"] == "kendall"
        and (row["quantity"], row["budget"]) == main
        and row["epoch"] == last[row["method"]]
    ]
    found["rules"] = _rules(ruled, looks)
    return found


def _heights(rows: Sequence[Row]) -> list[float]:
    """Ends of an axis on which all of these rows can be seen."""
    ends = [row[name] for row in rows for name in ("value", "low", "high", "ceiling")]
    known = [end for end in ends if end is not None] or [0.0, 1.0]
    low, high = min(known), max(known)
    margin = 0.05 * (high - low)
    return [low - margin, high + margin]


def _epoch(row: Row) -> int:
    return int(row["epoch"])


def _budget(row: Row) -> int:
    return int(row["budget"])


def _size(row: Row) -> int:
    return int(row["subset"].split()[0])


def _last(groups: Sequence[Group]) -> dict[str, int]:
    last: dict[str, int] = {}
    for group in groups:
        last[group.method] = max(last.get(group.method, 0), group.epoch)
    return last


def some_cells(group: Group, truth: Truth) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both accuracies of all cells in per cent, and the positions of those that are drawn."""
    x, y = 100 * truth.mean(*main_target(truth)), 100 * group.accuracies[0]
    some = np.arange(len(x))
    if len(x) > _MOST_POINTS:
        some = np.sort(np.random.default_rng(0).permutation(len(x))[:_MOST_POINTS])
    return x, y, some


def _first_pair(groups: Sequence[Group]) -> tuple[str, str]:
    """The corrected rule with the statistics that were asked for first, if there is such."""
    pairs = [(group.rule, group.statistics) for group in groups]
    return next((pair for pair in pairs if pair[0] == "corrected"), pairs[0])


def _scatter(group: Group, truth: Truth, chance: float) -> Figure:
    quantity, budget = main_target(truth)
    x, y, some = some_cells(group, truth)
    meta = {"method": group.method, "role": "points"}
    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": numbers(x[some]),
        "y": numbers(y[some]),
        "marker": {"size": 4, "opacity": 0.45},
        "hovertemplate": "alone %{x:.2f} %, one-shot %{y:.2f} %<extra></extra>",
        "meta": meta,
    }
    # The worst hundredth would press all others into a corner.
    low, high = np.quantile(x, 0.01), x.max()
    margin = 0.02 * (high - low) or 0.1
    layout = layout_of(
        {
            "title": {"text": f"mean {quantity} accuracy at {budget} epochs (%)"},
            "domain": [0, 0.84],
            "range": [low - margin, high + margin],
        },
        {"title": {"text": f"one-shot accuracy, seed {group.seeds[0]} (%)"}, "domain": [0, 0.8]},
    )
    guessing = {
        "type": "scatter",
        "mode": "lines",
        "x": numbers(np.array([low - margin, high + margin])),
        "y": numbers(np.array([chance, chance])),
        "line": {"width": 1.4, "dash": "dot"},
        "hovertemplate": "guessing %{y:.1f} %<extra></extra>",
        "meta": {"role": "context"},
    }
    hidden = {"showticklabels": False, "showgrid": False, "zeroline": False}
    layout["xaxis2"] = {"domain": [0.86, 1], "anchor": "y", **hidden}
    layout["yaxis2"] = {"domain": [0.83, 1], "anchor": "x", "ticks": "", **hidden}
    layout["bargap"] = 0
    inside = x[x >= low]
    margins = [_margin(inside, meta, "x"), _margin(y, meta, "y")]
    return {"data": [marks, guessing, *margins], "layout": layout}


def _margin(values: np.ndarray, meta: dict[str, str], side: str) -> Figure:
    counts, edges = np.histogram(values, bins=_BINS)
    middle = (edges[:-1] + edges[1:]) / 2
    upright = side == "x"
    places: Figure = (
        {"x": numbers(middle), "y": counts.tolist(), "yaxis": "y2"}
        if upright
        else {"x": counts.tolist(), "y": numbers(middle), "xaxis": "x2", "orientation": "h"}
    )
    return {
        "type": "bar",
        **places,
        "marker": {"opacity": 0.6},
        "hoverinfo": "skip",
        "meta": meta,
    }


def _lines(
    rows: Sequence[Row],
    looks: Looks,
    at: Callable[[Row], int],
    title: str,
    *,
    log: bool = False,
) -> Figure:
    traces: list[Figure] = []
    ceilings: dict[int, float] = {}
    places = sorted({at(row) for row in rows})
    for method in dict.fromkeys(row["method"] for row in rows):
        known = [r for r in rows if r["method"] == method and r["value"] is not None]
        own = sorted(known, key=at)
        ceilings |= {at(row): row["ceiling"] for row in own if row["ceiling"] is not None}
        traces.append(_line(own, [at(row) for row in own], method, looks))
    if ceilings:
        traces.append(_ceiling(dict(sorted(ceilings.items()))))
    x = {"title": {"text": title}, "tickvals": places, "ticktext": [str(p) for p in places]}
    if len(places) > 12:
        x = {"title": {"text": title}}
    x |= {"type": "log"} if log else {}
    return {"data": traces, "layout": layout_of(x, {"title": {"text": "Kendall's tau"}})}


def _line(rows: Sequence[Row], places: Sequence[int], method: str, looks: Looks) -> Figure:
    style = looks[method]
    ends = [(r["low"], r["high"]) if r["low"] is not None else (r["value"],) * 2 for r in rows]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(places),
        "y": numbers(np.array([row["value"] for row in rows])),
        "line": {"width": 2, "dash": style.dash},
        "marker": {"size": 7, "symbol": style.symbol, "line": {"width": 1}},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "thickness": 1.2,
            "width": 3,
            "array": numbers(
                np.array([e[1] - r["value"] for e, r in zip(ends, rows, strict=True)])
            ),
            "arrayminus": numbers(
                np.array([r["value"] - e[0] for e, r in zip(ends, rows, strict=True)])
            ),
        },
        "text": [f"{row['cells']:,} cells" for row in rows],
        "hovertemplate": f"<b>{escape(style.name)}</b><br>%{{x}}: tau %{{y:.3f}}, %{{text}}"
        "<extra></extra>",
        "meta": {"method": method, "role": "mean"},
    }


def _ceiling(values: Mapping[int, float]) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(values) == 1 else "lines",
        "x": list(values),
        "y": numbers(np.array(list(values.values()))),
        "line": {"width": 1.4, "dash": "dot"},
        "marker": {"size": 8, "symbol": "line-ew-open"},
        "hovertemplate": "ceiling %{y:.3f}<extra></extra>",
        "meta": {"role": "context"},
    }


def _rules(rows: Sequence[Row], looks: Looks) -> Figure:
    """A row for each rule, statistics and subset."""
    subsets = {ALL: "", BEST_TRUE: ", best 10 %"}
    kept = [row for row in rows if row["subset"] in subsets and row["value"] is not None]
    names = list(dict.fromkeys((r["subset"], r["rule"], r["statistics"]) for r in kept))
    names.sort(key=lambda name: list(subsets).index(name[0]))
    methods = list(dict.fromkeys(row["method"] for row in kept))
    traces = []
    for number, method in enumerate(methods):
        own = [row for row in kept if row["method"] == method]
        shift = 0.5 * ((number + 0.5) / len(methods) - 0.5)
        places = [names.index((r["subset"], r["rule"], r["statistics"])) + shift for r in own]
        trace = _line(own, [0] * len(own), method, looks)
        error = trace.pop("error_y")
        trace |= {"x": trace["y"], "y": places, "mode": "markers", "error_x": error}
        trace["hovertemplate"] = f"<b>{escape(looks[method].name)}</b><br>tau %{{x:.3f}}, " + (
            "%{text}<extra></extra>"
        )
        traces.append(trace)
    y = {
        "tickvals": list(range(len(names))),
        "ticktext": [f"{rule}, {kind}{subsets[subset]}" for subset, rule, kind in names],
        "range": [len(names) - 0.4, -0.6],
        "showgrid": False,
        "automargin": True,
        "ticks": "",
    }
    return {"data": traces, "layout": layout_of({"title": {"text": "Kendall's tau"}}, y)}
