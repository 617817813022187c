"""What `python -m raynas.correlation` shows on the console."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from raynas.analysis.rank_correlation.coefficients import ALL, BEST_SCORED, BEST_TRUE
from raynas.labels import benchmark_lines

if TYPE_CHECKING:
    from raynas.execution.checkpoint_files import Checkpoint
    from search_spaces.benchmark import Benchmark


class LiveScores:
    """How many evaluations are done, and how much time is left.

    Args:
        console: where to.
        planned: evaluations with each checkpoint.
    """

    def __init__(self, console: Console, planned: Mapping[Checkpoint, int]) -> None:
        self._console, self._planned = console, dict(planned)
        self._left = dict(planned)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("evaluations, left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bars.add_task("cells", total=sum(planned.values()))

    def __enter__(self) -> LiveScores:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def on_scores(self, checkpoint: Checkpoint, cells: int) -> None:
        """Count them; where there is no terminal, a line when a checkpoint is done."""
        self._left[checkpoint] -= cells
        self._bars.update(self._task, advance=cells, description=_name(checkpoint))
        if self._left[checkpoint] == 0 and not self._console.is_terminal:
            count = self._planned[checkpoint]
            self._console.print(f"{_name(checkpoint)}: {count:,} evaluations", soft_wrap=True)


def _name(checkpoint: Checkpoint) -> str:
    of = checkpoint
    return f"{of.method}, space {of.space}, seed {of.seed}, epoch {of.epoch}"


def print_coefficients(console: Console, benchmark: Benchmark, found: pa.Table) -> None:
    """One table per space: agreement with the mean test accuracy of the largest budget."""
    for line in benchmark_lines(benchmark.name, benchmark.kind):
        console.print(line, markup=False, soft_wrap=True)
    rows = found.to_pylist()
    for space in dict.fromkeys(row["space"] for row in rows):
        here = [row for row in rows if row["space"] == space]
        quantity, budget = main_of(here)
        aimed = [r for r in here if (r["quantity"], r["budget"]) == (quantity, budget)]
        console.print()
        console.print(_title(space, aimed, quantity, budget))
        for key, of in _grouped(aimed, ("rule", "statistics")).items():
            console.print(_table(f"{key[0]} rule, {key[1]} statistics", of))
        console.print(_caption(aimed))


def main_of(rows: list[dict[str, Any]]) -> tuple[str, int]:
    """Test accuracy at the largest budget, if there is any."""
    targets = {(row["quantity"], row["budget"]) for row in rows}
    return max(targets, key=lambda target: (target[0] == "test", target[1]))


def _title(space: str, rows: list[dict[str, Any]], quantity: str, budget: int) -> str:
    cells = next(row["cells"] for row in rows if row["subset"] == ALL)
    return (
        f"Space {space}: one-shot accuracy of {cells:,} cells against their mean {quantity} "
        f"accuracy at {budget} epochs"
    )


def _caption(rows: list[dict[str, Any]]) -> str:
    whole, best = (
        next(
            (r["ceiling"] for r in rows if (r["measure"], r["subset"]) == ("kendall", subset)), None
        )
        for subset in (ALL, BEST_TRUE)
    )
    return (
        "tau: Kendall's tau-b with its 95 % bootstrap interval; rho: Spearman's; best 10 %: tau "
        "among the truly best and among the best by one-shot accuracy; regret: percentage points "
        "lost when the 10 best by one-shot accuracy are trained. One training against the others "
        f"reaches tau {_number(whole)}, among the best 10 % {_number(best)}."
    )


def _grouped(
    rows: list[dict[str, Any]], names: tuple[str, ...]
) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=f"\n{title}", title_justify="left")
    table.add_column("method", no_wrap=True)
    for name in ("seeds", "epoch", "tau", "rho", "best\n10 %", "by\nscore", "regret"):
        table.add_column(name, justify="right", no_wrap=True)
    for key, group in _grouped(rows, ("method", "seeds", "epoch")).items():
        of = {(row["subset"], row["measure"]): row for row in group}
        regret = of[ALL, "top_10_regret"]["value"]
        table.add_row(
            *(escape(str(value)) for value in key),
            escape(interval(of[ALL, "kendall"]).replace(" [", "\n[")),
            _number(of[ALL, "spearman"]["value"]),
            _number(of[BEST_TRUE, "kendall"]["value"]),
            _number(of[BEST_SCORED, "kendall"]["value"]),
            "-" if regret is None else f"{100 * regret:.2f}",
        )
    return table


def interval(row: dict[str, Any]) -> str:
    """A coefficient with its interval, as far as there are such."""
    if row["value"] is None:
        return str(row["statement"])
    ends = "" if row["low"] is None else f" [{row['low']:.2f}, {row['high']:.2f}]"
    return _number(row["value"]) + ends


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
