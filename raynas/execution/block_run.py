"""The work of one block, free of Ray: several runs, one after another."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import pyarrow as pa

from raynas.execution.blocks import Block
from raynas.execution.log import LOG_SCHEMA, LogContents, Run, rows_to_table, table_to_rows
from raynas.execution.lookup import TableLookup
from raynas.execution.plan import Plan
from raynas.execution.simulation import FULL_TRAINING_EPOCHS, RepeatStream, Simulation
from raynas.seeds import seed_for

if TYPE_CHECKING:
    from raynas.execution.row import Row
    from raynas.optimizers import Optimizer
    from search_spaces.table import Table


def make_run(plan: Plan, run: Run, lookup: TableLookup, recorded: list[Row]) -> Simulation:
    """One run of a plan; its random streams depend on the plan's seed and the run's name only."""
    method, space, seed = run

    def optimizer() -> Optimizer:
        from raynas.optimizers import make_optimizer

        seeds = seed_for(plan.seed, *run, "optimizer")
        return make_optimizer(method, lookup.space, seeds, noisy=plan.repeat == "seeded")

    repeats = RepeatStream(seed_for(plan.seed, *run, "repeats"), plan.repeat)
    name = f"{method}, space {space}, seed {seed}"
    return Simulation(optimizer, lookup, plan.limits, repeats, recorded=recorded, name=name)


class BlockRun:
    """A block that can be worked on piece by piece.

    Attributes:
        best_error: the least validation error seen.
    """

    def __init__(self, plan: Plan, block: Block, table: Table, recorded: LogContents) -> None:
        """Continue `block` after what is recorded."""
        self.best_error: float | None = None
        self._plan, self._lookup = plan, TableLookup(table)
        self._rows = table_to_rows(recorded.table)
        runs = [(block.method, block.space, seed) for seed in block.seeds]
        self._waiting = [run for run in reversed(runs) if run not in recorded.finished]
        ended = [row for run in runs if run in recorded.finished for row in self._rows.get(run, [])]
        self._spent = sum(row.epochs for row in ended)  # of the runs that have ended
        self._current: tuple[Run, Simulation] | None = None

    @property
    def done(self) -> float:
        """Full trainings' worth of what has been run, recorded work included."""
        current = self._current[1].epochs_done if self._current else 0
        return (self._spent + current) / FULL_TRAINING_EPOCHS

    @property
    def planned(self) -> float:
        """What `done` will be at the end, unless the limit of simulated seconds ends runs early."""
        left = len(self._waiting) + (self._current is not None)
        return self._spent / FULL_TRAINING_EPOCHS + left * self._plan.evaluations

    @property
    def finished(self) -> bool:
        """Whether every run has ended."""
        return self._current is None and not self._waiting

    def advance(self, deadline: float) -> tuple[pa.Table, dict[Run, int]]:
        """Work until `perf_counter()` passes `deadline` or the block ends.

        Returns:
            The new rows in `LOG_SCHEMA`, and the runs that ended with their number of rows.
        """
        tables, ended = [LOG_SCHEMA.empty_table()], {}
        while not self.finished and perf_counter() < deadline:
            run, simulation = self._current = self._current or self._next_run()
            rows = simulation.advance(deadline)
            if rows:
                tables.append(rows_to_table(run, rows))
            self._note(simulation)
            if simulation.finished:
                ended[run] = simulation.completed
                self._spent += simulation.epochs_done
                self._current = None
        return pa.concat_tables(tables), ended

    def _next_run(self) -> tuple[Run, Simulation]:
        run = self._waiting.pop()
        return run, make_run(self._plan, run, self._lookup, self._rows.pop(run, []))

    def _note(self, simulation: Simulation) -> None:
        error = simulation.best_error
        if error is not None and (self.best_error is None or error < self.best_error):
            self.best_error = error
