"""The tables of the page of a study of settings, and what is said around them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from math import comb
from typing import Any

from raynas.analysis.statistics.comparison import LARGEST_LISTED, SIMULATED
from raynas.report import sensitivity_wording as wording
from raynas.report.content import SPACE_TITLES
from raynas.report.markup import tag, text
from raynas.report.search_sections import BENCHMARK_IMAGES
from raynas.report.styles import Style
from raynas.report.wording import FEWEST_RUNS
from raynas.report.wording import regret as regret_of
from raynas.studies import Claim, StudyGrid

Rows = list[dict[str, Any]]
#: Searches of each of two settings of which all splits are listed.
_MOST_LISTED = next(n for n in count(1) if comb(2 * n + 2, n + 1) > LARGEST_LISTED)
# The published network.
_CHANNELS, _CELLS = 16, 9
_COLUMNS = (
    "Setting",
    "Test regret",
    "Difference",
    "p",
    "One-shot error",
    "Validation",
    "Lowest",
    "Searches",
)
_EFFECTS = {
    "higher": "higher regret",
    "lower": "lower regret",
    "none": "no difference",
    "not lower": "no lower regret",
}
_DEFINITIONS = {
    "Test regret": "Mean test error of the benchmark's trainings of the cell after the last epoch, "
    "less the best of the space, in percentage points; mean over searches with its 95 % BCa "
    "bootstrap interval. With so few searches intervals are too narrow: nominal 95 % are about "
    "71 % at 3, 83 % at 5.",
    "Difference": "Mean test regret less that of the default, with the BCa interval of two "
    "independent samples.",
    "p": "Two-sided permutation test of the difference of the means, adjusted by Holm for the "
    f"settings of one method on one space. Up to {LARGEST_LISTED:,} splits of the searches, which "
    f"is {_MOST_LISTED} of each setting, are all listed; of more {SIMULATED:,} are drawn at "
    "random. Searches with one seed begin with the same weights and see the same batches in all "
    "settings; the test does not use that, so it is on the safe side.",
    "One-shot error": "Error of the shared weights on the validation half of the images after the "
    "last epoch, in percent.",
    "Validation": "Mean validation regret of the same cells.",
    "Lowest": "Mean over searches of the lowest test regret after any epoch. No search "
    "can know it; where it is far below the final regret, the search went past better cells.",
    "Failed searches": "Searches that did not come to their last epoch, for instance because the "
    "loss was no number any more. They are counted and in no other figure, so a setting with which "
    "many fail looks better than it is.",
    "Stable": "What the sources call stable is read as final test regret here.",
}


def limits_notice(manifest: dict[str, Any]) -> str:
    """What a study of this size can show, and what it cannot."""
    search, study = manifest["search"], manifest["study"]
    settings = next(iter(search["settings"].values()))
    images, seeds = search["images"], len(search["seeds"])
    parts = []
    if images["name"] != BENCHMARK_IMAGES:
        parts.append(
            f"the images are {images['title']}, so the effect of a setting on how well the weights "
            "learn is that on an easy task; cutout and weight decay may do something else on "
            "CIFAR-10"
        )
    network = settings["channels"], settings["cells"]
    if network[0] < _CHANNELS or network[1] < _CELLS:
        parts.append(
            f"the network has C = {network[0]} and {network[1]} cells (published: {_CHANNELS} "
            f"and {_CELLS}), so it overfits less"
        )
    scale = [note for note in study["notes"] if note.startswith("all epochs")]
    if scale:
        parts.append(
            f"{scale[0]} ({study['epochs']} for {study['published_epochs']}), so the architecture "
            "moves little and late effects of long searches cannot be seen"
        )
    if seeds < 6:
        parts.append(f"{seeds} search{'es' * (seeds != 1)} per setting find only large differences")
    if not parts:
        return ""
    preset = manifest["arguments"]["preset"]
    shows = (
        "It shows which settings make searches fail, how fast the shared weights learn with each, "
        "and differences in regret that are large. It cannot show whether the published findings "
        "hold: "
    )
    words = f"{'; '.join(parts)}. The published size: --preset paper."
    return tag(
        "div",
        tag("strong", text(f"Size of this study: preset {preset}"), class_="kind"),
        tag("p", text(shows + words)),
        class_="notice warning",
        role="note",
    )


def sensitivity_table(rows: Rows, looks: dict[str, Style]) -> str:
    """The settings of one method on one space."""
    head = tag("tr", *(tag("th", title, scope="col") for title in _COLUMNS))
    least = min((r["test_regret"] for r in rows if r["test_regret"] is not None), default=None)
    body = [_row(row, least, looks) for row in rows]
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="summary")
    notes = tag("p", text(wording.power(rows)), class_="settings")
    return tag("div", table, class_="scroll") + notes


def _row(row: dict[str, Any], least: float | None, looks: dict[str, Style]) -> str:
    setting = row["setting"]
    name = tag("span", "", class_="swatch", data_method=setting) + text(looks[setting].name)
    said = ["default"] if row["default"] else []
    said += [f"for {row['published']}"] if row["published"] != setting else []
    aside = tag("small", text(f" ({', '.join(said)})")) if said else ""
    failed = f" ({row['failed']} failed)" if row["failed"] else ""
    regret, _, ends = wording.value(row, "test_regret").partition(" [")
    bold = "b" if row["test_regret"] == least is not None else "span"
    reason = row["statement"] if row["test_regret_low"] is None else None
    below = f"[{ends}" if ends else reason or ""
    cells = [
        tag("td", tag(bold, text(regret)), tag("small", text(below)) if below else ""),
        _cell("" if row["default"] else wording.difference(row)),
        _cell("" if row["default"] else wording.p_value(row)),
        _cell(wording.value(row, "one_shot_error", 1)),
        *(_cell(regret_of(row[name])) for name in ("validation_regret", "best_test_regret")),
        _cell(f"{row['runs']}{failed}"),
    ]
    return tag("tr", tag("th", name, aside, scope="row"), *cells, data_row=setting)


def _cell(shown: str) -> str:
    first, _, ends = shown.partition(" [")
    return tag("td", text(first), tag("small", text(f"[{ends}")) if ends else "")


def claims_section(
    grid: StudyGrid, rows: Rows, names: dict[str, str], differences: Sequence[str]
) -> str:
    """What the sources say, beside what was measured.

    Args:
        grid: as published.
        rows: of `SENSITIVITY_SCHEMA`.
        names: of methods, as they are shown.
        differences: where the conditions of the study differ from the sources'.
    """
    parts = [tag("h2", "What the sources say, and what was measured")]
    lines = [
        _claim(claim, method, space, rows, names, differences)
        for claim in grid.claims
        for space in dict.fromkeys(row["space"] for row in rows)
        for method in claim.methods
        if any(row["method"] == method for row in rows)
    ]
    if lines:
        parts.append(tag("ul", *lines))
        parts.append(
            tag(
                "p",
                "Difference of final test regret from the default in points, with p after "
                "Holm's correction. Judged by the rules of `python -m raynas.reproduce`, part by "
                f"part: fewer than {FEWEST_RUNS} searches decide nothing, that there is no effect "
                "must be shown by a test of equivalence, and under other conditions than the "
                "source's nothing agrees or disagrees, but for the direction"
                + text(f" (here: {'; '.join(differences)})." if differences else "."),
                class_="settings",
            )
        )
    else:
        parts.append(tag("p", "Of these settings and methods the sources at hand say nothing."))
    parts.append(tag("p", text(f"The grid: {grid.source}")))
    return tag("section", *parts, id="claims")


def _claim(
    claim: Claim,
    method: str,
    space: str,
    rows: Rows,
    names: dict[str, str],
    differences: Sequence[str],
) -> str:
    key = (method, space, claim.setting)
    row = next((r for r in rows if (r["method"], r["space"], r["published"]) == key), None)
    said = f"{claim.text} ({claim.source}; expected: {_EFFECTS[claim.effect]})."
    where = f" {names[method]}, {SPACE_TITLES[space]}, "
    if row is None:
        return tag("li", text(said + where), text(f"{claim.setting}: not run."))
    measured = (
        f"{row['setting']} against the default: {wording.difference(row)} percentage points, "
        f"p {wording.p_value(row)}: "
    )
    return tag(
        "li",
        text(said + where + measured),
        tag("b", text(wording.verdict(claim, row, differences))),
        ".",
    )


def definitions() -> str:
    """What each figure means."""
    rows = [tag("div", tag("dt", text(k)), tag("dd", text(v))) for k, v in _DEFINITIONS.items()]
    return tag("section", tag("h2", "Definitions"), tag("dl", *rows), id="definitions")
