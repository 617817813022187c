"""What a running study says about itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from statistics import fmean
from typing import Any, Protocol

import pyarrow.compute as pc
from ray import tune

from raynas.execution.log import LogContents, Run
from raynas.execution.plan import Plan
from raynas.execution.search_plan import SearchUnit
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
            total: the same at the end.
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
    ) -> None:
        """Begin to listen.

        Args:
            plan: what the study runs.
            units: the trials.
            recorded: what the log of the black-box methods knows already.
            finished: runs that are finished already.
            listener: who is told.
        """
        self.fault: UserError | None = None
        self._listener = listener
        self._units = units
        self._work = [0.0] * len(units)
        self._current: dict[int, float] = {}
        self._totals = {pair: _total(plan, pair[0]) for pair in plan.pairs()}
        self._runs = Counter(run[:2] for run in plan.runs())
        self._finished = {
            pair: total / self._runs[pair] * sum(run[:2] == pair for run in finished)
            for pair, total in self._totals.items()
        }
        self._best = _best_errors(recorded)
        for method, space in self._finished:
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
        if isinstance(unit, SearchUnit):
            if result["done"] and "out_of_memory" not in result:
                self._work[number] = self._totals[key] / self._runs[key]  # it may have failed
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
        done = round(self._finished[method, space] + sum(self._work[number] for number in here))
        current = [self._current[number] for number in here if number in self._current]
        error = fmean(current) if current else self._best.get((method, space))
        self._listener.on_progress(method, space, done, self._totals[method, space], error)

    def __reduce__(self) -> tuple[object, ...]:
        """Tune keeps a copy of its callbacks on disk; the listener has no place there."""
        return (tune.Callback, ())


def _total(plan: Plan, method: str) -> int:
    """Full trainings, or epochs of a one-shot method, over all seeds."""
    if plan.searches is not None and method in plan.searches.methods:
        return len(plan.searches.seeds) * plan.searches.settings[method].epochs
    return len(plan.seeds) * plan.evaluations


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
