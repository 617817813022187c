"""The part of the page on one-shot searches: settings, table, and the look inside one search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from raynas.analysis.runs import ONE_SHOT
from raynas.analysis.searches import SearchRun, choices
from raynas.report import wording
from raynas.report.cell_drawing import draw_cell
from raynas.report.content import SpaceContent
from raynas.report.markup import tag, text
from search_spaces.spaces import load_space

BENCHMARK_IMAGES = "cifar10"
ROW_PIXELS, PLOT_MARGINS = 15, 130
_COMMON = ("epochs", "channels", "cells", "batch_size", "precision")
_COUNTED = ("epochs", "cells")
_WORDS = {
    "epochs": "{} epoch",
    "channels": "C = {}",
    "cells": "{} cell",
    "batch_size": "batches of {}",
    "precision": "{}",
}


def devices(content: SpaceContent) -> str:
    """Where the searches ran, in words."""
    groups = content.families.get(ONE_SHOT, {})
    return ", ".join(dict.fromkeys(run.device for runs in groups.values() for run in runs))


def search_notices(content: SpaceContent) -> str:
    """On what, how large and where the searches were; a warning where the images differ."""
    if ONE_SHOT not in content.families:
        return ""
    return search_facts([study.manifest for study in content.studies])


def search_facts(manifests: Sequence[dict[str, Any]]) -> str:
    """The same from the manifests of studies; those without searches are left out."""
    found = [manifest for manifest in manifests if manifest.get("search")]
    parts = [tag("p", text(line), class_="settings") for line in dict.fromkeys(map(_line, found))]
    images = [m["search"]["images"] for m in found if "images" in m["search"]]
    other = dict.fromkeys(str(i["title"]) for i in images if i.get("name") != BENCHMARK_IMAGES)
    if other:
        parts.append(
            tag(
                "p",
                text(
                    f"The searches saw {' and '.join(other)}; the benchmark knows how the cells "
                    "do on CIFAR-10. Regrets here say how well an architecture found on one set "
                    "of images does on another."
                ),
                class_="notice warning",
                role="note",
            )
        )
    return "".join(parts)


def _line(manifest: dict[str, Any]) -> str:
    search = manifest["search"]
    settings = list(search.get("settings", {}).values())
    parts = []
    for name in _COMMON:
        values = dict.fromkeys(str(s[name]) for s in settings if name in s)
        if values:
            plural = "" if name not in _COUNTED or list(values) == ["1"] else "s"
            parts.append(_WORDS[name].format(" or ".join(values)) + plural)
    title = search.get("images", {}).get("title", "unknown images")
    where = " and ".join(manifest.get("gpus", ())) or search.get("device") or "an unknown device"
    return f"Searched on {title} with {', '.join(parts)}, on {where}."


def clock_note(content: SpaceContent) -> str:
    """What the seconds of one-shot methods are, for captions; empty without such methods."""
    if ONE_SHOT not in content.families:
        return ""
    note = (
        f"One-shot methods: real seconds of search so far, on {devices(content)}; the cell is the "
        "current epoch's, not the best so far."
    )
    if len(content.families) > 1:
        note = (
            "Black-box methods: training seconds that the benchmark's table has for their "
            f"evaluations. {note} The two clocks do not measure the same thing, and the time to "
            "train the found cell is in neither."
        )
    return note


def explorer(content: SpaceContent, index: int) -> str:
    """The look inside one search; without the page's script it shows the first one's last cell."""
    runs = [run for members in content.searches.values() for run in members]
    if not runs:
        return ""
    return tag(
        "section",
        tag("h3", "Inside one search"),
        tag(
            "p",
            "The discretised cell after each epoch, and the architecture parameters that it "
            "follows from. Drag the slider, or select it and use the arrow keys.",
            class_="settings",
        ),
        _controls(content, runs[0], index),
        _cell(runs[0], index),
        tag("p", "", class_="settings without", hidden="hidden"),
        tag("div", *_plots(content, index), class_="cards parameters")
        if any(run.alphas for run in runs)
        else "",
        class_="explorer",
        id=f"explorer-{index}",
        aria_label="Inside one search",
    )


def _controls(content: SpaceContent, run: SearchRun, index: int) -> str:
    methods = [
        tag("option", text(content.styles[label].name), value=label) for label in content.searches
    ]
    seeds = [tag("option", text(r.seed), value=r.seed) for r in content.searches[run.method]]
    last = int(run.epochs[-1])
    names = {role: f"explorer-{index}-{role}" for role in ("method", "seed", "epoch")}
    slider = (
        f'<input type="range" id="{names["epoch"]}" class="epoch" min="{int(run.epochs[0])}" '
        f'max="{last}" step="1" value="{last}">'
    )
    return tag(
        "div",
        tag("label", "Method", for_=names["method"]),
        tag("select", *methods, id=names["method"], class_="method"),
        tag("label", "Seed", for_=names["seed"]),
        tag("select", *seeds, id=names["seed"], class_="seed"),
        tag("label", "Epoch", for_=names["epoch"]),
        slider,
        tag("output", f"{last} of {last}", for_=names["epoch"]),
        class_="explorer-controls",
    )


def _cell(run: SearchRun, index: int) -> str:
    space = load_space(run.space)
    drawn = draw_cell(space.cell(space.row_of_hash(run.hashes[-1])), f"explorer-{index}")
    facts = {
        "test": ("Test regret", f"{wording.regret(run.test_regret[-1])} percentage points"),
        "validation": (
            "Validation regret",
            f"{wording.regret(run.validation_regret[-1])} percentage points",
        ),
        "accuracy": ("One-shot accuracy", wording.percent(1 - run.one_shot_error[-1])),
        "seconds": ("Search time so far", wording.duration(run.seconds[-1])),
        "since": ("Cell in these epochs", "–"),
        "hash": ("Module hash", run.hashes[-1]),
    }
    rows = [
        tag("div", tag("dt", name), tag("dd", text(value), data_fact=key))
        for key, (name, value) in facts.items()
    ]
    return tag(
        "figure",
        tag("div", drawn, class_="scroll cell-scroll"),
        tag("figcaption", tag("dl", *rows)),
        class_="best-cell",
    )


def _plots(content: SpaceContent, index: int) -> list[str]:
    decisions = choices(content.name)
    rows = len(decisions) + sum(len(choice.options) for choice in decisions)
    height = f"height:{rows * ROW_PIXELS + PLOT_MARGINS}px"
    return [
        tag(
            "figure",
            tag("h3", heading),
            tag(
                "div",
                "",
                id=f"explorer-{index}-{name}",
                class_="plot",
                role="img",
                aria_label=heading,
                style=height,
            ),
            tag("figcaption", caption),
            class_="card",
        )
        for name, heading, caption in (
            (
                "alphas",
                "Architecture parameters over epochs",
                "Each row is a parameter less the mean of its choice, which a softmax does not "
                "see. Dots: what the discretised cell takes. Click a column to go to its epoch.",
            ),
            (
                "entropy",
                "Entropy of each choice over epochs",
                "Entropy of the softmax weights of a choice, as a share of the largest possible: "
                "1 is undecided, 0 decided. Colour: block; solid: operation, dotted: inputs.",
            ),
        )
    ]


SEARCH_COLUMNS = (
    "Method",
    "Test regret",
    "Median",
    "Validation",
    "One-shot error",
    "Cells seen",
    "Search time",
    "Rank",
    "Runs",
    "Epochs",
)


def search_table(content: SpaceContent, labels: list[str], rows: dict[str, Any]) -> str:
    """Final figures of the one-shot methods.

    Args:
        content: of the space.
        labels: the methods, in the order of the rows.
        rows: label -> row of `SUMMARY_SCHEMA` at the end.
    """
    least = min(
        (v for label in labels if (v := rows[label]["mean_test_regret"]) is not None),
        default=np.nan,
    )
    head = tag("tr", *(tag("th", title, scope="col") for title in SEARCH_COLUMNS))
    body = [_row(content, label, rows[label], least) for label in labels]
    caption = (
        "At the last epoch: mean test regret in percentage points with its 95 % bootstrap interval "
        "(bold: lowest), median test regret, mean validation regret, mean error of the shared "
        "weights on the validation images, distinct cells that a run went through, real seconds "
        f"of search on {devices(content)}, and the mean rank among the one-shot methods."
    )
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="summary")
    return tag("p", text(caption), class_="settings") + tag("div", table, class_="scroll")


def _row(content: SpaceContent, label: str, final: dict[str, Any], least: float) -> str:
    regret = final["mean_test_regret"]
    shown = tag("b" if regret == least else "span", text(wording.regret(regret)))
    searches = content.searches.get(label, [])
    failed = f" ({final['failed']} failed)" if final["failed"] else ""
    values = (
        wording.regret(final["median_test_regret"]),
        wording.regret(final["mean_validation_regret"]),
        _mean([100 * run.one_shot_error[-1] for run in searches], "{:.2f} %"),
        _mean([len(set(run.hashes)) for run in searches], "{:.1f}"),
        wording.duration(final["mean_seconds"]),
        "–" if final["mean_rank"] is None else f"{final['mean_rank']:.2f}",
        f"{final['runs']}{failed}",
        _mean([len(run.epochs) for run in searches], "{:g}"),
    )
    name = tag("span", "", class_="swatch", data_method=label) + text(content.styles[label].name)
    return tag(
        "tr",
        tag("th", name, scope="row"),
        tag("td", shown, tag("small", text(wording.interval(final)))),
        *(tag("td", text(value)) for value in values),
        data_row=label,
    )


def _mean(values: list[float], form: str) -> str:
    return form.format(float(np.mean(values))) if values else "–"
