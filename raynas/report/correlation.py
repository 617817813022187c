"""The page of `python -m raynas.correlation`, and its tables as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from raynas.analysis.rank_correlation import Group, Truth
from raynas.analysis.rank_correlation.wording import (
    against_others,
    interval,
    last_checkpoints,
    main_of,
    notices,
    seeds,
)
from raynas.execution.files import write_atomically, writing
from raynas.report import frame
from raynas.report.content import SPACE_TITLES
from raynas.report.correlation_budgets import budget_table
from raynas.report.correlation_figures import figures
from raynas.report.correlation_late import late_table
from raynas.report.correlation_static import write_correlation_figures
from raynas.report.correlation_table import coefficient_table
from raynas.report.correlation_words import CAPTIONS, SCATTER, definitions, made_from
from raynas.report.markup import tag, text
from raynas.report.sections import benchmark_box
from raynas.report.styles import Style, as_json, styles
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from raynas.execution.scoring import ScoreLog
    from search_spaces.benchmark import Benchmark

SCORES, COEFFICIENTS = "correlation.parquet", "correlation_coefficients.parquet"
LATE = "correlation_late.parquet"
PAGE, FIGURES = "correlation.html", "figures"


@dataclass(frozen=True, slots=True)
class CorrelationPaths:
    """What was written."""

    scores: Path
    coefficients: Path
    late: Path
    page: Path
    figures: tuple[Path, ...]


def read_scores(path: Path) -> pa.Table:
    """The scores of a finished directory.

    Raises:
        UserError: they are gone or damaged.
    """
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException) as error:
        raise UserError(
            f"cannot read {path}; delete its directory and run the correlation again"
        ) from error


def write_correlation(
    scores: pa.Table,
    found: pa.Table,
    late: pa.Table,
    groups: Sequence[Group],
    truths: Mapping[str, Truth],
    benchmark: Benchmark,
    log: ScoreLog,
) -> CorrelationPaths:
    """Write the tables, the page and `figures/correlation-space-*` into the log's directory.

    Raises:
        UserError: the file system refuses.
    """
    import pyarrow.parquet as pq

    out = log.path
    html = page(found.to_pylist(), late.to_pylist(), groups, truths, benchmark, log.manifest)
    with writing(out):
        (out / FIGURES).mkdir(parents=True, exist_ok=True)
    looks = styles(dict.fromkeys(group.method for group in groups))
    drawn: list[Path] = []
    for space, truth in truths.items():
        here = [row for row in found.to_pylist() if row["space"] == space]
        some = [group for group in groups if group.space == space]
        title = f"{SPACE_TITLES[space]} ({benchmark.kind} benchmark)"
        drawn += write_correlation_figures(here, some, truth, looks, title, out / FIGURES)
    for name, table in ((SCORES, scores), (COEFFICIENTS, found), (LATE, late)):
        write_atomically(out / name, partial(pq.write_table, table))
    write_atomically(out / PAGE, lambda path: path.write_text(html, encoding="utf-8"))
    tables = (out / SCORES, out / COEFFICIENTS, out / LATE)
    return CorrelationPaths(*tables, out / PAGE, tuple(drawn))


def page(
    rows: list[dict[str, Any]],
    late: list[dict[str, Any]],
    groups: Sequence[Group],
    truths: Mapping[str, Truth],
    benchmark: Benchmark,
    manifest: Mapping[str, Any],
) -> str:
    """The whole page as HTML."""
    looks = styles(dict.fromkeys(group.method for group in groups))
    drawn: list[dict[str, Any]] = []
    sections = []
    for index, (space, truth) in enumerate(truths.items()):
        here = [row for row in rows if row["space"] == space]
        some = [group for group in groups if group.space == space]
        means = late_table([row for row in late if row["space"] == space], looks)
        sections.append(_section(space, index, here, some, truth, looks, drawn, means))
    entry = {name: getattr(benchmark, name) for name in ("name", "kind", "sha256", "metadata")}
    return frame.render(
        {"figures": drawn, "styles": as_json(looks)},
        frame.asset("page.js"),
        title="Does weight sharing rank cells?",
        kicker=text(f"raynas report · {benchmark.kind} benchmark"),
        notice=benchmark_box(entry),
        findings="".join(tag("p", text(line), class_="finding") for line in findings(rows)),
        navigation="",
        controls=frame.method_switches(looks),
        spaces="".join(sections),
        failures=definitions(),
        manifest=made_from(manifest),
    )


def findings(rows: list[dict[str, Any]]) -> list[str]:
    """One sentence per space: the corrected rule, the last checkpoint of each method."""
    lines = []
    for space in dict.fromkeys(row["space"] for row in rows):
        here = [row for row in rows if row["space"] == space]
        kept = [r for r in here if r["rule"] == "corrected"] or here
        of_kind = last_checkpoints([r for r in kept if r["statistics"] == kept[0]["statistics"]])
        found = [
            row
            for row in of_kind
            if (row["subset"], row["measure"]) == ("all", "kendall")
            and (row["quantity"], row["budget"]) == main_of(here)
        ]
        lines.append(_finding(space, found))
    return lines


def _finding(space: str, found: list[dict[str, Any]]) -> str:
    first = found[0]
    ceiling = "unknown" if first["ceiling"] is None else f"{first['ceiling']:.2f}"
    one = against_others(first)
    other = "" if one == "-" else f", one training against the others reaches {one}"
    each = [
        f"{row['method']} {interval(row)} (epoch {row['epoch']}, {seeds(row)} "
        f"seed{'s' * (row['seeds'] != 1)})"
        for row in found
    ]
    return (
        f"{SPACE_TITLES[space]}, {first['cells']:,} cells, {first['rule']} rule, "
        f"{first['statistics']} statistics: tau of {', '.join(each)}. The ceiling is "
        f"{ceiling}{other}."
    )


def _section(
    space: str,
    index: int,
    rows: list[dict[str, Any]],
    groups: Sequence[Group],
    truth: Truth,
    looks: Mapping[str, Style],
    drawn: list[dict[str, Any]],
    means: str,
) -> str:
    cards: list[str] = []
    last = {row["method"]: row["epoch"] for row in last_checkpoints(rows)}
    for name, figure in figures(rows, groups, truth, looks).items():
        if name in looks:
            heading, caption = f"{looks[name].name}, epoch {last[name]}", SCATTER
        else:
            heading, caption = CAPTIONS[name]
        identifier = f"figure-{index}-{len(cards)}"
        drawn.append({"id": identifier, **figure})
        cards.append(frame.card(identifier, heading, caption, False))
    return tag(
        "section",
        tag("h2", text(SPACE_TITLES[space])),
        _notice(rows),
        coefficient_table(rows, looks),
        means,
        tag("div", *cards, class_="cards"),
        budget_table(rows, looks),
        class_="space",
        id=f"space-{index}",
    )


def _notice(rows: list[dict[str, Any]]) -> str:
    lines = notices(rows)
    if not lines:
        return ""
    return tag(
        "div",
        tag("strong", "Read these correlations with care", class_="kind"),
        *(tag("p", text(f"{line}.")) for line in lines),
        class_="notice warning",
        role="note",
    )
