"""The table of coefficients of one space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raynas.analysis.rank_correlation.wording import accuracy, main_of, seeds
from raynas.report.markup import tag, text
from raynas.report.styles import Style

Row = dict[str, Any]
Found = dict[tuple[str, str], Row]
"""By subset and measure."""

_COEFFICIENTS = {
    "tau": ("all", "kendall"),
    "Spearman": ("all", "spearman"),
    "Pearson": ("all", "pearson"),
    "Sparse tau": ("all", "sparse_kendall"),
    "Best 10 %": ("best 10 % by truth", "kendall"),
    "Best by score": ("best 10 % by one-shot accuracy", "kendall"),
    "Overlap of 10": ("all", "top_10_overlap"),
    "Regret of 10": ("all", "top_10_regret"),
}
_TWO = ("Two architectures",)
_ONE = (
    "One architecture of each cell was scored; with --labellings 2 it is seen how well two agree."
)
_SCALES = {
    "ceiling": "Ceiling",
    "one_against_others": "One training against the others",
    "parameters": "Counting parameters",
    "chance": "Random order",
}


def coefficient_table(rows: list[Row], looks: Mapping[str, Style]) -> str:
    """All methods and checkpoints by rule and statistics; why values lack intervals stands below.

    Args:
        rows: of one space, see `COEFFICIENTS_SCHEMA`.
        looks: of the methods.
    """
    target = main_of(rows)
    kinds: dict[tuple[str, str], dict[tuple[str, int], Found]] = {}
    for row in rows:
        if (row["quantity"], row["budget"]) == target:
            groups = kinds.setdefault((row["rule"], row["statistics"]), {})
            of = groups.setdefault((row["method"], row["epoch"]), {})
            of[row["subset"], row["measure"]] = row
    twice = any(row["labellings"] > 1 for row in rows)
    heads = ("Method", "Accuracy", *_TWO[:twice], *_COEFFICIENTS, "p")
    wide = str(len(heads))
    notes: dict[str, int] = {}
    body: list[str] = []
    for (rule, statistics), groups in kinds.items():
        title = text(f"{rule.capitalize()} rule, {statistics} statistics")
        body.append(tag("tr", tag("th", title, scope="rowgroup", colspan=wide)))
        body += [_line(*key, of, looks, notes, twice) for key, of in groups.items()]
    any_group = next(iter(next(iter(kinds.values())).values()))
    body.append(tag("tr", tag("th", "To be read against", scope="rowgroup", colspan=wide)))
    body += [_scale(name, title, any_group, 1 + twice) for name, title in _SCALES.items()]
    head = tag("tr", *(tag("th", text(name), scope="col") for name in heads))
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="summary dense")
    said = (
        f"Against mean {target[0]} accuracy at {target[1]} epochs; regret in percentage points, "
        "accuracies in %."
    )
    said += "" if twice else f" {_ONE}"
    return (
        tag("p", text(said), class_="settings")
        + tag("div", table, class_="scroll")
        + notes_below(notes)
    )


def _line(
    method: str,
    epoch: int,
    of: Found,
    looks: Mapping[str, Style],
    notes: dict[str, int],
    twice: bool,
) -> str:
    tau = of["all", "kendall"]
    name = tag("span", "", class_="swatch", data_method=method) + text(looks[method].name)
    name += tag("small", text(f"epoch {epoch}, {seeds(tau)} seed{'s' * (tau['seeds'] != 1)}"))
    cells = [tag("td", text(accuracy(tau)), tag("small", text(_distinct(tau))))]
    if twice:
        cells.append(tag("td", *_agreement(tau, notes)))
    cells += [tag("td", *value_parts(of[place], notes)) for place in _COEFFICIENTS.values()]
    cells.append(tag("td", text("–" if tau["p"] is None else f"{tau['p']:.3f}")))
    return tag("tr", tag("th", name, scope="row"), *cells, data_row=method)


def _scale(name: str, title: str, of: Found, empty: int) -> str:
    """A row for something that the coefficients are to be read against."""
    cells = [tag("td", "")] * empty
    for place in _COEFFICIENTS.values():
        row = of[place]
        wide = row["chance_deviation"] if name == "chance" else None
        small = "" if wide is None else tag("small", text(f"± {wide:.2f}"))
        if name == "one_against_others":
            small = _ends(row, f"{name}_")
        cells.append(tag("td", text(_shown(row[name], row)), small))
    cells.append(tag("td", ""))
    return tag("tr", tag("th", text(title), scope="row"), *cells)


def notes_below(notes: Mapping[str, int]) -> str:
    """What the small numbers in a table stand for."""
    lines = [f"({number}) {note}." for note, number in notes.items()]
    return "".join(tag("p", text(line), class_="settings") for line in lines)


def value_parts(row: Row, notes: dict[str, int]) -> tuple[str, ...]:
    """A coefficient with its interval and the number of its note, which is taken down.

    Args:
        row: of a coefficient.
        notes: statement -> number, of the table so far.
    """
    mark = ""
    if row["statement"]:
        mark = tag("sup", text(notes.setdefault(row["statement"], len(notes) + 1)))
    return (text(_shown(row["value"], row)), mark, _ends(row))


def _ends(row: Row, of: str = "") -> str:
    low, high = row[f"{of}low"], row[f"{of}high"]
    return "" if low is None else tag("small", text(f"[{_shown(low, row)}, {_shown(high, row)}]"))


def _shown(value: float | None, row: Row) -> str:
    if value is None:
        return "–"
    shown = 100 * value if row["measure"].endswith("regret") else value
    return f"{round(shown, 2) + 0.0:.2f}"  # nothing is "-0.00"


def _distinct(row: Row) -> str:
    low, high = row["fewest_distinct"], row["most_distinct"]
    return f"{low} distinct" if low == high else f"{low} to {high} distinct"


def _agreement(row: Row, notes: dict[str, int]) -> tuple[str, ...]:
    """Of two architectures of the same cells."""
    value = {
        "measure": "kendall",
        "value": row["labelling_tau"],
        "low": row["labelling_low"],
        "high": row["labelling_high"],
        "statement": row["labelling_statement"],
    }
    cells = tag("small", text(f"{row['cells_with_several']:,} cells"))
    return (*value_parts(value, notes), cells)
