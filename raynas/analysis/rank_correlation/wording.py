"""What is said of coefficients, on the console, the page and in artefacts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from raynas.analysis.rank_correlation.scale import ALL

Row = dict[str, Any]
Target = tuple[str, int]
"""Quantity and epochs of the truth."""


def main_of(rows: Sequence[Row]) -> Target:
    """Test accuracy at the largest budget, if there is any."""
    return max(targets_of(rows), key=lambda target: (target[0] == "test", target[1]))


def targets_of(rows: Sequence[Row]) -> list[Target]:
    """Validation and test accuracy at each budget that there is, by budget."""
    targets = {(row["quantity"], row["budget"]) for row in rows}
    return sorted(targets, key=lambda target: (target[1], target[0] == "test"))


def last_checkpoints(rows: Sequence[Row]) -> list[Row]:
    """The rows of the last epoch of each method."""
    last: dict[str, int] = {}
    for row in rows:
        last[row["method"]] = max(row["epoch"], last.get(row["method"], 0))
    return [row for row in rows if row["epoch"] == last[row["method"]]]


def agreements(rows: list[Row]) -> list[str]:
    """How well two architectures of a cell agree, a sentence for each rule and statistics."""
    kept = [row for row in rows if (row["subset"], row["measure"]) == (ALL, "kendall")]
    lines = []
    for (rule, statistics), group in grouped(kept, ("rule", "statistics")).items():
        found = [
            f"{labelling_tau(row)} with {row['method']} at epoch {row['epoch']}"
            for row in group
            if row["labelling_tau"] is not None
        ]
        if found:
            lines.append(
                f"{rule} rule, {statistics} statistics: two architectures of the same cell agree "
                f"with tau {', '.join(found)}, over the {group[0]['cells_with_several']:,} cells "
                "of which several were scored"
            )
    return lines


def averages(rows: Sequence[Row]) -> list[str]:
    """Tau over the last checkpoints, a sentence for each rule and statistics.

    Args:
        rows: of one space, see `LATE_SCHEMA`.
    """
    kept = [row for row in rows if row["measure"] == "kendall"]
    lines = []
    for (rule, statistics), group in grouped(kept, ("rule", "statistics")).items():
        each = [_average(row) for row in group if row["value"] is not None]
        none = [row["method"] for row in group if row["value"] is None]
        if each:
            lines.append(
                f"{rule} rule, {statistics} statistics: averaged over the last three checkpoints "
                f"of each seed tau is {', '.join(each)}"
                + (f"; none of the seeds of {', '.join(none)} has all three" if none else "")
            )
    return lines


def _average(row: Row) -> str:
    epochs = ", ".join(map(str, row["epochs"]))
    used = "" if row["seeds_used"] == row["seeds"] else f"; {seeds(row)} seeds"
    apart = f"; up to {number(row['widest'])} apart"
    return f"{interval(row)} with {row['method']} (epochs {epochs}{used}{apart})"


def labelling_tau(row: Row) -> str:
    """How well two architectures of a cell agree, with its interval."""
    return _with_ends(row["labelling_tau"], row["labelling_low"], row["labelling_high"])


def notices(rows: list[Row]) -> list[str]:
    """What makes correlations of one space weaker than they look, a sentence each."""
    target = main_of(rows)
    kept = [
        row
        for row in rows
        if (row["subset"], row["measure"]) == (ALL, "kendall")
        and (row["quantity"], row["budget"]) == target
    ]
    lines = []
    for (rule, statistics), group in grouped(kept, ("rule", "statistics")).items():
        where = f"{rule} rule, {statistics} statistics"
        idle = grouped([row for row in group if row["by_chance"]], ("method",))
        if idle:
            of = "; ".join(f"{method} at {_at_epochs(rows)}" for (method,), rows in idle.items())
            lines.append(
                f"{where}: on average over the cells the weights of {of} are {guessing(group[0])}; "
                "their correlations may say little about weights that have learnt"
            )
        lost = [row for row in group if row["seeds_used"] < row["seeds"]]
        equal = [row for row in lost if "the same accuracy" in row["statement"]]
        if equal:
            named = grouped(equal, ("method",)).items()
            of = "; ".join(f"{method} at {_lost_at(rows)}" for (method,), rows in named)
            lines.append(
                f"{where}: seeds without a tau, as they gave all cells the same accuracy: {of}"
            )
        lines += [
            f"{where}, {row['method']} at epoch {row['epoch']}: {row['statement']}"
            for row in lost
            if row not in equal
        ]
    return lines


def _lost_at(rows: list[Row]) -> str:
    shown = [f"{r['epoch']} ({r['seeds'] - r['seeds_used']} of {r['seeds']})" for r in rows]
    return f"epoch{'s' * (len(rows) > 1)} {', '.join(shown)}"


def guessing(row: Row) -> str:
    """What is said of weights whose accuracy is not above the bar."""
    return (
        f"not shown to be better than guessing with {row['images']:,} images "
        f"(the bar is {100 * row['guessing_bar']:.1f} %)"
    )


def _at_epochs(rows: list[Row]) -> str:
    shown = [f"{row['epoch']} ({100 * row['mean_accuracy']:.1f} %)" for row in rows]
    return f"epoch{'s' * (len(rows) > 1)} {', '.join(shown)}"


def grouped(rows: Sequence[Row], names: tuple[str, ...]) -> dict[tuple[Any, ...], list[Row]]:
    """The rows with the same values of some columns, in order."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups


def seeds(row: Row) -> str:
    """How many seeds a value is of, and of how many where some have none."""
    used, count = row["seeds_used"], row["seeds"]
    return str(count) if used == count else f"{used} of {count}"


def accuracy(row: Row) -> str:
    """Mean and deviation of one-shot accuracies in per cent."""
    return f"{100 * row['mean_accuracy']:.1f} ± {100 * row['accuracy_deviation']:.1f}"


def interval(row: Row) -> str:
    """A coefficient with its interval, as far as there are such."""
    if row["value"] is None:
        return str(row["statement"])
    return _with_ends(row["value"], row["low"], row["high"])


def against_others(row: Row) -> str:
    """How one training ranks against the others, with its interval; "-" if that is unknown."""
    ends = (row["one_against_others_low"], row["one_against_others_high"])
    return _with_ends(row["one_against_others"], *ends)


def _with_ends(value: float | None, low: float | None, high: float | None) -> str:
    return number(value) + ("" if low is None else f" [{number(low)}, {number(high)}]")


def number(value: float | None) -> str:
    """With two digits; "-" if there is none."""
    return "-" if value is None else f"{round(value, 2) + 0.0:.2f}"  # nothing is "-0.00"
