"""The page: one HTML file with everything in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from raynas.report import search_sections, sections, tables, wording
from raynas.report.content import SpaceContent
from raynas.report.figures import figures
from raynas.report.frame import asset, card, method_switches, render, statistic_switch
from raynas.report.markup import tag, text
from raynas.report.search_explorer import explorer_data
from raynas.report.search_figures import search_figures
from raynas.report.studies import Merged
from raynas.report.styles import as_json

Cards = dict[str, tuple[str, str, bool]]
# heading, what to see, and whether the figure takes the whole width
_FIGURES: Cards = {
    "test-regret": (
        "Test regret over time",
        "Test error of the incumbent above the best of the space. A curve begins when all its runs "
        "have a result, and a regret of zero is drawn at the lower edge.",
        True,
    ),
    "validation-regret": (
        "Validation regret over time",
        "The same for the validation error of the incumbent.",
        False,
    ),
    "rank": (
        "Mean rank over time",
        "Methods ranked by test regret within each seed; rank 1 is best. A run without a result "
        "yet ranks last.",
        False,
    ),
    "final-regret": (
        "Final test regret",
        "Every point is a run; box: quartiles and median; diamond: mean with its 95 % interval.",
        False,
    ),
    "distribution": (
        "Where the final cells lie in the space",
        "Line: share of all unique cells whose test error is at most that far above the best. "
        "Marks: the cells that runs ended with, larger for more runs.",
        False,
    ),
}
_SEARCH_FIGURES: Cards = {
    "search-test-regret": (
        "Test regret and one-shot error over epochs",
        "Solid, left axis: test regret of each epoch's discretised cell. Dotted, right axis: error "
        "of the shared weights on the validation images. Where the dotted lines fall and the solid "
        "ones do not, the supernet learns without finding better cells.",
        True,
    ),
    "search-validation-regret": (
        "Validation regret and one-shot error over epochs",
        "The same with the validation regret of each epoch's cell.",
        False,
    ),
    "search-entropy": (
        "Entropy over epochs",
        "Mean over all choices of the entropy of their softmax weights, as a share of the largest "
        "possible: 1 is undecided, 0 decided.",
        False,
    ),
}


def page(merged: Merged, content: Sequence[SpaceContent]) -> str:
    """The whole page as HTML."""
    drawn: list[dict[str, Any]] = []
    parts = [_space_section(space, i, drawn) for i, space in enumerate(content)]
    looks = {label: style for space in content for label, style in space.styles.items()}
    data: dict[str, Any] = {"figures": drawn, "styles": as_json(looks)}
    script = asset("page.js")
    if any(space.searches for space in content):
        data["explorers"] = [
            explorer_data(space, f"explorer-{i}")
            for i, space in enumerate(content)
            if space.searches
        ]
        script = asset("searches.js") + script
    return render(
        data,
        script,
        title=text(_title(content)),
        kicker=text(_kicker(merged)),
        notice=sections.benchmark_notice(merged),
        findings=_findings(content),
        navigation=_navigation(content),
        controls=method_switches(looks) + statistic_switch(),
        spaces="".join(parts),
        failures=tables.failures_table(merged),
        manifest=sections.manifest_section(merged),
    )


def _title(content: Sequence[SpaceContent]) -> str:
    methods = {label for space in content for label in space.groups}
    spaces = _spaces(content)
    if len(methods) == 1:
        [label] = methods
        return f"{content[0].styles[label].name} on {spaces}"
    return f"{len(methods)} architecture search methods on {spaces}"


def _spaces(content: Sequence[SpaceContent]) -> str:
    """Titles with what they share said once: "NAS-Bench-1Shot1, space 1, space 3"."""
    groups: dict[str, list[str]] = {}
    for space in content:
        family, _, rest = space.title.partition(", ")
        groups.setdefault(family, []).extend([rest] if rest else [])
    return " and ".join(", ".join([family, *parts]) for family, parts in groups.items())


def _kicker(merged: Merged) -> str:
    kinds = sorted({study.benchmark["kind"] for study in merged.studies})
    days = sorted({str(study.manifest["created"])[:10] for study in merged.studies})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return f"raynas report · {', '.join(kinds)} benchmark · {when}"


def _findings(content: Sequence[SpaceContent]) -> str:
    several = len(content) > 1
    return "".join(
        tag(
            "p",
            tag("b", text(f"{space.title}. ")) if several else "",
            text(words),
            class_="finding",
        )
        for space in content
        for words in wording.findings(space)
    )


def _navigation(content: Sequence[SpaceContent]) -> str:
    if len(content) == 1:
        return ""
    links = [tag("a", text(s.title), href=f"#space-{i}") for i, s in enumerate(content)]
    return tag("nav", *links, aria_label="Spaces")


def _space_section(space: SpaceContent, index: int, drawn: list[dict[str, Any]]) -> str:
    cards = _cards(_FIGURES, figures(space), index, drawn, _asides(space))
    return tag(
        "section",
        tag("h2", text(space.title)),
        tag("p", text(sections.common_settings(space)), class_="settings"),
        *(tag("p", text(note), class_="settings") for note in sections.notes(space)),
        search_sections.search_notices(space),
        tables.summary_tables(space),
        tag("div", *cards, class_="cards"),
        _searches(space, index, drawn),
        tag("h3", "Best cell found (by validation error)"),
        sections.operations_legend(),
        sections.best_cell_figure(space, f"cell-{index}"),
        class_="space",
        id=f"space-{index}",
    )


def _asides(space: SpaceContent) -> dict[str, str]:
    """What the captions of a space with one-shot methods add."""
    clock = search_sections.clock_note(space)
    ranked = f"Only {space.rank_family} methods: ranks need one clock." if clock else ""
    return {"test-regret": clock, "rank": ranked if len(space.families) > 1 else ""}


def _searches(space: SpaceContent, index: int, drawn: list[dict[str, Any]]) -> str:
    if not space.searches:
        return ""
    return (
        tag("h3", "One-shot searches, epoch by epoch")
        + tag("div", *_cards(_SEARCH_FIGURES, search_figures(space), index, drawn), class_="cards")
        + search_sections.explorer(space, index)
    )


def _cards(
    wanted: Cards,
    available: dict[str, dict[str, Any]],
    index: int,
    drawn: list[dict[str, Any]],
    asides: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """A card for each figure that there is; the figures are added to `drawn`."""
    cards = []
    for name, (heading, caption, wide) in wanted.items():
        if name in available:
            identifier = f"figure-{index}-{name}"
            drawn.append({"id": identifier, **available[name]})
            words = f"{caption} {asides.get(name, '')}".strip()
            cards.append(card(identifier, heading, words, wide))
    return cards
