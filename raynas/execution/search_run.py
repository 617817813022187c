"""The work of one search, free of Ray: epoch by epoch, with everything that is to be kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import torch

from raynas.execution.log import Run
from raynas.execution.search_log import RECORD_SCHEMA, SearchContents
from raynas.execution.supernet_actor import SearchSpec, SupernetActor, device_name
from raynas.oneshot import Diverged
from raynas.seeds import seed_for
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from raynas.execution.plan import Plan
    from raynas.images import SearchImages
    from raynas.oneshot import EpochRecord


def spec_of(plan: Plan, run: Run) -> SearchSpec:
    """The search of a run.

    Its seed depends on the plan's seed, the space and the run's seed, but not on the method, so
    the methods are compared from the same shared weights and batches on.
    """
    assert plan.searches is not None
    method, space, seed = run
    return SearchSpec(
        plan.searches.classes.get(method, method),
        space,
        plan.searches.settings[method],
        seed_for(plan.seed, "one-shot", space, seed),
    )


@dataclass(frozen=True)
class Step:
    """What is to be on disk after an epoch.

    Attributes:
        contents: all records so far.
        checkpoint: the state after the last of them; None if there is no new one.
    """

    contents: SearchContents
    checkpoint: bytes | None


class SearchRun:
    """A search that can be worked on epoch by epoch.

    Attributes:
        contents: everything that is known of it.
    """

    def __init__(
        self,
        run: Run,
        spec: SearchSpec,
        images: SearchImages,
        recorded: SearchContents,
        checkpoint: bytes | None,
    ) -> None:
        """Continue a search after its last checkpoint; records beyond that are dropped.

        A checkpoint that cannot be read counts as none: the search begins again.

        Raises:
            UserError: the settings do not fit the images.
        """
        self._run = run
        self._device = images.train.pixels.device
        self.contents = recorded
        if recorded.ended:
            return
        self._actor = SupernetActor(spec, images)
        if checkpoint is not None:
            try:
                self._actor.load(checkpoint)
            except UserError:
                self._actor = SupernetActor(spec, images)
        if recorded.records.num_rows < self._actor.search.epoch:
            self._actor = SupernetActor(spec, images)
        records = recorded.records.slice(0, self._actor.search.epoch)
        self.contents = SearchContents(records, device=device_name(self._device))

    @property
    def finished(self) -> bool:
        """Whether it needs no more work."""
        return self.contents.ended

    def advance(self) -> Step:
        """One more epoch; a failure of the search is part of what it returns.

        Raises:
            torch.OutOfMemoryError: the share of the GPU was too small; a larger one may do.
        """
        failure, records = None, self.contents.records
        try:
            # None are new if the last process was stopped between the last checkpoint and the
            # note that the search has ended.
            new = self._actor.train(1)
        except torch.OutOfMemoryError:
            raise
        except Diverged as error:
            failure = str(error)
        except Exception as error:
            if self._device.type == "cuda":
                raise  # the process may be of no use any more: Ray starts another
            failure = _reason(error)
        else:
            rows = [_row(self._run, record, self._device) for record in new]
            records = pa.concat_tables([records, *rows]).combine_chunks()
        ended = failure is not None or self._actor.search.finished
        self.contents = SearchContents(records, ended, failure, device_name(self._device))
        return Step(self.contents, self._actor.save() if failure is None else None)


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _row(run: Run, record: EpochRecord, device: torch.device) -> pa.Table:
    alphas = [
        {"name": name, "values": values.reshape(-1).tolist(), "shape": list(values.shape)}
        for name, values in record.alphas.items()
    ]
    own: dict[str, Any] = {name: getattr(record, name) for name in _TAKEN}
    own |= {"vector": list(record.vector), "alphas": alphas}
    own |= dict(zip(("method", "space", "seed"), run, strict=True))
    own["device"] = device_name(device)
    return pa.Table.from_pylist([own], schema=RECORD_SCHEMA)


_TAKEN = (
    "epoch",
    "module_hash",
    "train_loss",
    "train_accuracy",
    "validation_accuracy",
    "learning_rate",
    "seconds",
    "validation_seconds",
    "peak_memory",
)
