"""What a running study says about itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean
from types import MappingProxyType
from typing import Any, Protocol

import pyarrow.compute as pc
from ray import tune

from raynas.execution.log import LogContents, Run, table_to_rows
from raynas.execution.plan import Plan
from raynas.execution.search_plan import SearchUnit
from raynas.execution.search_rows import EndedSearch
from raynas.execution.simulation import FULL_TRAINING_EPOCHS
from raynas.execution.trainable import Unit
from search_spaces.errors import UserError


class ProgressListener(Protocol):
    """Whoever wants to show how far a study is."""

    def on_progress(
        self, method: str, space: str, done: int, total: int, error: float | None
    ) -> None:
        """A method on a space got further.

        Args:
            method: the method.
            space: the space.
            done: full trainings' worth of work that is done, over all seeds; of a one-shot method
                the epochs.
            total: the same at the end, as far as is known: runs that end early make it less.
            error: the least validation error that any of its runs has seen; of a one-shot method
                the benchmark's validation error of the cells that its searches are at now, on
                average.
        """


class ProgressCallback(tune.Callback):
    """Adds up the reports of the trials.

    Attributes:
        fault: what a trial found that ends the study; raised as well, which Tune wraps.
    """

    def __init__(
        self,
        plan: Plan,
        units: Sequence[Unit],
        recorded: LogContents,
        finished: Collection[Run],
        listener: ProgressListener | None,
        searched: Mapping[Run, EndedSearch] = MappingProxyType({}),
    ) -> None:
        """Begin to listen.

        Args:
            plan: what the study runs.
            units: the trials.
            recorded: what the log of the black-box methods knows already.
            finished: runs that are finished already.
            listener: who is told.
            searched: how far the searches among them got.
        """
        self.fault: UserError | None = None
        self._listener = listener
        self._units = units
        self._work = [0.0] * len(units)
        self._planned = [_planned(plan, unit) for unit in units]
        self._ended: set[int] = set()
        self._current: dict[int, float] = {}
        self._searched = searched
        self._earlier = _work_of(plan, recorded, finished, searched)
        self._best = _best_errors(recorded)
        for method, space in plan.pairs():
            self._report(method, space)

    def on_trial_result(
        self,
        iteration: int,  # noqa: ARG002
        trials: list[Any],  # noqa: ARG002
        trial: Any,  # noqa: ARG002
        result: dict[str, Any],
        **info: Any,  # noqa: ARG002
    ) -> None:
        """Take in one step of one trial."""
        if "fault" in result:
            self.fault = result["fault"]
            raise self.fault
        number, error = result["unit"], result["error"]
        unit = self._units[number]
        key = (unit.method, unit.space)
        self._work[number] = max(self._work[number], result["work"])
        self._planned[number] = result.get("planned", self._planned[number])
        if result["done"] and "out_of_memory" not in result:
            self._ended.add(number)
        if isinstance(unit, SearchUnit):
            if error is not None:
                self._current[number] = error
        elif error is not None:
            self._best[key] = min(error, self._best.get(key, error))
        self._report(*key)

    def _report(self, method: str, space: str) -> None:
        if self._listener is None:
            return
        here = [
            number
            for number, unit in enumerate(self._units)
            if (unit.method, unit.space) == (method, space)
        ]
        earlier = self._earlier[method, space]
        total = round(earlier + sum(self._planned[number] for number in here))
        done = round(earlier + sum(self._work[number] for number in here))
        if not self._ended.issuperset(here):
            done = min(done, total - 1)  # rounding must not look like the end
        current = [self._current[number] for number in here if number in self._current]
        earlier_errors = (e.error for r, e in self._searched.items() if r[:2] == (method, space))
        current += [error for error in earlier_errors if error is not None]
        error = fmean(current) if current else self._best.get((method, space))
        self._listener.on_progress(method, space, done, total, error)

    def __reduce__(self) -> tuple[object, ...]:
        """Tune keeps a copy of its callbacks on disk; the listener has no place there."""
        return (tune.Callback, ())


def _planned(plan: Plan, unit: Unit) -> float:
    """Full trainings, or epochs of a search, that a unit may take."""
    if isinstance(unit, SearchUnit):
        return _epochs(plan, unit.method)
    return float(len(unit.seeds) * plan.evaluations)


def _epochs(plan: Plan, method: str) -> float:
    assert plan.searches is not None
    return float(plan.searches.settings[method].epochs)


def _work_of(
    plan: Plan,
    recorded: LogContents,
    finished: Collection[Run],
    searched: Mapping[Run, EndedSearch],
) -> dict[tuple[str, str], float]:
    """What the runs that are finished already took, by method and space."""
    work = dict.fromkeys(plan.pairs(), 0.0)
    for run, rows in table_to_rows(recorded.table).items():
        if run in finished:
            work[run[:2]] += sum(row.epochs for row in rows) / FULL_TRAINING_EPOCHS
    for run, ended in searched.items():
        work[run[:2]] += ended.epochs
    return work


def _best_errors(recorded: LogContents) -> dict[tuple[str, str], float]:
    table = recorded.table
    largest = table.group_by(["method", "space"]).aggregate([("epochs", "max")]).to_pylist()
    best = {}
    for group in largest:
        here = pc.and_(
            pc.and_(
                pc.equal(table["method"], group["method"]), pc.equal(table["space"], group["space"])
            ),
            pc.equal(table["epochs"], group["epochs_max"]),
        )
        least = pc.min(table["validation_error"].filter(here)).as_py()
        if least is not None:
            best[group["method"], group["space"]] = least
    return best
