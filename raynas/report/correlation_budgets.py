"""The table of agreement with validation and test accuracy over the budgets of the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raynas.analysis.rank_correlation.scale import ALL, BEST_TRUE
from raynas.analysis.rank_correlation.wording import (
    Row,
    Target,
    grouped,
    last_checkpoints,
    number,
    targets_of,
)
from raynas.report.correlation_table import notes_below, value_parts
from raynas.report.markup import tag, text
from raynas.report.styles import Style

_SUBSETS = {ALL: "all cells", BEST_TRUE: "the 10 % with the best of that accuracy"}
_SAID = (
    "Kendall's tau with the mean accuracies of trainings of the cell alone, on the images of the "
    "benchmark's validation and test sets, after so many epochs; last checkpoint of each method, "
    "with 95 % intervals."
)


def budget_table(rows: Sequence[Row], looks: Mapping[str, Style]) -> str:
    """The last checkpoint of each method by rule, statistics and subset.

    Args:
        rows: of one space, see `COEFFICIENTS_SCHEMA`.
        looks: of the methods.
    """
    kept = [row for row in last_checkpoints(rows) if row["measure"] == "kendall"]
    targets = targets_of(kept)
    body: list[str] = []
    notes: dict[str, int] = {}
    for (rule, statistics), of_kind in grouped(kept, ("rule", "statistics")).items():
        for subset, named in _SUBSETS.items():
            here = [row for row in of_kind if row["subset"] == subset]
            title = f"{rule.capitalize()} rule, {statistics} statistics: {named}"
            head = tag("th", text(title), scope="rowgroup", colspan=str(1 + len(targets)))
            body.append(tag("tr", head))
            body += _lines(here, targets, looks, notes)
    table = tag("table", _head(targets), tag("tbody", *body), class_="summary dense")
    return (
        tag("h3", "Against validation and test accuracy")
        + tag("p", text(_SAID), class_="settings")
        + tag("div", table, class_="scroll")
        + notes_below(notes)
    )


def _head(targets: Sequence[Target]) -> str:
    names = [f"{quantity.capitalize()}, {budget} epochs" for quantity, budget in targets]
    cells = [tag("th", text(name), scope="col") for name in ("Method", *names)]
    return tag("thead", tag("tr", *cells))


def _lines(
    rows: Sequence[Row],
    targets: Sequence[Target],
    looks: Mapping[str, Style],
    notes: dict[str, int],
) -> list[str]:
    """A row for each method, and one for the ceilings."""
    lines = []
    for (method, epoch), group in grouped(rows, ("method", "epoch")).items():
        of = {(row["quantity"], row["budget"]): row for row in group}
        name = tag("span", "", class_="swatch", data_method=method) + text(looks[method].name)
        name += tag("small", text(f"epoch {epoch}"))
        cells = [tag("td", *value_parts(of[target], notes)) for target in targets]
        lines.append(tag("tr", tag("th", name, scope="row"), *cells, data_row=method))
    known = {(row["quantity"], row["budget"]): row["ceiling"] for row in rows}
    ceilings = [tag("td", text(number(known[target]))) for target in targets]
    return [*lines, tag("tr", tag("th", "Ceiling", scope="row"), *ceilings)]
