"""The tables of the page on random policies, and the definitions of what is in them."""

from __future__ import annotations

from collections.abc import Iterable

from raynas.analysis.random_policy import (
    DRAWS,
    EQUAL_BUDGET,
    RIVALS,
    WITHOUT_SHARING,
    Comparison,
    Judgement,
    SpaceJudgement,
    wording,
)
from raynas.analysis.statistics import FEWEST, Statement
from raynas.report.markup import tag, text
from raynas.report.styles import Style

_SEVERAL = DRAWS[1:]  # against one draw it is A
_DEFINITIONS = {
    "Accuracy": "Mean test accuracy of the three trainings of a cell at 108 epochs, in percent. "
    "Nothing else is compared: validation accuracies have other values and another order.",
    "Random policy": "Draw one cell and train it. F(x) is the exact probability that a draw has at "
    "most accuracy x, F(x-) that it has less, over all cells of the benchmark: uniform over raw "
    "architectures (what a random sampler does) or over unique cells (what the published "
    "probability counts).",
    "A": "Probability of superiority: that a run is better than the reference, equal accuracies "
    "half. Against a known law it is the mean quantile of the runs, 0.5 by chance, with a BCa "
    "bootstrap interval; between two groups of runs it is U / (n1 n2), with the interval of "
    "Brunner and Munzel.",
    "p": "Two-sided p-value, adjusted by Holm for the number of methods held against the same "
    "reference. Against draws and random search with the same seconds, whose laws are known, it is "
    "of the mean quantile, by the law of a mean of n uniform values; between two groups of runs it "
    f"is of the Mann-Whitney test. Of fewer than {FEWEST} runs there is none.",
    "p of the means": "Two-sided: between groups of runs a permutation test, exact where at most "
    "200,000 splits exist; against draws, simulated. Random draws have a long tail of bad cells, "
    "so means say less than A.",
    "(r / r_max)^n": "The published “probability to surpass random search” (Yu et al., "
    "ICLR 2020): r is the place of the best of the n final cells among all unique cells, counted "
    "from the worst; it is F(best)^n, the probability that the best of n draws is at most as good. "
    "If the method itself were random, this value would be uniform on [0, 1]: it is one minus a "
    "one-sided p-value, so 0.90 is not significant at 5 %, and 0.5 is what chance gives. It hangs "
    "on the single best run.",
    "Best of n": "Probability that the best of n new runs surpasses the best of n "
    "random draws; new runs are drawn from the given ones with replacement, in closed form.",
    "Some draw": "1 - F(best-)^n: probability that the best of n draws is at least "
    "as good as the best run. Not the published probability, but about one minus it.",
    "Best of k": "Probability that one run surpasses the best of k random draws: mean of "
    "(F(x-)^k + F(x)^k) / 2 over the runs.",
    "Random search, same seconds": "Random search that trains as many cells as fit into the "
    "seconds of each run, sees the validation error of one training of each, and returns the best "
    "by that: its exact law. Seconds of one-shot searches are real ones of their device, those of "
    "trainings are the benchmark's, of other hardware.",
    "Without weight sharing": f"{wording.SHARING} Beside the figures stand the mean seconds of "
    "both, where they are recorded. It compares whole procedures and is no statement at equal "
    "cost; at equal seconds a method is held against random search.",
    "Difference": "Mean accuracy of the runs less that of the reference, in percentage points, "
    "with a BCa bootstrap interval over the runs; of few runs it is too narrow.",
    "Equivalence": "Two one-sided t-tests (Welch's between groups of runs): p < 0.05 shows that "
    "the mean accuracies differ by less than the margin. A large p of a test for a difference does "
    "not show that.",
    "Spread": "Brown-Forsythe test of unequal spread.",
    "Variances": "One-way random effects: of the search (between the final cells of seeds), and of "
    "the training (between the three trainings of one cell), as standard deviations in points. "
    "Search sd is 0.00 where the cells of the seeds differ no more than trainings of one cell do. "
    "Where seeds end with the same cell they share its trainings.",
}


def definitions() -> str:
    """What each figure means."""
    rows = [tag("div", tag("dt", text(k)), tag("dd", text(v))) for k, v in _DEFINITIONS.items()]
    return tag("section", tag("h2", "Definitions"), tag("dl", *rows), id="definitions")


