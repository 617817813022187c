"""What a running study says about itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pyarrow.compute as pc
from ray import tune

from raynas.execution.blocks import Block
from raynas.execution.log import LogContents
from raynas.execution.plan import Plan
from search_spaces.errors import UserError


class ProgressListener(Protocol):
    """Whoever wants to show how far a study is."""

    def on_progress(
        self, method: str, space: str, done: int, total: int, best_error: float | None
    ) -> None:
        """A method on a space got further.

        Args:
            method: the method.
            space: the space.
            done: full trainings' worth of work that is done, over all seeds.
            total: the same at the end.
            best_error: the least validation error that any of its runs has seen.
        """


class ProgressCallback(tune.Callback):
    """Adds up the reports of the trials.

    Attributes:
        fault: what a trial found that ends the study; raised as well, which Tune wraps.
    """

    def __init__(
        self,
        plan: Plan,
        blocks: Sequence[Block],
        recorded: LogContents,
        listener: ProgressListener | None,
    ) -> None:
        self.fault: UserError | None = None
        self._listener = listener
        self._blocks = blocks
        self._total = len(plan.seeds) * plan.evaluations
        self._trainings = [0.0] * len(blocks)
        self._finished = {
            (method, space): plan.evaluations
            * sum(run[:2] == (method, space) for run in recorded.finished)
            for method in plan.methods
            for space in plan.spaces
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
        number, error = result["block"], result["best_error"]
        block = self._blocks[number]
        key = (block.method, block.space)
        self._trainings[number] = max(self._trainings[number], result["trainings"])
        if error is not None:
            self._best[key] = min(error, self._best.get(key, error))
        self._report(*key)

    def _report(self, method: str, space: str) -> None:
        if self._listener is None:
            return
        here = [
            trainings
            for block, trainings in zip(self._blocks, self._trainings, strict=True)
            if (block.method, block.space) == (method, space)
        ]
        done = round(self._finished[method, space] + sum(here))
        best = self._best.get((method, space))
        self._listener.on_progress(method, space, done, self._total, best)

    def __reduce__(self) -> tuple[object, ...]:
        """Tune keeps a copy of its callbacks on disk; the listener has no place there."""
        return (tune.Callback, ())


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
