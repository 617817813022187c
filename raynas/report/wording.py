"""Numbers and findings in words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from raynas.analysis import anytime, statistics
from raynas.analysis.runs import BLACK_BOX, ONE_SHOT
from raynas.report.content import SpaceContent

Row = dict[str, Any]
_CLOCKS = {BLACK_BOX: "simulated training", ONE_SHOT: "real search"}
# A bootstrap of fewer runs is too narrow to say that a difference is more than chance.
FEWEST_RUNS = 5
_LEVEL = "95\u00a0%"


def regret(value: float | None) -> str:
    """A regret in percentage points, with three decimals as the console has them."""
    if value is None or math.isnan(value):
        return "–"
    return f"{100 * value:.3f}"


def percent(error: float) -> str:
    """An error or accuracy as a percentage."""
    return f"{100 * error:.2f} %"


def duration(seconds: float) -> str:
    """Seconds in the unit that a person would choose."""
    for size, unit in ((86400 * 2, "days"), (3600 * 2, "hours"), (120, "minutes")):
        if seconds >= size:
            return f"{seconds / {'days': 86400, 'hours': 3600, 'minutes': 60}[unit]:.1f} {unit}"
    return f"{seconds:.3g} seconds"


def counted(number: float, noun: str) -> str:
    """A number of things: "1 run", "2 runs"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def interval(row: Row) -> str:
    """The interval of a summary row, or why there is none."""
    if row["ci_low"] is None:
        return "no interval"
    return f"{regret(row['ci_low'])} – {regret(row['ci_high'])}"


def finals(content: SpaceContent) -> list[Row]:
    """The rows of the final checkpoint, best mean first; methods without a value left out."""
    rows = [
        row
        for row in content.summary
        if row["checkpoint"] == "final" and row["mean_test_regret"] is not None
    ]
    return sorted(rows, key=lambda row: float(str(row["mean_test_regret"])))


def findings(content: SpaceContent) -> list[str]:
    """Who won in each family, by how much, and whether that is more than chance."""
    groups = content.families
    if len(groups) == 1:
        return [_finding(content, *groups)]
    return [f"{family.capitalize()} methods: {_finding(content, family)}" for family in groups]


def _finding(content: SpaceContent, family: str) -> str:
    rows = [row for row in finals(content) if row["method"] in content.families[family]]
    if not rows:
        return "No run finished an evaluation successfully."
    best = rows[0]
    name = content.styles[best["method"]].name
    text = (
        f"{name} ends with the lowest mean test regret, {regret(best['mean_test_regret'])} "
        f"percentage points ({_certainty(best)}, {_runs(best)}), after "
        f"{duration(best['mean_seconds'])} of {_CLOCKS[family]}."
    )
    if len(rows) == 1:
        return text
    return f"{text} {_comparison(content, rows)}"


def _certainty(row: Row) -> str:
    if row["ci_low"] is None:
        return "no interval: too few distinct runs"
    return f"{_LEVEL} interval {interval(row)}"


def _runs(row: Row) -> str:
    return counted(row["runs_with_value"], "run")


def _comparison(content: SpaceContent, rows: list[Row]) -> str:
    second = rows[1]
    alike = _indistinguishable(content, rows)
    runner = content.styles[second["method"]].name
    text = f"Next is {runner} with {regret(second['mean_test_regret'])}."
    if alike is None:
        return f"{text} With so few runs the order may be chance."
    if not alike:
        return f"{text} The {_LEVEL} intervals of its lead over the other methods exclude zero."
    if len(alike) == len(rows) - 1 > 1:
        return f"{text} The runs do not tell it apart from any other method ({_LEVEL})."
    return f"{text} The runs do not tell it apart from {_listing(alike)} ({_LEVEL})."


def _indistinguishable(content: SpaceContent, rows: list[Row]) -> list[str] | None:
    """Methods whose mean may equal the best one's; None if the runs are too few to say."""
    if min(int(row["runs_with_value"]) for row in rows) < FEWEST_RUNS:
        return None
    values = {row["method"]: _final_values(content, row["method"]) for row in rows}
    best = values[rows[0]["method"]]
    names = []
    for row in rows[1:]:
        low, high = statistics.difference_interval(values[row["method"]], best)
        if math.isnan(low):
            return None
        if low <= 0 <= high:
            names.append(content.styles[row["method"]].name)
    return names


def _final_values(content: SpaceContent, label: str) -> np.ndarray:
    return anytime.final(content.groups[label], "test_regret")


def _listing(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