def tables(space: SpaceJudgement, looks: dict[str, Style]) -> str:
    """All tables of a space."""
    ordered = sorted(space.methods, key=lambda m: -getattr(m.description, "mean", -1.0))
    parts = [
        tag("h3", "Final cells"),
        _table(
            ("Method", "Runs", "Accuracy", "Best", "Worst", "Search sd", "Training sd"),
            [(m, _described(m)) for m in ordered],
            looks,
        ),
    ]
    for law in space.populations:
        parts.append(tag("h3", text(f"Against random draws: {law.name}")))
        parts.append(
            _table(
                (
                    "Method",
                    "A",
                    "p",
                    "Difference (points)",
                    "p of the means",
                    "Equivalence p",
                    "(r / r_max)^n",
                    "Best of n",
                    "Some draw",
                    *(f"Best of {k}" for k in _SEVERAL),
                ),
                [(m, _drawn(m.comparisons[law.name])) for m in ordered],
                looks,
            )
        )
    for name in (EQUAL_BUDGET, RIVALS, WITHOUT_SHARING):
        members = [
            (m, _compared(m.comparisons[name]) + (_seconds(m) if name == WITHOUT_SHARING else []))
            for m in ordered
            if _shown(m, name)
        ]
        if members:
            parts.append(tag("h3", text(f"Against {name}")))
            heads = (
                "Method",
                "A",
                "p",
                "Difference (points)",
                "p of the means",
                "Equivalence p",
                "Spread p",
                *(("Seconds", "Seconds without") if name == WITHOUT_SHARING else ()),
            )
            parts.append(_table(heads, members, looks))
    return "".join(parts)


def _seconds(method: Judgement) -> list[str]:
    """The mean seconds of a method, and of the same without weight sharing."""
    runs = (method.finals, method.twin)
    return [wording.NONE if one is None else wording.seconds(one) for one in runs]


def _shown(method: Judgement, reference: str) -> bool:
    found = method.comparisons.get(reference)
    return found is not None and not isinstance(found.superiority, Statement)


def _table(
    heads: Iterable[str], rows: Iterable[tuple[Judgement, list[str]]], looks: dict[str, Style]
) -> str:
    head = tag("tr", *(tag("th", text(name), scope="col") for name in heads))
    body = []
    for method, cells in rows:
        label = method.finals.method
        name = tag("span", "", class_="swatch", data_method=label) + text(looks[label].name)
        shown = [tag("td", *_lines(cell)) for cell in cells]
        body.append(tag("tr", tag("th", name, scope="row"), *shown, data_row=label))
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="summary dense")
    return tag("div", table, class_="scroll")


def _lines(cell: str) -> tuple[str, str]:
    value, _, interval = cell.partition(" [")
    return text(value), tag("small", text(f"[{interval}")) if interval else ""


def _described(method: Judgement) -> list[str]:
    found, parts = method.description, method.variance
    if isinstance(found, Statement):
        return [wording.runs(method), *[wording.NONE] * 5]
    deviations = [wording.NONE] * 2
    if not isinstance(parts, Statement):
        deviations = [wording.points(value**0.5) for value in (parts.between, parts.within)]
    return [
        wording.runs(method),
        wording.spread(method),
        wording.points(found.greatest),
        wording.points(found.least),
        *deviations,
    ]


def _drawn(found: Comparison) -> list[str]:
    chances = [wording.NONE] * (3 + len(_SEVERAL))
    if found.surpass is not None:
        given = found.surpass
        values = (given.published, given.best_of_n, given.some_draw)
        chances = [wording.chance(value) for value in values]
        chances += [wording.chance(given.beats[k]) for k in _SEVERAL]
    return [
        wording.superiority(found.superiority),
        wording.p_value(found.p_rank_holm),
        wording.difference(found.difference),
        wording.p_value(found.p_mean_holm),
        wording.same(found),
        *chances,
    ]


def _compared(found: Comparison) -> list[str]:
    spread = found.spread
    return [
        wording.superiority(found.superiority),
        wording.p_value(found.p_rank_holm),
        wording.difference(found.difference),
        wording.p_value(found.p_mean_holm),
        wording.same(found),
        wording.NONE
        if spread is None or isinstance(spread, Statement)
        else wording.p_value(spread.p),
    ]
