"""The live display and the closing table, on a terminal and elsewhere."""

from __future__ import annotations

import io
import re

import pyarrow as pa
from rich.console import Console

from raynas.analysis import SUMMARY_SCHEMA
from raynas.console import LiveProgress, result_tables


def shown(*, terminal: bool) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=120, color_system=None)
    with LiveProgress(console, [("rs", "3"), ("hb", "3")]) as live:
        live.on_progress("rs", "3", 0, 2800, None)
        live.on_progress("rs", "3", 1400, 2800, 0.0512)
        live.on_progress("rs", "3", 2800, 2800, 0.0498)
        live.on_progress("rs", "3", 2800, 2800, 0.0498)
    return output.getvalue()


def test_a_terminal_shows_every_method_with_its_count_and_best_error() -> None:
    text = shown(terminal=True)
    last = text[text.rindex("rs ") :]
    assert re.search(r"rs +━{24} ", last), "the whole bar"
    assert "2,800/2,800" in last and "4.98 %" in last
    assert re.search(r"rs .* left +0:00:00", last)
    assert "hb " in last


def test_elsewhere_a_method_is_one_line_when_it_is_done() -> None:
    assert shown(terminal=False) == "rs: done, best 4.98 %\n"


def row(method: str, mean: float | None, with_value: int = 5) -> dict[str, object]:
    figures: dict[str, object] = dict.fromkeys(SUMMARY_SCHEMA.names)
    low, high = (None, None) if mean is None else (mean - 0.001, mean + 0.001)
    return figures | {
        "space": "3",
        "method": method,
        "checkpoint": "final",
        "runs": 5,
        "runs_with_value": with_value,
        "mean_test_regret": mean,
        "ci_low": low,
        "ci_high": high,
        "mean_rank": None if mean is None else 1.5,
    }


def test_the_table_puts_the_best_first_and_admits_what_is_unknown() -> None:
    rows = [row("rs", 0.02), row("re", None, 0), row("tpe", 0.01, 4)]
    (table,) = result_tables(pa.Table.from_pylist(rows, schema=SUMMARY_SCHEMA), width=140)
    output = io.StringIO()
    Console(file=output, width=140, color_system=None).print(table)
    text = output.getvalue()
    assert text.index("tpe") < text.index("rs") < text.index("re ")
    assert "1.000 (4 of 5 runs) [0.900, 1.100]" in text
    assert "2.000 [1.900, 2.100]" in text


def test_one_run_is_not_called_runs() -> None:
    for count, words in ((1, ", 1 run, "), (5, ", 5 runs, ")):
        rows = pa.Table.from_pylist([row("rs", 0.02) | {"runs": count}], schema=SUMMARY_SCHEMA)
        (table,) = result_tables(rows, width=140)
        assert words in str(table.title)
