"""The table of coefficients averaged over the last checkpoints of each search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raynas.analysis.rank_correlation.wording import Row, grouped, number, seeds
from raynas.report.correlation_table import notes_below, value_parts
from raynas.report.markup import tag, text
from raynas.report.styles import Style

_MEASURES = {
    "kendall": "tau",
    "spearman": "Spearman",
    "pearson": "Pearson",
    "sparse_kendall": "Sparse tau",
}
_SAID = (
    "The mean over the last three checkpoints of each seed, and over seeds, with 95 % intervals: "
    "one checkpoint is a noisy witness. Seeds that gave the cells the same accuracy at one of them "
    "are left out. Apart: how far the tau of two of these checkpoints of one seed are from each "
    "other at most."
)


def late_table(rows: Sequence[Row], looks: Mapping[str, Style]) -> str:
    """Each method with three checkpoints by rule and statistics; empty if there is none.

    Args:
        rows: of one space, see `LATE_SCHEMA`.
        looks: of the methods.
    """
    if not rows:
        return ""
    body: list[str] = []
    notes: dict[str, int] = {}
    heads = ("Method", *_MEASURES.values(), "Apart")
    for (rule, statistics), of_kind in grouped(rows, ("rule", "statistics")).items():
        title = text(f"{rule.capitalize()} rule, {statistics} statistics")
        body.append(tag("tr", tag("th", title, scope="rowgroup", colspan=str(len(heads)))))
        for group in grouped(of_kind, ("method",)).values():
            body += [_line({row["measure"]: row for row in group}, looks, notes)]
    head = tag("tr", *(tag("th", text(name), scope="col") for name in heads))
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="summary dense")
    return (
        tag("h3", "Averaged over the last checkpoints")
        + tag("p", text(_SAID), class_="settings")
        + tag("div", table, class_="scroll")
        + notes_below(notes)
    )


def _line(of: Mapping[str, Row], looks: Mapping[str, Style], notes: dict[str, int]) -> str:
    tau = of["kendall"]
    method, epochs = tau["method"], ", ".join(map(str, tau["epochs"]))
    name = tag("span", "", class_="swatch", data_method=method) + text(looks[method].name)
    count = f"{seeds(tau)} seed{'s' * (tau['seeds'] != 1)}"
    name += tag("small", text(f"epochs {epochs}, {count}"))
    cells = [tag("td", *value_parts(of[measure], notes)) for measure in _MEASURES]
    cells.append(tag("td", text(number(tau["widest"]))))
    return tag("tr", tag("th", name, scope="row"), *cells, data_row=method)
