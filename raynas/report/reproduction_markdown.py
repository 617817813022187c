"""A reproduction as a Markdown file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from raynas.artefacts import Verdict
from raynas.artefacts.verdicts import RULES
from raynas.report import reproduction_wording
from raynas.version import this_version

if TYPE_CHECKING:
    from raynas.reproduction import Result

_LEFT_OUT = (Verdict.NOT_RUN, Verdict.NOT_AVAILABLE)


def markdown(results: Sequence[Result], preset: str) -> str:
    """Published, obtained with interval, verdict and command of each artefact."""
    lines = ["# What the sources say, and what raynas obtains", ""]
    lines += [
        f"Written by `python -m raynas.reproduce` ({this_version()}) with the preset {preset}. "
        f"{reproduction_wording.counts(results)} Intervals are 95 %; points are percentage points.",
        "",
        "| verdict | rule |",
        "|---|---|",
        *(f"| {name} | {_cell(rule)} |" for name, rule in RULES.items()),
    ]
    shown = [r for r in results if r.obtained.judged.verdict not in _LEFT_OUT]
    for family in dict.fromkeys(result.artefact.family for result in shown):
        lines += ["", f"## {family}"]
        for result in shown:
            if result.artefact.family == family:
                lines += ["", *_entry(result)]
    lines += _rest("Not run", [r for r in results if _is(r, Verdict.NOT_RUN)])
    lines += _rest("Not available", [r for r in results if _is(r, Verdict.NOT_AVAILABLE)])
    return "\n".join(lines) + "\n"


def _is(result: Result, verdict: Verdict) -> bool:
    return result.obtained.judged.verdict is verdict


def _entry(result: Result) -> list[str]:
    artefact, obtained = result.artefact, result.obtained
    lines = [f"### {artefact.name}: {obtained.judged.verdict}", ""]
    lines += [
        f"- Shows: {artefact.shows} ({artefact.source}).",
        f"- Published: {artefact.published}.",
        f"- Verdict: {obtained.judged.reason}.",
        f"- Computed: {artefact.computed}.",
        f"- Made with: {obtained.made_with}.",
        *([f"- Made by: {'; '.join(result.made_by)}."] if result.made_by else []),
        *(f"- `{command}`" for command in result.commands),
    ]
    if obtained.readings:
        lines += ["", "| figure | obtained | |", "|---|---|---|"]
        lines += [
            f"| {_cell(reading.label)} | {_cell(reproduction_wording.value(reading))} "
            f"| {_cell(reproduction_wording.remark(reading))} |"
            for reading in obtained.readings
        ]
    return lines


def _rest(title: str, results: Sequence[Result]) -> list[str]:
    if not results:
        return []
    lines = ["", f"## {title}", "", "| artefact | published | reason |", "|---|---|---|"]
    return lines + [
        f"| {r.artefact.name}: {_cell(r.artefact.shows)} ({_cell(r.artefact.source)}) "
        f"| {_cell(r.artefact.published)} | {_cell(_why(r))} |"
        for r in results
    ]


def _why(result: Result) -> str:
    reason = result.obtained.judged.reason
    if not _is(result, Verdict.NOT_RUN):
        return reason
    return f"{reason}; `{result.commands[-1]}` runs it"


def _cell(words: str) -> str:
    """Text that does not end a cell of a table."""
    return " ".join(words.replace("|", "\\|").split())
