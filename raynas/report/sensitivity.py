"""The page of `python -m raynas.study`, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from raynas.analysis.searches import SearchRun
from raynas.analysis.sensitivity import Studied
from raynas.artefacts import conditions
from raynas.execution.files import write_atomically, writing
from raynas.report import frame
from raynas.report.build import FIGURES, PAGE, ReportPaths
from raynas.report.content import SPACE_TITLES
from raynas.report.markup import tag, text
from raynas.report.search_sections import search_facts
from raynas.report.sections import benchmark_notice, manifest_section
from raynas.report.sensitivity_figures import (
    Groups,
    difference_height,
    figures,
    setting_styles,
    write_figures,
)
from raynas.report.sensitivity_sections import (
    claims_section,
    definitions,
    limits_notice,
    sensitivity_table,
)
from raynas.report.sensitivity_wording import findings
from raynas.report.studies import Merged
from raynas.report.styles import Style, as_json, styles
from raynas.report.tables import failures_table
from raynas.studies import StudyGrid

Rows = list[dict[str, Any]]
_CARDS = {
    "regret": (
        "Test regret over epochs",
        "Test error of the cell after each epoch above the best of the space, mean over the "
        "searches.",
        False,
    ),
    "one-shot": (
        "One-shot validation error over epochs",
        "Error of the shared weights on the validation images, mean over the searches.",
        False,
    ),
    "difference": (
        "Final test regret against the default",
        "Mean final test regret less that of the default, with its 95 % interval where there are "
        "enough searches. Right of the line is worse.",
        True,
    ),
}


def write_sensitivity(
    grid: StudyGrid, studied: Sequence[Studied], found: pa.Table, merged: Merged, out: Path
) -> ReportPaths:
    """Write `report.html` and `figures/` of a study of settings.

    Args:
        grid: as published.
        studied: the methods with their settings.
        found: rows of `SENSITIVITY_SCHEMA`.
        merged: the study alone.
        out: directory to write to.

    Raises:
        UserError: the file system refuses.
    """
    rows = found.to_pylist()
    looks = setting_styles([one.setting for one in studied])
    html = page(grid, studied, rows, merged, looks)
    with writing(out):
        (out / FIGURES).mkdir(parents=True, exist_ok=True)
    drawn: list[Path] = []
    names = styles(one.method for one in studied)
    kind = merged.studies[0].benchmark["kind"]
    for space, method in _pairs(rows):
        title = f"{names[method].name}, {SPACE_TITLES[space]} ({kind} benchmark)"
        groups = _groups(studied, merged, space, method)
        drawn += write_figures(groups, looks, title, out / FIGURES / f"space-{space}-{method}")
    write_atomically(out / PAGE, lambda path: path.write_text(html, encoding="utf-8"))
    return ReportPaths(out / PAGE, tuple(drawn))


def page(
    grid: StudyGrid,
    studied: Sequence[Studied],
    rows: Rows,
    merged: Merged,
    looks: dict[str, Style],
) -> str:
    """The whole page as HTML."""
    manifest = merged.studies[0].manifest
    names = {label: style.name for label, style in styles(o.method for o in studied).items()}
    drawn: list[dict[str, Any]] = []
    sections = []
    for index, space in enumerate(dict.fromkeys(row["space"] for row in rows)):
        here = [row for row in rows if row["space"] == space]
        parts = []
        for method in dict.fromkeys(row["method"] for row in here):
            mine = [row for row in here if row["method"] == method]
            groups = _groups(studied, merged, space, method)
            parts.append(_method_section(names[method], mine, groups, looks, drawn))
        heading = tag("h2", text(SPACE_TITLES[space]))
        sections.append(tag("section", heading, *parts, class_="space", id=f"space-{index}"))
    return frame.render(
        {"figures": drawn, "styles": as_json(looks)},
        frame.asset("page.js"),
        title=text(grid.title),
        kicker=text(f"raynas study · {merged.studies[0].benchmark['kind']} benchmark"),
        notice=benchmark_notice(merged) + limits_notice(manifest),
        findings=_findings(grid, rows, names),
        navigation="",
        controls=frame.method_switches(looks, "Settings shown") + frame.statistic_switch(),
        spaces=search_facts([manifest]) + "".join(sections),
        failures=claims_section(grid, rows, names, conditions.of_study(manifest))
        + definitions()
        + failures_table(merged),
        manifest=manifest_section(merged),
    )


def _pairs(rows: Rows) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row["space"], row["method"]) for row in rows))


def _groups(studied: Sequence[Studied], merged: Merged, space: str, method: str) -> Groups:
    """The searches of a method with each setting."""

    def searches(label: str) -> list[SearchRun]:
        return [run for run in merged.searches if (run.method, run.space) == (label, space)]

    found = {one.setting: searches(one.label) for one in studied if one.method == method}
    return {setting: runs for setting, runs in found.items() if runs}


def _findings(grid: StudyGrid, rows: Rows, names: dict[str, str]) -> str:
    lines = [tag("p", text(grid.question), class_="finding")]
    for space, method in _pairs(rows):
        mine = [r for r in rows if (r["space"], r["method"]) == (space, method)]
        where = tag("b", text(f"{names[method]}, {SPACE_TITLES[space]}. "))
        lines.append(tag("p", where, text(findings(mine)), class_="finding"))
    return "".join(lines)


def _method_section(
    name: str,
    rows: Rows,
    groups: Groups,
    looks: dict[str, Style],
    drawn: list[dict[str, Any]],
) -> str:
    cards = []
    for part, figure in figures(groups, rows, looks).items():
        heading, caption, wide = _CARDS[part]
        identifier = f"figure-{len(drawn)}-{part}"
        drawn.append({"id": identifier, **figure})
        height = difference_height(rows) if wide else None
        title = f"{name}: {heading[0].lower()}{heading[1:]}"
        cards.append(frame.card(identifier, title, caption, wide, height))
    return (
        tag("h3", text(name)) + sensitivity_table(rows, looks) + tag("div", *cards, class_="cards")
    )
