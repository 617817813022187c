"""The parts of the page that are words and tables. Every text from a study is escaped here."""

from __future__ import annotations

from typing import Any

import numpy as np

from raynas.analysis import anytime
from raynas.analysis.runs import BLACK_BOX, ONE_SHOT, Run
from raynas.report import wording
from raynas.report.cell_drawing import OPERATION_LOOKS, draw_cell
from raynas.report.content import SpaceContent, best_cell, best_run, share_at
from raynas.report.markup import tag, text, tree
from raynas.report.rerun import rerun_command
from raynas.report.studies import Merged, StudyData

KINDS = {
    "official": ("Official table", "Errors and times were measured: real trainings."),
    "surrogate": (
        "Surrogate benchmark",
        "Errors and times are predictions of a fitted model, not trainings. Differences between "
        "methods here are evidence about the model first, about real training second.",
    ),
    "synthetic": (
        "Synthetic benchmark",
        "The figures are made up for testing. They say nothing about neural networks.",
    ),
}


def benchmark_notice(merged: Merged) -> str:
    """Which benchmark the figures come from, loudly; one notice per benchmark."""
    known: dict[str, StudyData] = {}
    for study in merged.studies:
        known.setdefault(study.benchmark["sha256"], study)
    notices = [benchmark_box(study.benchmark) for study in known.values()]
    if len(known) > 1:
        names = "; ".join(f"{s.name}: {s.benchmark['name']}" for s in merged.studies)
        notices.append(
            tag(
                "p",
                text(
                    "The studies on this page rest on different benchmarks, so their regrets are "
                    f"measured from different zeros. {names}."
                ),
                class_="notice warning",
                role="note",
            )
        )
    return "".join(notices)


def benchmark_box(benchmark: dict[str, Any]) -> str:
    """What kind of figures a benchmark has, from its entry in a manifest."""
    title, meaning = KINDS.get(benchmark["kind"], (str(benchmark["kind"]), ""))
    name = f"Benchmark: {benchmark['name']} (sha256 {str(benchmark['sha256'])[:12]})."
    fidelity = benchmark.get("metadata", {}).get("fidelity")
    return tag(
        "div",
        tag("strong", text(title), class_="kind"),
        tag("p", text(f"{meaning} {name}"), _fidelity(fidelity)),
        class_=f"notice {'official' if benchmark['kind'] == 'official' else 'model'}",
        role="note",
    )


def _fidelity(fidelity: Any) -> str:
    if not fidelity:
        return ""
    return tag(
        "details",
        tag("summary", "How well it predicts real trainings"),
        tree(fidelity),
    )


def best_cell_figure(content: SpaceContent, identifier: str) -> str:
    """The final incumbent with the lowest mean validation error, as a graph."""
    best, cell = best_run(content), best_cell(content)
    if best is None or cell is None:
        return tag("p", "No run found a cell.")
    return tag(
        "figure",
        tag("div", draw_cell(cell, identifier), class_="scroll cell-scroll"),
        tag("figcaption", tag("dl", *_cell_facts(content, best))),
        class_="best-cell",
    )


def _cell_facts(content: SpaceContent, best: Run) -> list[str]:
    finders = [
        f"{content.styles[label].name} ({count} of {len(members)})"
        for label, members in content.groups.items()
        if (count := sum(run.cell == best.cell for run in members))
    ]
    error = float(best.test_error[-1])
    facts = {
        "Validation error": f"{wording.percent(float(best.validation_error[-1]))}, "
        f"{wording.regret(float(best.validation_regret[-1]))} percentage points above the best",
        "Test error": f"{wording.percent(error)}, "
        f"{wording.regret(float(best.test_regret[-1]))} percentage points above the best",
    }
    if content.distribution is not None:
        share = share_at(content.distribution, np.array([error]))[0]
        facts["Place"] = f"{100 * share:.3g} % of the space's cells have at most this test error"
    facts["Runs that end with it"] = ", ".join(finders)
    facts["Module hash"] = str(best.cell)
    return [tag("div", tag("dt", text(k)), tag("dd", text(v))) for k, v in facts.items()]


