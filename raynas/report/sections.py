"""The parts of the page that are words and tables. Every text from a study is escaped here."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pyarrow.compute as pc

from raynas.analysis import anytime
from raynas.analysis.runs import Run
from raynas.analysis.summary import CHECKPOINTS
from raynas.report import wording
from raynas.report.cell_drawing import OPERATION_LOOKS, draw_cell
from raynas.report.content import SpaceContent, best_cell, best_run, share_at
from raynas.report.studies import Merged, StudyData

MOST_FAILURES = 20
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


def tag(name: str, *children: str, **attributes: object) -> str:
    """An HTML element. Attribute values are escaped, children are HTML already."""
    listed = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value), quote=True)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{listed}>{''.join(children)}</{name}>"


def text(value: object) -> str:
    """Anything as escaped text."""
    return escape(str(value))


# -------------------------------------------------------------------------------------- benchmark


def benchmark_notice(merged: Merged) -> str:
    """Which benchmark the figures come from, loudly; one notice per benchmark."""
    known: dict[str, StudyData] = {}
    for study in merged.studies:
        known.setdefault(study.benchmark["sha256"], study)
    notices = [_notice(study.benchmark) for study in known.values()]
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


def _notice(benchmark: dict[str, Any]) -> str:
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


# ------------------------------------------------------------------------------------------ tables


def summary_table(content: SpaceContent) -> str:
    """Mean test regret at the checkpoints and the final figures, one row per method."""
    rows = {(str(r["method"]), str(r["checkpoint"])): r for r in content.summary}
    best = {c: _least(content, rows, c) for c in CHECKPOINTS}
    names = [c if c == "final" else f"10{_power(c)} s" for c in CHECKPOINTS]
    head = tag(
        "tr",
        *(
            tag("th", title, scope="col")
            for title in ("Method", *names, "Median", "Validation", "Rank", "Runs", "Evaluations")
        ),
    )
    body = [_summary_row(content, rows, label, best) for label in _by_final(content, rows)]
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


def _by_final(content: SpaceContent, rows: dict[tuple[str, str], Any]) -> list[str]:
    def key(label: str) -> float:
        value = rows[label, "final"]["mean_test_regret"]
        return np.inf if value is None else float(value)

    return sorted(content.groups, key=key)


def _least(content: SpaceContent, rows: dict[tuple[str, str], Any], checkpoint: str) -> float:
    values = [rows[label, checkpoint]["mean_test_regret"] for label in content.groups]
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


# --------------------------------------------------------------------------------------- best cell


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


# ---------------------------------------------------------------------------------------- manifest


def manifest_section(merged: Merged) -> str:
    """Each study's manifest, folded, and the command that runs it again."""
    parts = [tag("h2", "How this was made")]
    for study in merged.studies:
        command = wording.rerun_command(study.manifest)
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
    course = f"Started {manifest['created']}, finished {manifest['finished']}"
    return f"{course}, raynas {version}. To run it again:"


def tree(value: Any) -> str:
    """Nested mappings and lists, readable: definition lists within definition lists."""
    if isinstance(value, dict):
        rows = [tag("div", tag("dt", text(k)), tag("dd", tree(v))) for k, v in value.items()]
        return tag("dl", *rows, class_="tree")
    if isinstance(value, list):
        if any(isinstance(item, dict | list) for item in value):
            return tag("ol", *(tag("li", tree(item)) for item in value), class_="tree")
        return text(_sequence(value))
    return text("–" if value is None else value)


def _sequence(values: list[Any]) -> str:
    """Long runs of consecutive numbers shortened: 0 … 499."""
    whole = len(values) > 12 and all(isinstance(v, int) for v in values)
    if whole and values == list(range(values[0], values[0] + len(values))):
        return f"{values[0]} … {values[-1]}"
    return ", ".join(map(str, values))


def common_settings(content: SpaceContent) -> str:
    """Runs, evaluations and rules of the runs of a space, in one line."""
    runs = sum(len(members) for members in content.groups.values())
    parts = [f"{len(content.groups)} methods, {runs} runs"]
    known = [s.manifest.get("tables", {}).get(content.name, {}) for s in content.studies]
    if known and known[0].get("num_unique"):
        table = known[0]
        parts.append(
            f"{table['num_unique']:,} unique cells, best mean test error "
            f"{wording.percent(table['best_test_error'])}, best mean validation error "
            f"{wording.percent(table['best_validation_error'])}"
        )
    finals = [anytime.final(members, "seconds") for members in content.groups.values()]
    parts.append(f"runs last {_span(np.concatenate(finals))} of simulated training")
    return "; ".join(parts) + "."


def _span(seconds: np.ndarray) -> str:
    low, high = wording.duration(float(seconds.min())), wording.duration(float(seconds.max()))
    return low if low == high else f"{low} to {high}"
