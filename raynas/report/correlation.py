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
from raynas.report.correlation_static import write_correlation_figures
from raynas.report.correlation_table import coefficient_table
from raynas.report.markup import tag, text
from raynas.report.sections import benchmark_box
from raynas.report.styles import Style, as_json, styles
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from raynas.execution.scoring import ScoreLog
    from search_spaces.benchmark import Benchmark

SCORES, COEFFICIENTS = "correlation.parquet", "correlation_coefficients.parquet"
PAGE, FIGURES = "correlation.html", "figures"

_DEFINITIONS = {
    "One-shot accuracy": "Share of right answers on the validation half of the search's images, "
    "with the shared weights of a checkpoint and nothing trained.",
    "Architecture": "Isomorphic architectures are one cell when trained alone; under shared "
    "weights they use those of different edges and blocks and score differently. One or some of "
    "them stand for each cell (which, is said below), so part of the scatter is between the "
    "architectures of a cell; the ceiling does not know that part.",
    "Two architectures": "Of the cells of which two or more architectures were scored: Kendall's "
    "tau between the accuracies of the first two that were drawn of each, the mean over seeds. "
    "What two architectures of one cell do not agree on says nothing about the cell. Those that "
    "differ only in blocks without a path to the output are one network and count once.",
    "Truth": "Mean accuracy of the benchmark's trainings of the cell alone, at 4, 12, 36 and 108 "
    "epochs; higher is better on both sides, so agreement is positive.",
    "Corrected rule": "Operations and edges have weight 0 or 1 as in the cell: the result is that "
    "of the sub-network cut out of the supernet.",
    "Published rule": "That of the released correlation script, with its errors, on all unique "
    "cells: operations of methods with architecture parameters are softmaxed one-hots (0.576, "
    "0.212, 0.212), rows of edges are divided by their sum; in spaces 1 and 2 the edge from "
    "block 4 to the output is lost; normalisation with the statistics of the training.",
    "Statistics": "What batch normalisation uses: those of each evaluated batch, the running ones "
    "of the training, or recalibrated ones, means over training batches that the cell itself saw.",
    "Mean accuracy": "Mean and standard deviation of the one-shot accuracies of the cells, and how "
    "many distinct ones a seed gave. Where the mean is not above guessing by more than three "
    "standard errors of so many guesses, the weights are not shown to be better than guessing with "
    "these images; more images have a lower bar.",
    "tau": "Kendall's tau-b, the mean over the seeds that gave the cells different accuracies.",
    "Intervals": "95 %. From three seeds on they hold for other cells and other seeds: made of the "
    "variance between seeds (Student's t) and the covariance of seeds over bootstrap samples of "
    "the cells. Of a study of fewer seeds they are percentile bootstraps over cells and hold for "
    "these seeds. If fewer than three are left because others gave the cells the same accuracy, "
    "there is none. Overlap and regret have intervals over seeds alone (BCa), as the best of a "
    "sample drawn anew are not those of the cells.",
    "p": "Two-sided permutation test: how often cells in random order, the same for all seeds, "
    "have a mean tau as far from 0. Next to it the standard deviation of the tau of one such "
    "order.",
    "Sparse tau": "The same with a truth in bins of 0.1 percentage points.",
    "Best 10 %": "The cells with the best truth, or those with the best one-shot accuracy. A range "
    "that is cut makes any correlation smaller, the ceiling included.",
    "Regret of the top k": "What is lost when the k best by one-shot accuracy are trained and the "
    "best of them is taken, in percentage points of accuracy.",
    "Overlap of the top k": "Share of the k best by one-shot accuracy among the k truly best; k "
    "divided by the number of cells by chance.",
    "Ceiling": "What a score would reach on average that knew the expectation of each cell: the "
    "truth is a mean of few trainings, whose noise it cannot know. Simulated: expectations that, "
    "with noise drawn from each cell's own deviations between trainings, have means distributed "
    "as the observed ones; the coefficient is between them and such means.",
    "One training against the others": "The same coefficient between one training of the cells "
    "and the mean of their other trainings. It is below the ceiling, since one training has noise "
    "of its own. Among the best 10 % those are meant that are best by the other trainings. Its "
    "interval is a percentile bootstrap over cells.",
}
_SCATTER = (
    "Every mark is a cell; the distributions of both accuracies stand at the margins; dotted: "
    "guessing."
)
_CAPTIONS = {
    "epochs": (
        "Over the epochs of the search",
        "Kendall's tau of all cells, corrected rule; the dotted line is the ceiling.",
    ),
    "budgets": (
        "Over the budgets: test accuracy",
        "Kendall's tau with the mean test accuracy after "
        "so many epochs of training alone, last checkpoint; dotted: the ceiling.",
    ),
    "budgets-validation": (
        "Over the budgets: validation accuracy",
        "Kendall's tau with the mean validation accuracy after "
        "so many epochs of training alone, last checkpoint; dotted: the ceiling.",
    ),
    "vertices": (
        "By number of vertices",
        "Kendall's tau among cells of one size (input and output "
        "are counted), last checkpoint; dotted: the ceiling.",
    ),
    "rules": (
        "By rule and statistics",
        "Kendall's tau with the mean test accuracy of the largest budget, of all cells and among "
        "the 10 % that are best by it, with every evaluated rule and statistics; last checkpoint. "
        "Lines: 95 % intervals. Compare rows of the same cells: a range that is cut makes any "
        "correlation smaller.",
    ),
}


