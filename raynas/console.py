"""What a comparison shows on the console: live progress, then a table."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from raynas.live import LiveDisplay

_WIDE = 126


class _Count(ProgressColumn):
    """Done and total; nothing before the total is known."""

    def render(self, task: Task) -> Text:
        """For instance "1,400/2,800"."""
        total = "" if task.total is None else f"{task.completed:,.0f}/{task.total:,.0f}"
        return Text(f"{total:>13}")


class LiveProgress(LiveDisplay):
    """One line per method and space: done and total, best error so far, time left.

    One-shot methods show epochs and the error of the cells that they are at now. Where the output
    is no terminal, one plain line is printed when a method is done.

    Args:
        console: where to.
        keys: (method, space) pairs in the order of the lines.
        searched: the one-shot methods.
    """

    def __init__(
        self,
        console: Console,
        keys: Iterable[tuple[str, str]],
        searched: Collection[str] = (),
    ) -> None:
        self._searched = searched
        self._keys = list(keys)
        self._several = len({space for _, space in self._keys}) > 1
        self._done: set[tuple[str, str]] = set()
        width = max((len(self._label(key)) for key in self._keys), default=0)
        self._bars = Progress(
            TextColumn(f"{{task.description:<{width}}}"),
            BarColumn(bar_width=24),
            _Count(),
            TextColumn("{task.fields[which]:>7} validation error {task.fields[error]}"),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=console,
            refresh_per_second=4,
        )
        self._tasks = {key: self._add(key) for key in self._keys}
        super().__init__(console, self._bars)

    def _add(self, key: tuple[str, str]) -> TaskID:
        return self._bars.add_task(
            self._label(key), total=None, start=False, error="  -", which=self._which(key)
        )

    def on_progress(
        self, method: str, space: str, done: int, total: int, error: float | None
    ) -> None:
        """Show one method's new state; called by the runner."""
        key = (method, space)
        shown = "  -" if error is None else f"{100 * error:.2f} %"
        task = self._tasks[key]
        if done and not self._bars.tasks[task].started:
            self._bars.start_task(task)
        self._bars.update(task, completed=min(done, total), total=total, error=shown)
        if done >= total and key not in self._done:
            self._done.add(key)
            if not self._console.is_terminal:
                what = f"{self._which(key)} {shown.strip()}"
                self._console.print(f"{self._label(key)}: done, {what}")

    def _which(self, key: tuple[str, str]) -> str:
        return "current" if key[0] in self._searched else "best"

    def _label(self, key: tuple[str, str]) -> str:
        return f"{key[0]}, space {key[1]}" if self._several else key[0]


def print_places(console: Console, study: Path, page: Path) -> None:
    """Where the study and its page are, relative to the working directory where that is shorter."""
    here = Path.cwd()
    console.print()
    for what, path in (("study", study), ("page", page)):
        shown = path.resolve().relative_to(here) if path.resolve().is_relative_to(here) else path
        console.print(f"{what:<6} {shown}", markup=False, soft_wrap=True)


def result_tables(summary: pa.Table, width: int) -> list[Table]:
    """The closing table of each space, best method first.

    Args:
        summary: the content of `summary.parquet`.
        width: columns of the console; a narrow one gets the intervals on lines of their own.
    """
    rows = summary.to_pylist()
    return [
        _space_table(space, [row for row in rows if row["space"] == space], width)
        for space in dict.fromkeys(row["space"] for row in rows)
    ]


def _space_table(space: str, rows: list[dict[str, Any]], width: int) -> Table:
    counts = sorted({row["runs"] for row in rows})
    runs = f"{counts[0]} run{'' if counts[0] == 1 else 's'}, " if len(counts) == 1 else ""
    families = list(dict.fromkeys(row["family"] for row in rows))
    clock = "; of one-shot methods, real ones" if "one-shot" in families else ""
    among = " among the methods of a section" if len(families) > 1 else ""
    table = Table(
        title=f"Space {space}: mean test regret in percentage points, {runs}"
        "95 % bootstrap interval",
        title_justify="left",
        caption=f"Columns are simulated seconds{clock}; rank is the mean over seeds at the "
        f"end{among}.",
        caption_justify="left",
    )
    checkpoints = list(dict.fromkeys(row["checkpoint"] for row in rows))
    table.add_column("method")
    if len(counts) > 1:
        table.add_column("runs", justify="right")
    for checkpoint in checkpoints:
        table.add_column(checkpoint, justify="right")
    table.add_column("rank", justify="right")
    for family in families:
        table.add_section()
        for line in _lines([row for row in rows if row["family"] == family], checkpoints, width):
            table.add_row(*(line if len(counts) > 1 else [line[0], *line[2:]]))
    return table


def _lines(rows: list[dict[str, Any]], checkpoints: list[str], width: int) -> list[list[str]]:
    """Method, runs, checkpoints and rank of each method, best first."""
    by_method: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        by_method.setdefault(row["method"], {})[row["checkpoint"]] = row
    lines = []
    for method, found in sorted(by_method.items(), key=lambda item: _final(item[1])):
        cells = [_cell(found[checkpoint], width) for checkpoint in checkpoints]
        rank = found["final"]["mean_rank"]
        runs = str(found["final"]["runs"])
        lines.append([method, runs, *cells, "-" if rank is None else f"{rank:.1f}"])
    return lines


def _final(found: dict[str, dict[str, Any]]) -> float:
    regret = found["final"]["mean_test_regret"]
    return float("inf") if regret is None else float(regret)


def _cell(row: dict[str, Any], width: int) -> str:
    if row["mean_test_regret"] is None:
        return "-"
    mean = f"{100 * row['mean_test_regret']:.3f}"
    if row["runs_with_value"] < row["runs"]:
        mean += f" ({row['runs_with_value']} of {row['runs']} runs)"
    if row["ci_low"] is None:
        return mean
    interval = f"[{100 * row['ci_low']:.3f}, {100 * row['ci_high']:.3f}]"
    return f"{mean} \\{interval}" if width >= _WIDE else f"{mean}\n\\{interval}"
