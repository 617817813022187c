"""Colours and dashes of what the figures of a sweep tell apart."""

from __future__ import annotations

from dataclasses import replace

from raynas.report.styles import EXACT, STYLES, Style, styles
from tuning.report.content import DEFAULT, MODEL, RANDOM, SweepContent

#: The sweep itself: its best cell so far.
SWEEP = "sweep"


def looks(content: SweepContent) -> dict[str, Style]:
    """The style of each label that some figure has."""
    plain, tuned = styles([content.method, content.tuned]).values()
    kinds = {
        SWEEP: replace(STYLES[EXACT], name=f"Tuning {plain.name}", dash="solid", dashes=()),
        content.method: replace(plain, name=f"{plain.name}, default"),
        content.tuned: replace(tuned, light="#d1491b", dark="#ff8a5c"),
        DEFAULT: replace(STYLES["darts"], name="Default configuration", symbol="diamond"),
        RANDOM: replace(STYLES["rs"], name="Random configuration", symbol="circle"),
        MODEL: replace(STYLES["bohb"], name="Model-based configuration", symbol="triangle-up"),
    }
    if content.comparison is not None:
        black_box = {
            label: style
            for label, style in content.comparison.styles.items()
            if label in content.comparison.curves["test_regret"] and label not in kinds
        }
        kinds = {**kinds, **black_box}
    return kinds


def used(content: SweepContent) -> dict[str, Style]:
    """The styles of what this sweep has."""
    kinds = {content.kind(row) for row in content.rows}
    compared = content.comparison is not None
    return {
        label: style
        for label, style in looks(content).items()
        if label not in (DEFAULT, RANDOM, MODEL, content.method, content.tuned)
        or label in kinds
        or (compared and label in (content.method, content.tuned))
    }
