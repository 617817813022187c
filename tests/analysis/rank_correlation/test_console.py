"""What the console shows of coefficients."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from raynas.analysis.rank_correlation.coefficients import COEFFICIENTS_SCHEMA
from raynas.analysis.rank_correlation.console import LiveScores, print_coefficients
from raynas.analysis.rank_correlation.late import LATE_SCHEMA
from raynas.analysis.rank_correlation.scale import ALL, BEST_SCORED, BEST_TRUE
from raynas.execution.checkpoint_files import Checkpoint

PLACES = (
    (ALL, "kendall"),
    (ALL, "spearman"),
    (ALL, "top_10_regret"),
    (BEST_TRUE, "kendall"),
    (BEST_SCORED, "kendall"),
)
TAUS = {("test", 4): 0.11, ("test", 108): -0.22, ("validation", 4): 0.33, ("validation", 108): 0.4}


def coefficients(method: str, epoch: int, shift: float = 0.0) -> list[dict[str, Any]]:
    """Rows of one method; tau of all cells as in `TAUS`, of everything else 0.99."""
    usual = dict.fromkeys(COEFFICIENTS_SCHEMA.names) | {
        "method": method,
        "space": "3",
        "epoch": epoch,
        "rule": "corrected",
        "statistics": "recalibrated",
        "seeds": 5,
        "seeds_used": 5,
        "cells": 100,
        "ceiling": 0.95,
        "chance": 0.0,
        "chance_deviation": 0.05,
        "mean_accuracy": 0.4,
        "accuracy_deviation": 0.1,
        "by_chance": False,
    }
    return [
        usual
        | {"quantity": quantity, "budget": budget, "subset": subset, "measure": measure}
        | {"value": tau + shift if (subset, measure) == (ALL, "kendall") else 0.99}
        for (quantity, budget), tau in TAUS.items()
        for subset, measure in PLACES
    ]


def printed(rows: list[dict[str, Any]], width: int, late: Sequence[dict[str, Any]] = ()) -> str:
    output = io.StringIO()
    benchmark: Any = SimpleNamespace(name="made up", kind="official")
    found = pa.Table.from_pylist(rows, COEFFICIENTS_SCHEMA)
    means = pa.Table.from_pylist(list(late), LATE_SCHEMA)
    print_coefficients(
        Console(file=output, width=width, color_system=None), benchmark, found, means
    )
    return output.getvalue()


def test_the_mean_over_the_last_checkpoints_is_said() -> None:
    row = {"method": "darts", "space": "3", "rule": "corrected", "statistics": "batch"}
    row |= {"epochs": [5, 6, 7], "seeds": 4, "seeds_used": 4, "cells": 10, "quantity": "test"}
    row |= {"budget": 108, "measure": "kendall", "value": 0.3, "low": 0.1, "high": 0.45}
    row |= {"widest": 0.21}
    other = row | {"method": "gdas", "low": None, "high": None, "seeds_used": 2, "widest": 0.1}
    none = row | {"method": "pc_darts", "value": None, "seeds_used": 0, "widest": None}
    rows = coefficients("darts", 7)
    said = " ".join(printed(rows, 120, [row, other, none]).split())
    assert (
        "corrected rule, batch statistics: averaged over the last three checkpoints of each seed "
        "tau is 0.30 [0.10, 0.45] with darts (epochs 5, 6, 7; up to 0.21 apart), 0.30 with gdas "
        "(epochs 5, 6, 7; 2 of 4 seeds; up to 0.10 apart); none of the seeds of pc_darts has all "
        "three"
    ) in said
    assert "averaged" not in printed(rows, 120)


@pytest.mark.parametrize("width", [80, 120])
def test_validation_stands_beside_test_at_every_budget(width: int) -> None:
    rows = [*coefficients("darts", 3, 0.5), *coefficients("darts", 7), *coefficients("gdas", 7)]
    long = coefficients("a_method_with_a_very_long_name (learning_rate=0.0025)", 7)
    said = printed([*rows, *long], width)
    table = said[said.index("tau with validation/test accuracy") :]
    lines = [[part.strip() for part in line.split("│")[1:-1]] for line in table.splitlines()]
    numbers = {line[0]: line[1:] for line in lines if line and line[1]}
    assert numbers["darts"] == numbers["gdas"] == ["0.33/0.11", "0.40/-0.22"]
    assert numbers["ceiling"] == ["0.95/0.95", "0.95/0.95"]
    assert "…" not in table and max(map(len, table.splitlines())) <= width


def scored(*, terminal: bool) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=120, color_system=None)
    one = Checkpoint("darts", "1", 0, 2, Path("nowhere"))
    with LiveScores(console, {one: 1200}) as live:
        live.on_scores(one, 300)
        live.on_scores(one, 900)
    return output.getvalue()


def test_a_terminal_shows_the_bar_and_elsewhere_there_is_a_line_for_each_checkpoint() -> None:
    name = "darts, space 1, seed 0, epoch 2"
    assert f"{name} {'━' * 24} 1200/1200 evaluations, left 0:00:00" in scored(terminal=True)
    assert scored(terminal=False) == f"{name}: 1,200 evaluations\n"
