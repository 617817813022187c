"""The page and the Markdown file of `python -m raynas.reproduce`."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from raynas.artefacts import Reading, Verdict
from raynas.artefacts.verdicts import RULES
from raynas.execution.files import write_atomically, writing
from raynas.report import frame, reproduction_wording
from raynas.report.markup import tag, text
from raynas.report.reproduction_markdown import markdown
from raynas.report.wording import counted, duration
from raynas.version import this_version

if TYPE_CHECKING:
    from raynas.reproduction import Result

PAGE, MARKDOWN = "reproduce.html", "reproduce.md"
_LOOKS = {
    Verdict.AGREE: "official",
    Verdict.DIRECTION: "official",
    Verdict.DISAGREE: "model",
}


@dataclass(frozen=True, slots=True)
class ReproductionPaths:
    """What was written."""

    page: Path
    markdown: Path


def write_reproduction(results: Sequence[Result], preset: str, out: Path) -> ReproductionPaths:
    """Write `reproduce.html` and `reproduce.md`.

    Raises:
        UserError: the file system refuses.
    """
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    paths = ReproductionPaths(out / PAGE, out / MARKDOWN)
    html, plain = page(results, preset), markdown(results, preset)
    write_atomically(paths.page, lambda path: path.write_text(html, encoding="utf-8"))
    write_atomically(paths.markdown, lambda path: path.write_text(plain, encoding="utf-8"))
    return paths


def page(results: Sequence[Result], preset: str) -> str:
    """The whole page as HTML."""
    families = list(dict.fromkeys(result.artefact.family for result in results))
    sections = [
        _section(name, i, [r for r in results if r.artefact.family == name])
        for i, name in enumerate(families)
    ]
    links = [tag("a", text(name), href=f"#family-{i}") for i, name in enumerate(families)]
    return frame.render(
        {"figures": [], "styles": {}},
        frame.asset("page.js"),
        title="What the sources say, and what raynas obtains",
        kicker=text(f"raynas report · preset {preset}"),
        notice="",
        findings=tag("p", text(reproduction_wording.counts(results)), class_="finding")
        + tag("p", text(f"Written by {this_version()}."), class_="settings"),
        navigation=tag("nav", *links, tag("a", "Rules", href="#rules")),
        controls="",
        spaces="".join(sections),
        failures=_rules(),
        manifest="",
    )


def _section(name: str, index: int, results: Sequence[Result]) -> str:
    heads = ("Artefact", "Obtained", "Verdict")
    head = tag("tr", *(tag("th", text(title), scope="col") for title in heads))
    body = [
        tag(
            "tr",
            tag("th", tag("a", text(r.artefact.name), href=f"#{r.artefact.name}"), scope="row"),
            tag("td", text(_first(r.obtained.readings))),
            tag("td", text(r.obtained.judged.verdict)),
        )
        for r in results
    ]
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="failures")
    return tag(
        "section",
        tag("h2", text(name)),
        tag("div", table, class_="scroll"),
        tag("div", *map(_card, results), class_="cards"),
        class_="space",
        id=f"family-{index}",
    )


def _first(readings: Sequence[Reading]) -> str:
    return reproduction_wording.figures_in_short(readings[:1]) + (
        f" and {len(readings) - 1} more" if len(readings) > 1 else ""
    )


def _card(result: Result) -> str:
    artefact, obtained = result.artefact, result.obtained
    facts = {
        "Shows": artefact.shows,
        "Source": artefact.source,
        "Published": artefact.published,
        "Computed": artefact.computed,
        "Made with": obtained.made_with,
        "Made by": "; ".join(result.made_by),
        "Took": "" if result.seconds is None else duration(result.seconds),
    }
    rows = [tag("div", tag("dt", text(k)), tag("dd", text(v))) for k, v in facts.items() if v]
    judged = obtained.judged
    verdict = tag(
        "div",
        tag("strong", text(judged.verdict), class_="kind"),
        tag("p", text(judged.reason)),
        class_=f"notice {_LOOKS.get(judged.verdict, 'neutral')}",
        role="note",
    )
    return tag(
        "div",
        tag("h3", text(artefact.name)),
        tag("dl", *rows),
        verdict,
        _readings(obtained.readings),
        *(_command(command) for command in result.commands),
        _figures(result),
        class_="card wide",
        id=artefact.name,
    )


def _readings(readings: Sequence[Reading]) -> str:
    if not readings:
        return ""
    heads = ("Figure", "Obtained, 95 % interval", "")
    head = tag("tr", *(tag("th", text(title), scope="col") for title in heads))
    body = [
        tag(
            "tr",
            tag("th", text(reading.label), scope="row"),
            tag("td", text(reproduction_wording.value(reading))),
            tag("td", text(reproduction_wording.remark(reading))),
        )
        for reading in readings
    ]
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="failures")
    return tag("div", table, class_="scroll")


def _command(command: str) -> str:
    return tag(
        "div",
        tag("pre", tag("code", text(command))),
        tag("button", "Copy", type="button", class_="copy"),
        class_="command",
    )


def _figures(result: Result) -> str:
    """The drawings of the studies, in the page itself."""
    if not result.figures:
        return ""
    drawn = []
    for path in result.figures:
        with writing(path):
            data = base64.b64encode(path.read_bytes()).decode("ascii")
        source = f"data:image/png;base64,{data}"
        drawn.append(tag("img", src=source, alt=path.stem, loading="lazy"))
    return tag("details", tag("summary", text(counted(len(drawn), "figure"))), *drawn)


def _rules() -> str:
    rows = [tag("div", tag("dt", text(k)), tag("dd", text(v))) for k, v in RULES.items()]
    return tag("section", tag("h2", "Rules of the verdicts"), tag("dl", *rows), id="rules")
