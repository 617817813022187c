"""What the interactive figures share: numbers, axes and layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from raynas.analysis.runs import BLACK_BOX, ONE_SHOT

Figure = dict[str, Any]
TIMES = {BLACK_BOX: "simulated time (s)", ONE_SHOT: "search time (s)"}
BOTH_TIMES = "simulated training, or real search (s)"


def numbers(values: np.ndarray) -> list[float | None]:
    """Six significant digits, and null for what is not a number."""
    return [float(f"{v:.6g}") if np.isfinite(v) else None for v in np.asarray(values, dtype=float)]


def regret_floor(values: Sequence[np.ndarray]) -> float:
    """Where a regret of zero is drawn on a log axis: half the least positive value."""
    every = np.concatenate([np.ravel(v) for v in values]) if values else np.zeros(0)
    positive = every[np.isfinite(every) & (every > 0)]
    return float(positive.min()) / 2 if len(positive) else 1e-3


def digits(value: float) -> str:
    """A number with three significant digits, for hover texts."""
    return f"{value:.3g}" if value >= 1e-3 or value == 0 else f"{value:.1e}"


def points_axis(title: str, unit: str = "percentage points") -> Figure:
    """A log axis of percentages, labelled at 1, 2 and 5 times the powers of ten."""
    values = [digit * 10.0**power for power in range(-5, 3) for digit in (1, 2, 5)]
    ticks = {"tickvals": numbers(np.array(values)), "ticktext": [f"{v:g}" for v in values]}
    return {"title": {"text": f"{title} ({unit})"}, "type": "log", **ticks}


def spread_axis(title: str, values: Sequence[np.ndarray]) -> Figure:
    """A log axis if the values spread enough for its labels, else a linear one."""
    every = np.concatenate([np.ravel(v) for v in values]) if values else np.zeros(0)
    positive = every[np.isfinite(every) & (every > 0)]
    if len(positive) and positive.max() > 4 * positive.min():
        return points_axis(title, "%")
    return {"title": {"text": f"{title} (%)"}, "tickmode": "auto"}


def log_axis(title: str) -> Figure:
    """A log axis labelled at powers of ten."""
    minor = {"dtick": "D1", "ticks": "outside", "ticklen": 2, "showgrid": False}
    decades = {"exponentformat": "power", "dtick": 1, "minor": minor}
    return {"title": {"text": title}, "type": "log", **decades}


def layout_of(x: Figure, y: Figure) -> Figure:
    """A layout with these axes; the page's script adds the colours."""
    return {
        "xaxis": x,
        "yaxis": y,
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"l": 64, "r": 16, "t": 12, "b": 48},
    }
