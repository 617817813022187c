"""What `python -m raynas.correlation` shows on the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from raynas.analysis.rank_correlation.scale import ALL, BEST_SCORED, BEST_TRUE
from raynas.analysis.rank_correlation.wording import (
    accuracy,
    against_others,
    agreements,
    averages,
    grouped,
    interval,
    last_checkpoints,
    main_of,
    notices,
    number,
    seeds,
    targets_of,
)
from raynas.labels import benchmark_lines
from raynas.live import LiveDisplay

if TYPE_CHECKING:
    from raynas.execution.checkpoint_files import Checkpoint
    from search_spaces.benchmark import Benchmark


_WHOLE = (ALL, "kendall")


class LiveScores(LiveDisplay):
    """How many evaluations are done, and how much time is left.

    Args:
        console: where to.
        planned: evaluations with each checkpoint.
    """

    def __init__(self, console: Console, planned: Mapping[Checkpoint, int]) -> None:
        self._planned = dict(planned)
        self._left = dict(planned)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("evaluations, left"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bars.add_task("cells", total=sum(planned.values()))
        super().__init__(console, self._bars)

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


def print_coefficients(
    console: Console, benchmark: Benchmark, found: pa.Table, late: pa.Table
) -> None:
    """Per space, the agreement with the mean test accuracy of the largest budget, and others.

    Args:
        console: where to.
        benchmark: the truth.
        found: in `COEFFICIENTS_SCHEMA`.
        late: in `LATE_SCHEMA`.
    """
    for line in benchmark_lines(benchmark.name, benchmark.kind):
        console.print(line, markup=False, soft_wrap=True)
    rows = found.to_pylist()
    for space in dict.fromkeys(row["space"] for row in rows):
        here = [row for row in rows if row["space"] == space]
        quantity, budget = main_of(here)
        aimed = [r for r in here if (r["quantity"], r["budget"]) == (quantity, budget)]
        console.print()
        console.print(_title(space, aimed, quantity, budget))
        for key, of in grouped(aimed, ("rule", "statistics")).items():
            console.print(_table(f"{key[0]} rule, {key[1]} statistics", of))
        console.print(_caption(aimed))
        console.print(_budgets(here))
        means = [row for row in late.to_pylist() if row["space"] == space]
        for line in [*averages(means), *agreements(aimed), *notices(here)]:
            console.print(f"note: {line}", markup=False)


def _title(space: str, rows: list[dict[str, Any]], quantity: str, budget: int) -> str:
    cells = next(row["cells"] for row in rows if row["subset"] == ALL)
    return (
        f"Space {space}: one-shot accuracy of {cells:,} cells against their mean {quantity} "
        f"accuracy at {budget} epochs"
    )


def _caption(rows: list[dict[str, Any]]) -> str:
    of = {(row["subset"], row["measure"]): row for row in rows}
    whole, best = of[ALL, "kendall"], of[BEST_TRUE, "kendall"]
    tops = of[ALL, "top_10_regret"]
    return (
        "tau: Kendall's tau-b with its 95 % interval, and p of a permutation test; rho: "
        "Spearman's; best 10 %: tau among the truly best and among the best by one-shot accuracy; "
        "regret: percentage points lost when the 10 best by one-shot accuracy are trained; "
        "acc.: mean and deviation of the one-shot accuracies in %. A score that knew each "
        f"cell's expectation would reach tau {number(whole['ceiling'])}, among the best 10 % "
        f"{number(best['ceiling'])}, regret {_points(tops['ceiling'])}; one training against the "
        f"others reaches tau {against_others(whole)} and "
        f"{against_others(best)}; counting the parameters of each cell's network reaches tau "
        f"{number(whole['parameters'])}, among the best 10 % {number(best['parameters'])}, regret "
        f"{_points(tops['parameters'])}; scores in random order have tau 0 "
        f"± {number(whole['chance_deviation'])} and regret {_points(tops['chance'])}."
    )


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=f"\n{title}", title_justify="left")
    heads = ("seeds", "acc.\n%", "tau", "rho", "best\n10 %", "by\nscore", "regret")
    table.add_column("method", no_wrap=True)
    for name in heads:
        table.add_column(name, justify="right", no_wrap=True)
    for key, group in grouped(rows, ("method", "epoch")).items():
        of = {(row["subset"], row["measure"]): row for row in group}
        tau = of[ALL, "kendall"]
        table.add_row(
            escape(key[0]).replace(" (", "\n(") + f"\nepoch {key[1]}",
            seeds(tau).replace(" of ", "/"),
            accuracy(tau).replace(" ±", "\n±"),
            escape(_tau(tau)),
            number(of[ALL, "spearman"]["value"]),
            number(of[BEST_TRUE, "kendall"]["value"]),
            number(of[BEST_SCORED, "kendall"]["value"]),
            _points(of[ALL, "top_10_regret"]["value"]),
        )
    return table


def _budgets(rows: list[dict[str, Any]]) -> Table:
    """Tau with validation and test accuracy at every budget, one line for each method."""
    kept = [row for row in last_checkpoints(rows) if (row["subset"], row["measure"]) == _WHOLE]
    targets = targets_of(kept)
    budgets = list(dict.fromkeys(budget for _, budget in targets))
    quantities = list(dict.fromkeys(quantity for quantity, _ in targets))
    table = Table(
        title=f"\ntau with {'/'.join(quantities)} accuracy after so many epochs alone, last "
        "checkpoints",
        title_justify="left",
    )
    table.add_column("method")  # which may be broken, and numbers may not
    for budget in budgets:
        table.add_column(f"{budget}", justify="right", no_wrap=True)
    for (rule, statistics), group in grouped(kept, ("rule", "statistics")).items():
        table.add_section()
        table.add_row(f"{rule}, {statistics}")
        lines = [(m, of, "value") for (m,), of in grouped(group, ("method",)).items()]
        for name, of, column in [*lines, ("ceiling", group, "ceiling")]:
            found = {(row["quantity"], row["budget"]): number(row[column]) for row in of}
            shown = ["/".join(found.get((q, b), "-") for q in quantities) for b in budgets]
            table.add_row(f"  {escape(name)}".replace(" (", "\n  ("), *shown)
    return table


def _tau(row: dict[str, Any]) -> str:
    if row["value"] is None:
        return "-"
    p = "" if row["p"] is None else f"\np {row['p']:.3f}"
    return interval(row).replace(" [", "\n[") + p


def _points(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"
