"""The page of `python -m raynas.random_policy`, its figures and its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raynas.analysis.random_policy import SpaceJudgement, result_table, wording
from raynas.analysis.random_policy.record import Record, with_record
from raynas.execution.files import write_atomically, writing
from raynas.report import frame
from raynas.report.content import SPACE_TITLES
from raynas.report.markup import tag, text
from raynas.report.random_policy_figures import figures, write_figures
from raynas.report.random_policy_sections import definitions, tables
from raynas.report.sections import benchmark_box
from raynas.report.styles import Style, as_json, styles
from search_spaces.benchmark import Benchmark

TABLE, PAGE, FIGURES = "random_policy.parquet", "random_policy.html", "figures"
_CARDS = {
    "draws": (
        "How rare such a cell is among random draws",
        "Every mark is a run: the probability that one random draw is at least as good as its "
        "final cell. Chance gives 50 % on average; further right is better.",
        True,
    ),
    "superiority": (
        "Better than what?",
        "Probability to be better than a random draw (circle) and than random search with the same "
        "seconds (diamond), with 95 % intervals; the line at 0.5 is chance.",
        False,
    ),
    "best-of": (
        "Against the best of k random draws",
        "Probability that a run surpasses the best of k random draws. Where a line falls below "
        "0.5, so many blind trainings do as well.",
        False,
    ),
}


@dataclass(frozen=True, slots=True)
class RandomPolicyPaths:
    """What was written."""

    table: Path
    page: Path
    figures: tuple[Path, ...]


def write_random_policy(
    judged: Sequence[SpaceJudgement],
    benchmark: Benchmark,
    out: str | Path,
    record: Record | None = None,
) -> RandomPolicyPaths:
    """Write `random_policy.parquet`, `random_policy.html` and `figures/random-policy-*`.

    Args:
        judged: what was found, by space.
        benchmark: that judged the cells.
        out: directory, made if need be.
        record: what it was made from; it goes into the table.

    Raises:
        UserError: the file system refuses.
    """
    import pyarrow.parquet as pq

    out = Path(out)
    looks = styles(dict.fromkeys(m.finals.method for space in judged for m in space.methods))
    html = page(judged, benchmark, looks)
    with writing(out):
        (out / FIGURES).mkdir(parents=True, exist_ok=True)
    drawn: list[Path] = []
    for space in judged:
        title = f"{SPACE_TITLES[space.space]} ({benchmark.kind} benchmark)"
        drawn += write_figures(space, looks, title, out / FIGURES)
    rows = result_table(judged)
    if record is not None:
        rows = with_record(rows, record)
    write_atomically(out / TABLE, lambda path: pq.write_table(rows, path))
    write_atomically(out / PAGE, lambda path: path.write_text(html, encoding="utf-8"))
    return RandomPolicyPaths(out / TABLE, out / PAGE, tuple(drawn))


def page(judged: Sequence[SpaceJudgement], benchmark: Benchmark, looks: dict[str, Style]) -> str:
    """The whole page as HTML."""
    drawn: list[dict[str, Any]] = []
    sections = [_section(space, i, looks, drawn) for i, space in enumerate(judged)]
    entry = {name: getattr(benchmark, name) for name in ("name", "kind", "sha256", "metadata")}
    findings = [
        tag("p", tag("b", text(f"{SPACE_TITLES[space.space]}. ")), text(line), class_="finding")
        for space in judged
        for line in (*wording.findings(space), *wording.sharing_lines(space))
    ]
    return frame.render(
        {"figures": drawn, "styles": as_json(looks)},
        frame.asset("page.js"),
        title="Better than random?",
        kicker=text(f"raynas report · {benchmark.kind} benchmark"),
        notice=benchmark_box(entry),
        findings="".join(findings),
        navigation="",
        controls=frame.method_switches(looks),
        spaces="".join(sections),
        failures=definitions(),
        manifest="",
    )


def _section(
    space: SpaceJudgement, index: int, looks: dict[str, Style], drawn: list[dict[str, Any]]
) -> str:
    cards = []
    found = figures(space, looks)
    for name, (heading, caption, wide) in _CARDS.items():
        identifier = f"figure-{index}-{name}"
        drawn.append({"id": identifier, **found[name]})
        cards.append(frame.card(identifier, heading, caption, wide))
    notes = (*wording.power_lines(space), *space.notes, *wording.reasons(space))
    return tag(
        "section",
        tag("h2", text(SPACE_TITLES[space.space])),
        tag("p", text(_laws(space)), class_="settings"),
        tables(space, looks),
        tag("div", *cards, class_="cards"),
        tag("h3", "What these runs can show, and what is missing"),
        tag("ul", *(tag("li", text(note)) for note in notes)),
        class_="space",
        id=f"space-{index}",
    )


def _laws(space: SpaceJudgement) -> str:
    parts = []
    for one in space.populations:
        mean, deviation = (wording.points(value) for value in one.best_of(10))
        parts.append(
            f"{one.name} ({one.cells:,} cells): mean {wording.points(one.mean)} %, deviation "
            f"{wording.points(one.deviation)}, median {wording.points(one.quantile(0.5))}, best "
            f"{wording.points(float(one.values[-1]))} %; best of ten {mean} ± {deviation}"
        )
    return f"Test accuracy of one random draw from {'. From '.join(parts)}."
