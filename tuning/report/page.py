"""The page of a sweep: one HTML file with everything in it."""

from __future__ import annotations

from typing import Any

from raynas.report import sections
from raynas.report.cell_drawing import draw_cell
from raynas.report.frame import asset, card, method_switches, render
from raynas.report.markup import tag, text, tree
from raynas.report.styles import as_json
from search_spaces.spaces import load_space
from tuning.report import wording
from tuning.report.analysis import (
    Importance,
    improvement,
    rank_correlations,
)
from tuning.report.content import SweepContent
from tuning.report.figures import MAIN, figures
from tuning.report.looks import looks, used

# heading, what to see, and whether the figure takes the whole width
_FIGURES: dict[str, tuple[str, str, bool]] = {
    MAIN: (
        "Tuned against default settings against black-box optimizers",
        "Test regret over simulated time. Step curve: the best cell, by validation error, that the "
        "sweep has found so far; its time is that of all searches and of training every cell "
        "found, one after the other. Marks: searches with new seeds with default and with tuned "
        "settings, each at the time of one search and one training; large: their mean, which "
        "leaves out what tuning and choosing cost. Lines with bands: black-box optimizers, mean "
        "and 95 % interval. Search time is real, on the device named above; training time is "
        "the table's.",
        True,
    ),
    "wall": (
        "Incumbent over wall-clock time",
        "Errors of the best cell so far, as the evaluations ended.",
        False,
    ),
    "epochs": (
        "Incumbent over epochs spent",
        "The same over the epochs trained so far, in the order of proposals.",
        False,
    ),
    "budgets": (
        "All evaluations per budget",
        "Validation error in the benchmark of the final cell of each evaluation.",
        True,
    ),
    "importance": (
        "Importance of each hyperparameter",
        "fANOVA on a random forest: share of the variance of the validation errors that a "
        "hyperparameter explains alone. Dashed: what the largest of all shares reaches in one of "
        "twenty cases when the errors are shuffled. Bars that end left of it say nothing.",
        False,
    ),
    "correlation": (
        "Do budgets agree?",
        "Spearman's rank correlation of the validation errors of the same configurations at two "
        "budgets, with its 95 % interval. Only the better ones were promoted, which lowers it.",
        False,
    ),
    "parallel": (
        "All configurations",
        "One line per configuration, at its largest budget; strong: the best quarter and the "
        "default. Lower is better on the last axis.",
        True,
    ),
    "curves": (
        "Learning curves: the cell",
        "Validation error in the benchmark of the cell after each epoch. Strong: the default and "
        "the chosen configuration.",
        False,
    ),
    "one-shot-curves": (
        "Learning curves: the shared weights",
        "Error of the supernet on the validation images after each epoch.",
        False,
    ),
}


def page(content: SweepContent, found: Importance | None) -> str:
    """The whole page as HTML."""
    drawn: list[dict[str, Any]] = []
    cards = []
    available = figures(content, found)
    for name, (heading, caption, wide) in _FIGURES.items():
        if name in available:
            drawn.append({"id": f"figure-{name}", **available[name]})
            cards.append(card(f"figure-{name}", heading, caption, wide))
    shown = used(content)
    return render(
        {"figures": drawn, "styles": as_json(shown)},
        asset("page.js"),
        title=text(_title(content)),
        kicker=text(_kicker(content)),
        notice=sections.benchmark_box(content.manifest["benchmark"]),
        findings=_findings(content, found),
        navigation="",
        controls=method_switches(shown),
        spaces=tag(
            "section",
            tag("div", *cards[:1], class_="cards"),
            _settings(content),
            _best(content),
            tag("div", *cards[1:], class_="cards"),
        ),
        failures=_failures(content),
        manifest=tag("details", tag("summary", "Manifest"), tree(content.manifest)),
    )


def _title(content: SweepContent) -> str:
    label = looks(content)[content.method].name.removesuffix(", default")
    return f"Tuning {label} on NAS-Bench-1Shot1, space {content.arguments['space']}"


def _kicker(content: SweepContent) -> str:
    kind = content.manifest["benchmark"]["kind"]
    return f"raynas sweep · {kind} benchmark · {str(content.manifest['created'])[:10]}"


def _findings(content: SweepContent, found: Importance | None) -> str:
    lines = (
        wording.helped(improvement(content)),
        wording.chosen(content.finals) if content.finals is not None else None,
        wording.as_search(content),
        wording.mattered(found),
        wording.unsure(rank_correlations(content)),
    )
    return "".join(tag("p", text(line), class_="finding") for line in lines if line)