@dataclass(frozen=True, slots=True)
class CorrelationPaths:
    """What was written."""

    scores: Path
    coefficients: Path
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
    groups: Sequence[Group],
    truths: Mapping[str, Truth],
    benchmark: Benchmark,
    log: ScoreLog,
) -> CorrelationPaths:
    """Write both tables, the page and `figures/correlation-space-*` into the log's directory.

    Raises:
        UserError: the file system refuses.
    """
    import pyarrow.parquet as pq

    out = log.path
    html = page(found.to_pylist(), groups, truths, benchmark, log.manifest)
    with writing(out):
        (out / FIGURES).mkdir(parents=True, exist_ok=True)
    looks = styles(dict.fromkeys(group.method for group in groups))
    drawn: list[Path] = []
    for space, truth in truths.items():
        here = [row for row in found.to_pylist() if row["space"] == space]
        some = [group for group in groups if group.space == space]
        title = f"{SPACE_TITLES[space]} ({benchmark.kind} benchmark)"
        drawn += write_correlation_figures(here, some, truth, looks, title, out / FIGURES)
    for name, table in ((SCORES, scores), (COEFFICIENTS, found)):
        write_atomically(out / name, partial(pq.write_table, table))
    write_atomically(out / PAGE, lambda path: path.write_text(html, encoding="utf-8"))
    return CorrelationPaths(out / SCORES, out / COEFFICIENTS, out / PAGE, tuple(drawn))


def page(
    rows: list[dict[str, Any]],
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
        sections.append(_section(space, index, here, some, truth, looks, drawn))
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
        failures=_definitions(),
        manifest=_made(manifest),
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
) -> str:
    cards: list[str] = []
    last = {row["method"]: row["epoch"] for row in last_checkpoints(rows)}
    for name, figure in figures(rows, groups, truth, looks).items():
        if name in looks:
            heading, caption = f"{looks[name].name}, epoch {last[name]}", _SCATTER
        else:
            heading, caption = _CAPTIONS[name]
        identifier = f"figure-{index}-{len(cards)}"
        drawn.append({"id": identifier, **figure})
        cards.append(frame.card(identifier, heading, caption, False))
    return tag(
        "section",
        tag("h2", text(SPACE_TITLES[space])),
        _notice(rows),
        coefficient_table(rows, looks),
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


def _definitions() -> str:
    rows = [tag("div", tag("dt", text(k)), tag("dd", text(v))) for k, v in _DEFINITIONS.items()]
    return tag("section", tag("h2", "Definitions"), tag("dl", *rows), id="definitions")


def _made(manifest: Mapping[str, Any]) -> str:
    given = manifest["arguments"]
    cells = "all unique cells" if given["cells"] is None else f"{given['cells']:,} cells per space"
    limit = given["images_limit"]
    images = "all images" if limit is None else f"{limit:,} images"
    first = manifest.get("architectures") is None
    which = "the first in lexicographic order" if first else "drawn at random by the seed"
    count = given.get("labellings", 1)
    some = f"{which}" if count == 1 else f"up to {count}, {which}; its score is their mean"
    if count > 1 and manifest.get("architectures") == "drawn":
        some += " (by an earlier version: some are the same network, see Two architectures)"
    said = (
        f"{given['study']}: {cells}, {images} of the validation half of {manifest['images']}; of "
        f"the architectures of a cell {some}."
    )
    return tag("section", tag("h2", "Made from"), tag("p", text(said)))
