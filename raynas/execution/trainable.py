"""The Tune trial: a block of runs, worked on in short steps by a reused actor."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import ray
from ray import tune

from raynas.execution.block_run import BlockRun
from raynas.execution.blocks import Block
from raynas.execution.log import LogContents
from raynas.execution.node_cache import benchmark_on_node
from raynas.execution.plan import Plan
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from search_spaces.table import Table

STEP_SECONDS = 0.75


class BlockTrainable(tune.Trainable):
    """Runs the block whose number is in the configuration.

    The rows of a step are in the study's log before the step counts as done, and the log is the
    only state: a trial that is started again asks the log where to go on, so there is nothing to
    save in a checkpoint and no file system that the nodes would have to share.
    """

    def setup(  # type: ignore[override]
        self, config: dict[str, Any], plan: Plan, blocks: list[Block], writer: Any
    ) -> None:
        """Start the first block of this actor."""
        self._plan, self._blocks, self._writer = plan, blocks, writer
        self._tables: dict[str, Table] = {}
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Start another block in the same process."""
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Work for about `STEP_SECONDS` and report.

        A problem that the user must solve (a full disk, a damaged benchmark) would meet every
        trial; it is reported as "fault" so that the driver stops the study with its message.
        """
        try:
            run = self._open()
            rows, ended = run.advance(perf_counter() + STEP_SECONDS)
            if rows.num_rows or ended:
                self._wait(self._writer.append.remote(rows, ended))
        except UserError as error:
            return {"block": self._number, "fault": error, "done": True}
        return {
            "block": self._number,
            "trainings": run.done,
            "best_error": run.best_error,
            "done": run.finished,
        }

    def save_checkpoint(self, checkpoint_dir: str) -> dict[str, Any]:  # noqa: ARG002
        """Nothing: the log has it all."""
        return {}

    def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
        """Nothing: `_open` asks the log."""

    def _begin(self, config: dict[str, Any]) -> None:
        self._number: int = config["block"]
        self._run: BlockRun | None = None

    def _open(self) -> BlockRun:
        if self._run is None:
            block = self._blocks[self._number]
            recorded: LogContents = self._wait(
                self._writer.recorded.remote(block.method, block.space, block.seeds)
            )
            self._run = BlockRun(self._plan, block, self._table(block.space), recorded)
        return self._run

    def _table(self, space: str) -> Table:
        if space not in self._tables:
            benchmark = benchmark_on_node(
                self._plan.benchmark,
                self._plan.sha256,
                lambda: self._wait(self._writer.benchmark.remote()),
            )
            self._tables[space] = benchmark.table(load_space(space))
        return self._tables[space]

    @staticmethod
    def _wait(reference: Any) -> Any:
        """The result of a call to the writer; its user errors as they are."""
        try:
            return ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, UserError):
                raise error.cause from None
            raise
