"""The log of a running sweep: one small file per finished evaluation, written as a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from raynas.execution.files import TEMPORARY_PREFIX, content_digest, write_atomically
from tuning.evaluation import Evaluation, Value

_DAMAGED = ".damaged"
_REPLACED = ".replaced"


@dataclass(frozen=True)
class Record:
    """Everything that is known of an evaluation that has ended.

    Attributes:
        evaluation: its number.
        configuration: number of its configuration.
        bracket: number of its bracket.
        rung: number of its rung.
        epochs: its budget.
        values: the configuration.
        model_based: whether a model proposed it.
        validation_error: None if it failed; so are the other two.
        test_error: of the architecture found.
        one_shot_validation_error: with the shared weights.
        module_hash: of the architecture found.
        seconds: search time of this evaluation alone.
        started: seconds since the sweep began.
        finished: seconds since the sweep began.
        device: where it ran.
        error: why it failed; None if it did not.
        checkpoint: digest of its checkpoint; None if it left none.
    """

    evaluation: int
    configuration: int
    bracket: int
    rung: int
    epochs: int
    values: Mapping[str, Value]
    model_based: bool
    validation_error: float | None = None
    test_error: float | None = None
    one_shot_validation_error: float | None = None
    module_hash: str | None = None
    seconds: float = 0.0
    started: float = 0.0
    finished: float = 0.0
    device: str | None = None
    error: str | None = None
    checkpoint: str | None = None

    def is_of(self, evaluation: Evaluation) -> bool:
        """Whether it is the result of that proposal, and not of another with its number."""
        return (self.evaluation, self.epochs, dict(self.values)) == (
            evaluation.number,
            evaluation.epochs,
            dict(evaluation.configuration.values),
        )


class SweepLog:
    """A folder of records. The digest in a file's name shows any damage to it."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which must exist."""
        self.folder = folder

    def append(self, record: Record) -> None:
        """Write a record; it is on disk afterwards.

        Raises:
            UserError: it cannot be written; the log is as it was.
        """
        content = json.dumps(asdict(record), ensure_ascii=False).encode()
        path = self.folder / f"{record.evaluation:06d}-{content_digest(content)}.json"
        write_atomically(path, lambda temporary: temporary.write_bytes(content))

    def read(self) -> dict[int, Record]:
        """All records by number; files that are damaged are set aside (see `damaged`).

        Where there are several of one evaluation, the one that finished first counts.
        """
        records: dict[int, Record] = {}
        for path in sorted(self.folder.glob("[0-9]*.json")):
            record = _read(path)
            if record is None:
                path.replace(path.with_suffix(_DAMAGED))
                continue
            known = records.get(record.evaluation)
            if known is None or record.finished < known.finished:
                records[record.evaluation] = record
        return records

    def damaged(self) -> list[Path]:
        """Files that could not be read and were set aside."""
        return sorted(self.folder.glob(f"*{_DAMAGED}"))

    def set_aside(self, number: int) -> None:
        """Forget an evaluation; it will be done again."""
        for path in self.folder.glob(f"{number:06d}-*.json"):
            path.replace(path.with_suffix(_REPLACED))

    def remove_leftovers(self) -> None:
        """Delete what interrupted writes left; only for the one who holds the study's lock."""
        for path in self.folder.glob(f"{TEMPORARY_PREFIX}*"):
            path.unlink(missing_ok=True)


def _read(path: Path) -> Record | None:
    try:
        content = path.read_bytes()
        if content_digest(content) != path.stem.rpartition("-")[2]:
            return None
        found = json.loads(content)
        return Record(**{field.name: found[field.name] for field in fields(Record)})
    except (OSError, ValueError, KeyError):
        return None