def operations_legend() -> str:
    """The colours of the operations."""
    return tag(
        "p",
        *(
            tag("span", tag("i", "", style=f"background:{fill}"), text(label), class_="operation")
            for name, (label, fill, _) in OPERATION_LOOKS.items()
            if name not in ("input", "output")
        ),
        class_="operations",
    )


def manifest_section(merged: Merged) -> str:
    """Each study's manifest, folded, and the command that runs it again."""
    parts = [tag("h2", "How this was made")]
    for study in merged.studies:
        command = rerun_command(study.manifest)
        parts += [
            tag("h3", text(study.name)),
            tag("p", text(_course(study))),
            tag(
                "div",
                tag("pre", tag("code", text(command))),
                tag("button", "Copy", type="button", class_="copy"),
                class_="command",
            ),
            tag("details", tag("summary", "Manifest"), tree(study.manifest)),
        ]
    return tag("section", *parts, id="manifest")


def _course(study: StudyData) -> str:
    manifest = study.manifest
    version = manifest.get("raynas_version") or "unknown"
    course = f"Started {manifest['created']}{_resumed(manifest)}, finished {manifest['finished']}"
    return f"{course}, raynas {version}. To run it again:"


def _resumed(manifest: dict[str, Any]) -> str:
    """How often a study was continued, and whether with what it was started with."""
    entries = manifest.get("resumed") or []
    if not entries:
        return ""
    others = sum(entry["versions"] != manifest["versions"] for entry in entries)
    words = f", resumed {wording.counted(len(entries), 'time')}"
    return words + (f" ({others} with other package versions)" if others else "")


_RULES = {
    "validation": "The incumbent is the best by the validation error that the method saw, among "
    "evaluations at the largest budget reached; its errors are means over training repeats.",
    "oracle": "Oracle incumbents: the evaluation with the lowest test error of its own, which no "
    "search can know. Errors are its own; regrets are against the best single training.",
}


_CURRENT = (
    "Of a one-shot search the cell after its last epoch counts: a search does not know which of "
    "its epochs was the best. Its errors are means over training repeats."
)


def notes(content: SpaceContent) -> list[str]:
    """What a reader must know of the figures of a space: rules used and parts missing."""
    rules = dict.fromkeys(str(s.manifest["arguments"].get("incumbent")) for s in content.studies)
    found = [_RULES[rule] for rule in rules if rule in _RULES and BLACK_BOX in content.families]
    if ONE_SHOT in content.families:
        found.append(_CURRENT)
    if not content.exact:
        found.append("The exact curve of random search is not known for this space or study.")
    if content.distribution is None:
        found.append("The study has no error distribution of this space.")
    return found


_LASTS = {
    BLACK_BOX: "runs last {} of simulated training",
    ONE_SHOT: "searches take {} of real time",
}


def common_settings(content: SpaceContent) -> str:
    """Runs, evaluations and rules of the runs of a space, in one line."""
    runs = sum(len(members) for members in content.groups.values())
    counts = wording.counted(len(content.groups), "method"), wording.counted(runs, "run")
    parts = [", ".join(counts)]
    known = [s.manifest.get("tables", {}).get(content.name, {}) for s in content.studies]
    if known and known[0].get("num_unique"):
        table = known[0]
        parts.append(
            f"{table['num_unique']:,} unique cells, best mean test error "
            f"{wording.percent(table['best_test_error'])}, best mean validation error "
            f"{wording.percent(table['best_validation_error'])}"
        )
    for family, groups in content.families.items():
        finals = [anytime.final(members, "seconds") for members in groups.values()]
        parts.append(_LASTS[family].format(_span(np.concatenate(finals))))
    return "; ".join(parts) + "."


def _span(seconds: np.ndarray) -> str:
    low, high = wording.duration(float(seconds.min())), wording.duration(float(seconds.max()))
    return low if low == high else f"{low} to {high}"
