"""The Tune trial: a block of runs or a search, worked on in short steps by a reused actor."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import ray
from ray import tune

from raynas.execution.block_run import BlockRun
from raynas.execution.blocks import Block
from raynas.execution.log import LogContents
from raynas.execution.lookup import TableLookup
from raynas.execution.node_cache import benchmark_on_node
from raynas.execution.plan import Plan
from raynas.execution.search_plan import SearchUnit
from raynas.execution.search_rows import current_error
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from search_spaces.table import Table

if TYPE_CHECKING:
    from raynas.execution.search_run import SearchRun
    from raynas.images import SearchImages

STEP_SECONDS = 0.75
Unit = Block | SearchUnit


class _Work(Protocol):
    def step(self) -> dict[str, Any]:
        """Work for a while, have the results written, and say how far it is."""


class StudyTrainable(tune.Trainable):
    """Works on the unit whose number is in the configuration.

    The rows of a step are in the study's log before the step counts as done, and the log is the
    only state: a trial that is started again asks the log where to go on, so there is nothing to
    save in a checkpoint of Tune's and no file system that the nodes would have to share.
    """

    _work: _Work | None

    def setup(  # type: ignore[override]
        self, config: dict[str, Any], plan: Plan, units: Sequence[Unit], writer: Any, images: Any
    ) -> None:
        """Start the first unit of this actor."""
        self._units = units
        self._place = _Place(plan, writer, images)
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Start another unit in the same process."""
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Work for a while and report.

        A problem that the user must solve (a full disk, a damaged benchmark) would meet every
        trial; it is reported as "fault" so that the driver stops the study with its message.
        """
        try:
            if self._work is None:
                self._work = _open(self._units[self._number], self._place)
            return {"unit": self._number, **self._work.step()}
        except UserError as error:
            return {"unit": self._number, "fault": error, "done": True}

    def save_checkpoint(self, checkpoint_dir: str) -> dict[str, Any]:  # noqa: ARG002
        """Nothing: the log has it all."""
        return {}

    def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
        """Nothing: the work asks the log."""

    def _begin(self, config: dict[str, Any]) -> None:
        self._number: int = config["unit"]
        self._work = None


def _open(unit: Unit, place: _Place) -> _Work:
    return _BlockWork(unit, place) if isinstance(unit, Block) else _SearchWork(unit, place)


class _Place:
    """What the units of one process share."""

    def __init__(self, plan: Plan, writer: Any, images: Any) -> None:
        self.plan, self.writer, self._decoded = plan, writer, images
        self._tables: dict[str, Table] = {}
        self._images: SearchImages | None = None

    def table(self, space: str) -> Table:
        if space not in self._tables:
            benchmark = benchmark_on_node(
                self.plan.benchmark,
                self.plan.sha256,
                lambda: self.call("benchmark"),
            )
            self._tables[space] = benchmark.table(load_space(space))
        return self._tables[space]

    def images(self) -> SearchImages:
        if self._images is None:
            from raynas.images import load_search_images

            assert self.plan.searches is not None
            searches = self.plan.searches
            self._images = load_search_images(
                searches.images, searches.device, decoded=self._decoded
            )
        return self._images

    def call(self, name: str, *arguments: Any) -> Any:
        """The result of a call to the writer; its user errors as they are."""
        try:
            return ray.get(getattr(self.writer, name).remote(*arguments))
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, UserError):
                raise error.cause from None
            raise


class _BlockWork:
    """Several runs of a black-box optimizer, a moment at a time."""

    def __init__(self, block: Block, place: _Place) -> None:
        recorded: LogContents = place.call("recorded", block.method, block.space, block.seeds)
        self._run = BlockRun(place.plan, block, place.table(block.space), recorded)
        self._place = place

    def step(self) -> dict[str, Any]:
        """About `STEP_SECONDS`."""
        run = self._run
        rows, ended = run.advance(perf_counter() + STEP_SECONDS)
        if rows.num_rows or ended:
            self._place.call("append", rows, ended)
        return {
            "work": run.done,
            "planned": run.planned,
            "error": run.best_error,
            "done": run.finished,
        }


class _SearchWork:
    """One search, an epoch at a time."""

    def __init__(self, unit: SearchUnit, place: _Place) -> None:
        self._unit, self._place = unit, place
        self._search: SearchRun | None = None
        self._lookup = TableLookup(place.table(unit.space))
        assert place.plan.searches is not None
        self._epochs = place.plan.searches.settings[unit.method].epochs

    def step(self) -> dict[str, Any]:
        """One epoch."""
        import torch

        try:
            search = self._search = self._search or self._start()
            if not search.finished:
                step = search.advance()
                self._place.call("commit_search", self._unit.run, step.contents, step.checkpoint)
        except torch.OutOfMemoryError as error:
            reason = f"out of memory: {str(error).splitlines()[0]}"
            self._free()
            return {"work": 0.0, "error": None, "out_of_memory": reason, "done": True}
        contents = search.contents
        trained = contents.records.num_rows
        return {
            "work": float(trained),
            "planned": float(trained if search.finished else self._epochs),
            "error": current_error(contents, self._lookup),
            "done": search.finished,
        }

    def _start(self) -> SearchRun:
        """The search after its last checkpoint."""
        from raynas.execution.search_run import SearchRun, spec_of

        place, run = self._place, self._unit.run
        recorded, checkpoint = place.call("recorded_search", run)
        return SearchRun(run, spec_of(place.plan, run), place.images(), recorded, checkpoint)

    def _free(self) -> None:
        """Give the GPU's memory to the other processes on it."""
        import gc

        import torch

        self._search = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