def _settings(content: SweepContent) -> str:
    arguments, search = content.arguments, content.manifest["search"]
    settings = search["settings"][content.method]
    budgets = ", ".join(map(str, content.budgets)) or "no"
    repeat = arguments["repeat"]
    seen = "mean of the training repeats" if repeat == "mean" else f"training repeat {repeat}"
    line = (
        f"{arguments['algorithm']}, configuration space {arguments['config_space']}, "
        f"{len(content.rows)} evaluations at budgets of {budgets} epochs; promoted configurations "
        f"{'train anew' if arguments['restart'] else 'continue'}. Searches on "
        f"{search['images']['title']} with C = {settings['channels']} and {settings['cells']} "
        f"cells, on {search['device']}. Validation errors: {seen}."
    )
    limits = tag("ul", *(tag("li", text(entry)) for entry in wording.can_show(content)))
    return (
        tag("h2", "The sweep")
        + tag("p", text(line), class_="settings")
        + tag(
            "div", tag("strong", "What this can and cannot show"), limits, class_="notice warning"
        )
    )


def _best(content: SweepContent) -> str:
    best, default = content.best, content.default
    if best is None:
        return tag("p", "Every evaluation failed.", class_="notice warning")
    rows = [
        (axis.name, *(_value(row, axis.name) for row in (default, best))) for axis in content.axes
    ]
    rows += [
        (name.replace("_", " "), *(_value(row, name) for row in (default, best)))
        for name in ("epochs", "validation_error", "test_error", "one_shot_validation_error")
    ]
    head = tag("tr", *(tag("th", title, scope="col") for title in ("", "Default", "Tuned")))
    body = [
        tag("tr", tag("th", text(name), scope="row"), tag("td", text(a)), tag("td", text(b)))
        for name, a, b in rows
    ]
    table = tag("table", tag("thead", head), tag("tbody", *body))
    space: Any = load_space(content.arguments["space"])
    cell = space.cell(space.row_of_hash(best["module_hash"]))
    facts = {"Module hash": best["module_hash"], "Configuration": best["configuration"]}
    drawn = tag(
        "figure",
        tag("div", draw_cell(cell, "tuned-cell"), class_="scroll cell-scroll"),
        tag("figcaption", tag("dl", *(_fact(k, v) for k, v in facts.items()))),
        class_="best-cell",
    )
    how = "least validation error at the largest budget"
    if content.finals is not None:
        how = f"least mean validation error over {content.finals.seeds} new seeds, see below"
    note = (
        f"The configuration with the {how}, beside the default one in the same sweep; the errors "
        "are those of one search each, in the sweep."
    )
    return (
        tag("h3", "The configuration that was chosen")
        + tag("p", note, class_="settings")
        + tag("div", table, class_="scroll", style="max-width:36rem;margin-bottom:1.6rem")
        + _finals(content)
        + tag("h3", "The cell that it found")
        + sections.operations_legend()
        + drawn
    )


def _finals(content: SweepContent) -> str:
    """The table of the finalists; nothing if there were no finals."""
    found = content.finals
    if found is None:
        return ""
    titles = ("Configuration", "In the sweep", "Mean, new seeds", "Best", "Worst", "Failed", "")
    head = tag("tr", *(tag("th", title, scope="col") for title in titles))
    body = []
    for finalist in sorted(found.finalists, key=lambda finalist: finalist.mean):
        known = [error for error in finalist.errors if error is not None]
        errors = [finalist.first_error, finalist.mean, min(known, default=None)]
        shown = ["–" if e is None or e == float("inf") else f"{100 * e:.2f} %" for e in errors]
        worst = f"{100 * max(known):.2f} %" if known else "–"
        failed = str(len(finalist.errors) - len(known))
        number = f"{finalist.configuration}{' (default)' if finalist is found.default else ''}"
        mark = "chosen" if finalist is found.chosen else ""
        cells = (*shown, worst, failed, mark)
        row = [tag("th", text(number), scope="row"), *(tag("td", text(cell)) for cell in cells)]
        body.append(tag("tr", *row))
    table = tag("table", tag("thead", head), tag("tbody", *body))
    note = (
        f"Validation errors in the benchmark. The same {found.seeds} new seeds for all, "
        f"{found.searches} searches of {found.epochs} epochs; none of these seeds is among those "
        "of the comparison above."
    )
    return (
        tag("h3", "Finals")
        + tag("p", text(note), class_="settings")
        + tag("div", table, class_="scroll", style="max-width:48rem;margin-bottom:1.6rem")
    )


def _fact(name: str, value: object) -> str:
    return tag("div", tag("dt", text(name)), tag("dd", text(value)))


def _value(row: dict[str, Any] | None, name: str) -> str:
    value = None if row is None else row[name]
    if value is None:
        return "–"
    return f"{100 * value:.2f} %" if name.endswith("_error") else f"{value:.4g}"


def _failures(content: SweepContent) -> str:
    failed = [row for row in content.rows if row["error"] is not None]
    if not failed:
        return ""
    head = tag("tr", *(tag("th", t) for t in ("Evaluation", "Configuration", "Epochs", "Error")))
    body = [
        tag(
            "tr",
            *(tag("td", text(row[name])) for name in ("evaluation", "configuration", "epochs")),
            tag("td", text(str(row["error"]).strip().splitlines()[-1])),
        )
        for row in failed
    ]
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="failures")
    return tag("section", tag("h2", "Failed evaluations"), tag("div", table, class_="scroll"))
