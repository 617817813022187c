"""The one process that writes a sweep's log and checkpoints, wherever the workers are."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from raynas.execution.directory import CHECKPOINTS, LOG
from raynas.execution.manifest import SWEEP, read_manifest
from tuning.evaluation import Outcome
from tuning.log import Record, SweepLog
from tuning.study import Checkpoints


class SweepWriter:
    """A Ray actor on the driver's node.

    All state is on disk and every call can be repeated, so the actor may die and be restarted.
    """

    def __init__(self, study: Path) -> None:
        self._log = SweepLog(study / LOG)
        self._checkpoints = Checkpoints(study / CHECKPOINTS)
        self._records = self._log.read()
        self._began = datetime.fromisoformat(read_manifest(study, SWEEP)["created"]).timestamp()

    def recorded(self, number: int) -> Record | None:
        """The record of an evaluation if it has ended already."""
        return self._records.get(number)

    def checkpoint(self, number: int) -> bytes | None:
        """What an evaluation left for the next one of its configuration."""
        record = self._records.get(number)
        return None if record is None else self._checkpoints.read(record)

    def commit(self, record: Record, outcome: Outcome | None, lasted: float) -> Record:
        """Write how an evaluation ended; it is on disk when this returns.

        Args:
            record: what it was, and the error that it ended with.
            outcome: what the objective found; None if it failed.
            lasted: wall-clock seconds.

        Returns:
            The record as it is on disk: the first one, if the evaluation has ended before.
        """
        known = self._records.get(record.evaluation)
        if known is not None and (known.values, known.epochs) == (record.values, record.epochs):
            return known
        finished = time.time() - self._began
        record = replace(record, finished=finished, started=finished - lasted, seconds=lasted)
        if outcome is not None:
            record = self._with(record, outcome)
        self._log.append(record)
        self._records[record.evaluation] = record
        if record.checkpoint is not None:
            self._checkpoints.remove_older(record.configuration, record.epochs)
        return record

    def _with(self, record: Record, outcome: Outcome) -> Record:
        digest = None
        if outcome.checkpoint is not None:
            digest = self._checkpoints.write(
                record.configuration, record.epochs, outcome.checkpoint
            )
        return replace(
            record,
            validation_error=outcome.validation_error,
            test_error=_finite(outcome.test_error),
            one_shot_validation_error=_finite(outcome.one_shot_validation_error),
            module_hash=outcome.module_hash,
            seconds=float(outcome.seconds),
            device=outcome.device,
            checkpoint=digest,
        )


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
