"""What is on disk of searches that run: their records so far and their last checkpoints.

Records are written first, then the checkpoint of the same epoch. So a checkpoint always has all
its records; records beyond the checkpoint are of epochs that will be done again, and are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from raynas.analysis.searches import ALPHAS_SCHEMA, SEARCHES_SCHEMA
from raynas.execution.files import TEMPORARY_PREFIX, write_atomically, writing
from raynas.execution.log import Run

_ALPHA = pa.struct([(name, ALPHAS_SCHEMA.field(name).type) for name in ("name", "values", "shape")])
RECORD_SCHEMA = SEARCHES_SCHEMA.append(pa.field("alphas", pa.list_(_ALPHA)))
"""One row per epoch, with the architecture parameters in it."""

_ENDED, _FAILURE, _DEVICE = b"raynas.ended", b"raynas.failure", b"raynas.device"
LAST = "last.pt"


@dataclass(frozen=True)
class SearchContents:
    """What is known of one search.

    Attributes:
        records: rows in `RECORD_SCHEMA`, one per epoch from 1 on.
        ended: whether it needs no more work.
        failure: why it ended early.
        device: what it ran on last; "cpu", or the GPU's name.
    """

    records: pa.Table
    ended: bool = False
    failure: str | None = None
    device: str = "cpu"


NO_RECORDS = SearchContents(RECORD_SCHEMA.empty_table())
"""What is known of a search that has not begun."""


class SearchLog:
    """Two folders: one Parquet file of records, and one folder of checkpoints, per search."""

    def __init__(self, records: Path, checkpoints: Path, keep: str = "last") -> None:
        """Use two folders, which need not exist.

        Args:
            records: for the records, while the study runs.
            checkpoints: for the checkpoints, which stay.
            keep: "last", or "all" to keep the checkpoint of every epoch.
        """
        self._records, self._checkpoints, self._keep = records, checkpoints, keep

    def commit(self, run: Run, contents: SearchContents, checkpoint: bytes | None) -> None:
        """Write everything that is known of a search; it is on disk afterwards.

        Args:
            run: which.
            contents: all records so far.
            checkpoint: the state after the last record; None leaves the one that is there.

        Raises:
            UserError: the disk is full, and the like.
        """
        if checkpoint is not None:
            self._write_records(run, contents, ended=False)
            folder = self.folder(run)
            with writing(folder):
                folder.mkdir(parents=True, exist_ok=True)
            names = [LAST]
            if self._keep == "all":
                names.insert(0, f"epoch_{contents.records.num_rows}.pt")
            for name in names:
                write_atomically(folder / name, lambda path: path.write_bytes(checkpoint))
        if checkpoint is None or contents.ended:
            self._write_records(run, contents, ended=contents.ended)

    def read(self, run: Run) -> SearchContents:
        """What is known of a search; a file that cannot be read counts as none."""
        try:
            table = pq.ParquetFile(self._file(run)).read()
        except (FileNotFoundError, pa.ArrowException):
            return NO_RECORDS
        said = table.schema.metadata or {}
        if _ENDED not in said or table.schema.names != RECORD_SCHEMA.names:
            return NO_RECORDS
        failure = said[_FAILURE].decode() if _FAILURE in said else None
        records = table.replace_schema_metadata().cast(RECORD_SCHEMA)
        return SearchContents(records, said[_ENDED] == b"1", failure, said[_DEVICE].decode())

    def checkpoint(self, run: Run) -> bytes | None:
        """The last state of a search, None if there is none."""
        try:
            return (self.folder(run) / LAST).read_bytes()
        except FileNotFoundError:
            return None

    def folder(self, run: Run) -> Path:
        """Where the checkpoints of a search are."""
        return self._checkpoints / _name(run)

    def finished(self, runs: Sequence[Run]) -> frozenset[Run]:
        """Those of some searches that need no more work."""
        return frozenset(run for run in runs if self.read(run).ended)

    def remove_leftovers(self) -> None:
        """Delete what interrupted writes left; only for the one who holds the study's lock."""
        for folder in (self._records, self._checkpoints):
            for path in folder.glob(f"**/{TEMPORARY_PREFIX}*"):
                path.unlink(missing_ok=True)

    def _file(self, run: Run) -> Path:
        return self._records / f"{_name(run)}.parquet"

    def _write_records(self, run: Run, contents: SearchContents, *, ended: bool) -> None:
        said = {_ENDED: b"1" if ended else b"0", _DEVICE: contents.device.encode()}
        if ended and contents.failure is not None:
            said[_FAILURE] = contents.failure.encode()
        table = contents.records.replace_schema_metadata(said)
        path = self._file(run)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda temporary: pq.write_table(table, temporary))


def _name(run: Run) -> str:
    return "-".join(map(str, run))


def split_records(records: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The content of `searches.parquet` and `alphas.parquet`, from rows of `RECORD_SCHEMA`."""
    keys = ("method", "space", "seed", "epoch")
    rows = [
        {**{key: row[key] for key in keys}, **alpha}
        for row in records.select([*keys, "alphas"]).to_pylist()
        for alpha in row["alphas"]
    ]
    alphas = pa.Table.from_pylist(rows, schema=ALPHAS_SCHEMA)
    return records.select(SEARCHES_SCHEMA.names), alphas
