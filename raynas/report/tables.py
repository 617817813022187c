"""The tables of the page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.compute as pc

from raynas.analysis.runs import ONE_SHOT, Run
from raynas.analysis.summary import CHECKPOINTS
from raynas.report import wording
from raynas.report.content import SpaceContent
from raynas.report.markup import tag, text
from raynas.report.search_sections import search_table
from raynas.report.studies import Merged

MOST_FAILURES = 20


def summary_tables(content: SpaceContent) -> str:
    """One table per family of methods; with headings if there are two."""
    parts = []
    for family, groups in content.families.items():
        table = _search_summary if family == ONE_SHOT else summary_table
        if len(content.families) > 1:
            parts.append(tag("h3", text(_family_title(family, groups)), class_="family"))
        parts.append(table(content, list(groups)))
    return "".join(parts)


def _family_title(family: str, groups: dict[str, list[Run]]) -> str:
    runs = sum(len(members) for members in groups.values())
    counts = f"{wording.counted(len(groups), 'method')}, {wording.counted(runs, 'run')}"
    return f"{family.capitalize()} methods ({counts})"


def _search_summary(content: SpaceContent, labels: list[str]) -> str:
    rows = {str(r["method"]): r for r in content.summary if r["checkpoint"] == "final"}
    ordered = sorted(labels, key=lambda label: _regret(rows[label]))
    return search_table(content, ordered, rows)


def _regret(row: dict[str, Any]) -> float:
    value = row["mean_test_regret"]
    return np.inf if value is None else float(value)


def summary_table(content: SpaceContent, labels: list[str]) -> str:
    """Mean test regret at the checkpoints and the final figures, one row per method."""
    rows = {(str(r["method"]), str(r["checkpoint"])): r for r in content.summary}
    best = {c: _least(labels, rows, c) for c in CHECKPOINTS}
    names = [c if c == "final" else f"10{_power(c)} s" for c in CHECKPOINTS]
    head = tag(
        "tr",
        *(
            tag("th", title, scope="col")
            for title in ("Method", *names, "Median", "Validation", "Rank", "Runs", "Evaluations")
        ),
    )
    body = [_summary_row(content, rows, label, best) for label in _by_final(labels, rows)]
    caption = (
        "Mean test regret in percentage points after a simulated time, with its 95 % bootstrap "
        "interval; then, at the "
        "end, the median test regret, the mean validation regret and the mean rank. Bold: lowest "
        "in the column. Small n/m: only n of the m runs had a result by then."
    )
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="summary")
    return tag("p", caption, class_="settings") + tag("div", table, class_="scroll")


def _power(checkpoint: str) -> str:
    return tag("sup", text(int(np.log10(CHECKPOINTS[checkpoint]))))


def _by_final(labels: list[str], rows: dict[tuple[str, str], Any]) -> list[str]:
    return sorted(labels, key=lambda label: _regret(rows[label, "final"]))


def _least(labels: list[str], rows: dict[tuple[str, str], Any], checkpoint: str) -> float:
    values = [rows[label, checkpoint]["mean_test_regret"] for label in labels]
    return min((v for v in values if v is not None), default=np.nan)


def _summary_row(
    content: SpaceContent, rows: dict[tuple[str, str], Any], label: str, best: dict[str, float]
) -> str:
    cells = [_regret_cell(rows[label, c], best[c]) for c in CHECKPOINTS]
    final = rows[label, "final"]
    rank = "–" if final["mean_rank"] is None else f"{final['mean_rank']:.2f}"
    failed = f" ({final['failed']} failed)" if final["failed"] else ""
    plain = (
        wording.regret(final["median_test_regret"]),
        wording.regret(final["mean_validation_regret"]),
        rank,
        final["runs"],
        f"{final['evaluations']:,}{failed}",
    )
    name = tag("span", "", class_="swatch", data_method=label) + text(content.styles[label].name)
    return tag(
        "tr",
        tag("th", name, scope="row"),
        *cells,
        *(tag("td", text(value)) for value in plain),
        data_row=label,
    )


def _regret_cell(row: dict[str, Any], best: float) -> str:
    value = row["mean_test_regret"]
    if value is None:
        return tag("td", "–", tag("small", text(f"0/{row['runs']}")))
    shown = tag("b" if value == best else "span", text(wording.regret(value)))
    partial = row["runs_with_value"] < row["runs"]
    notes = [wording.interval(row)] + ([f"{row['runs_with_value']}/{row['runs']}"] * partial)
    return tag("td", shown, *(tag("small", text(note)) for note in notes))


def failures_table(merged: Merged) -> str:
    """The first failed evaluations; empty if there are none."""
    table = merged.trajectories
    failed = table.filter(pc.is_valid(table.column("failure")))
    if not failed.num_rows:
        return ""
    columns = ["method", "space", "seed", "evaluation", "epochs", "module_hash", "failure"]
    rows = failed.slice(0, MOST_FAILURES).select(columns).to_pylist()
    more = failed.num_rows - len(rows)
    note = f"{failed.num_rows:,} of {table.num_rows:,} evaluations failed."
    note += f" The first {len(rows)} are listed." if more else ""
    head = tag("tr", *(tag("th", text(c.replace("_", " ")), scope="col") for c in columns))
    body = [tag("tr", *(tag("td", _short(row[c])) for c in columns)) for row in rows]
    listing = tag("table", tag("thead", head), tag("tbody", *body), class_="failures")
    return tag(
        "section",
        tag("h2", "Failures"),
        tag("p", text(note)),
        tag("details", tag("summary", "List"), tag("div", listing, class_="scroll")),
        id="failures",
    )


def _short(value: object) -> str:
    words = "–" if value is None else str(value)
    return text(words if len(words) <= 120 else words[:119] + "…")
