"""The log of a running study: Parquet blocks, each written once and as a whole.

A block holds some rows of one method on one space. Writing a block again changes nothing, rows
that occur in several blocks count once, and of each run only the rows without a gap count, so
whatever a crash leaves behind can be continued.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from raynas.execution.files import TEMPORARY_PREFIX, content_digest, write_atomically
from raynas.execution.row import FAILED_RUN, Row

LOG_SCHEMA = pa.schema(
    [
        ("method", pa.string()),
        ("space", pa.string()),
        ("seed", pa.int32()),
        ("evaluation", pa.int32()),
        ("number", pa.int32()),
        ("vector", pa.list_(pa.uint8())),
        ("row", pa.int32()),
        ("epochs", pa.int16()),
        ("repeat", pa.int8()),
        ("validation_error", pa.float64()),
        ("test_error", pa.float64()),
        ("simulated_seconds", pa.float64()),
        ("real_seconds", pa.float64()),
        ("failure", pa.string()),
    ]
)
"""One row per finished evaluation.

`evaluation` counts completions from 0, `number` is the proposal's; `repeat` is -1 for the mean;
errors are null where the evaluation failed, and `failure` says why. A run that could not go on
ends with a row whose `number` is -1.
"""

Run = tuple[str, str, int]
"""Method, space, seed."""

_FINISHED = b"raynas.finished"
_KEYS = ("method", "space", "seed", "evaluation")


def rows_to_table(run: Run, rows: Sequence[Row]) -> pa.Table:
    """The rows of one run in `LOG_SCHEMA`."""
    if not rows:
        return LOG_SCHEMA.empty_table()
    columns: dict[str, Sequence[object]] = dict(
        zip(Row._fields, zip(*rows, strict=True), strict=True)
    )
    for name, value in zip(("method", "space", "seed"), run, strict=True):
        columns[name] = [value] * len(rows)
    return pa.table([pa.array(columns[field.name], field.type) for field in LOG_SCHEMA], LOG_SCHEMA)


def table_to_rows(table: pa.Table) -> dict[Run, list[Row]]:
    """The rows of each run of a log, in the log's order."""
    runs: dict[Run, list[Row]] = {}
    columns = [table[field.name].to_pylist() for field in LOG_SCHEMA]
    for method, space, seed, *values in zip(*columns, strict=True):
        values[2] = tuple(values[2])
        runs.setdefault((method, space, seed), []).append(Row(*values))
    return runs


@dataclass(frozen=True)
class LogContents:
    """What a log knows.

    Attributes:
        table: rows in `LOG_SCHEMA`, sorted by method, space, seed, evaluation, without
            duplicates, and for each run from its first evaluation on without a gap.
        finished: runs that need no more work.
    """

    table: pa.Table
    finished: frozenset[Run]


NOTHING = LogContents(LOG_SCHEMA.empty_table(), frozenset())
"""The contents of an empty log."""


def runs_of(table: pa.Table) -> frozenset[Run]:
    """The runs that have rows in a log."""
    groups = table.group_by(list(_KEYS[:3])).aggregate([]).to_pylist()
    return frozenset((group["method"], group["space"], group["seed"]) for group in groups)


class BlockLog:
    """A folder of blocks."""

    def __init__(self, folder: Path, *, merge_at: int = 256) -> None:
        """Use `folder`, which must exist.

        Args:
            folder: where the blocks lie.
            merge_at: join the blocks of a method on a space when this object has written so many.
        """
        self.folder = folder
        self._merge_at = merge_at
        self._written: dict[tuple[str, str], list[Path]] = {}

    def append(self, table: pa.Table, finished: Mapping[Run, int] | None = None) -> None:
        """Write rows of one method on one space; they are on disk afterwards.

        Args:
            table: rows in `LOG_SCHEMA`.
            finished: runs that end with these rows, and how many rows each has in all.

        Raises:
            UserError: the block cannot be written; the log is as it was.
        """
        finished = finished or {}
        kinds = set(zip(*(table[name].to_pylist() for name in _KEYS[:2]), strict=True))
        kinds |= {run[:2] for run in finished}
        if not kinds:
            return
        ((method, space),) = kinds
        path = self._write(method, space, table, finished)
        written = self._written.setdefault((method, space), [])
        written.append(path)
        if len(written) >= self._merge_at:
            self._written[method, space] = [self._merge(method, space, written)]

    def read(
        self,
        method: str | None = None,
        space: str | None = None,
        seeds: Iterable[int] | None = None,
    ) -> LogContents:
        """Everything in the log, or what it knows of one method on one space.

        Blocks that cannot be read are set aside (see `damaged`): their rows are simply not known
        any more, and a run that lost rows is not finished.
        """
        pattern = f"{method}-{space}-*.parquet" if method is not None else "*.parquet"
        tables, counts = [LOG_SCHEMA.empty_table()], {}
        for path in sorted(self.folder.glob(pattern)):
            block = _read_block(path)
            if block is None:
                path.replace(path.with_suffix(".damaged"))
                continue
            tables.append(block.replace_schema_metadata())
            counts.update(_finished(block))
        table = _tidy(pa.concat_tables(tables), None if seeds is None else list(seeds))
        return LogContents(table, _complete(table, counts))

    def damaged(self) -> list[Path]:
        """Blocks that could not be read and were set aside."""
        return sorted(self.folder.glob("*.damaged"))

    def remove_leftovers(self) -> None:
        """Delete what interrupted writes left; only for the one who holds the study's lock."""
        for path in self.folder.glob(f"{TEMPORARY_PREFIX}*"):
            path.unlink(missing_ok=True)

    def _write(self, method: str, space: str, table: pa.Table, finished: Mapping[Run, int]) -> Path:
        ends = [[*run, count] for run, count in sorted(finished.items())]
        block = table.replace_schema_metadata({_FINISHED: json.dumps(ends).encode()})
        sink = pa.BufferOutputStream()
        pq.write_table(block, sink)
        content = sink.getvalue().to_pybytes()
        path = self.folder / f"{method}-{space}-{content_digest(content)}.parquet"
        write_atomically(path, lambda temporary: temporary.write_bytes(content))
        return path

    def _merge(self, method: str, space: str, paths: list[Path]) -> Path:
        blocks = [pq.ParquetFile(path).read() for path in paths]
        counts: dict[Run, int] = {}
        for block in blocks:
            counts.update(_finished(block))
        whole = pa.concat_tables([block.replace_schema_metadata() for block in blocks])
        merged = self._write(method, space, _tidy(whole, None, gaps=True), counts)
        for path in set(paths) - {merged}:
            path.unlink(missing_ok=True)
        return merged


def _read_block(path: Path) -> pa.Table | None:
    """A block, or None if it is no undamaged block of this layout."""
    try:
        content = path.read_bytes()
        if content_digest(content) != path.stem.rpartition("-")[2]:
            return None
        block = pq.ParquetFile(pa.BufferReader(content)).read()
    except (pa.ArrowException, OSError):
        return None
    if _FINISHED not in (block.schema.metadata or {}) or block.schema.names != LOG_SCHEMA.names:
        return None
    return block.cast(LOG_SCHEMA.with_metadata(block.schema.metadata))


def _finished(block: pa.Table) -> dict[Run, int]:
    ends = json.loads(block.schema.metadata[_FINISHED])
    return {(method, space, seed): count for method, space, seed, count in ends}


def _tidy(table: pa.Table, seeds: list[int] | None, *, gaps: bool = False) -> pa.Table:
    """Sort, drop duplicates, and (unless `gaps`) what follows a missing evaluation."""
    if seeds is not None:
        chosen = np.isin(table["seed"].to_numpy(), np.array(seeds, np.int32))
        table = table.filter(pa.array(chosen))
    table = table.sort_by([(key, "ascending") for key in _KEYS])
    if not table.num_rows:
        return table
    starts = _run_starts(table)
    evaluation = table["evaluation"].to_numpy()
    fresh = np.ones(table.num_rows, bool)
    fresh[1:] = starts[1:] | (evaluation[1:] != evaluation[:-1])
    table, starts, evaluation = table.filter(pa.array(fresh)), starts[fresh], evaluation[fresh]
    if gaps:
        return table
    first = np.maximum.accumulate(np.where(starts, np.arange(len(starts)), 0))
    return table.filter(pa.array(evaluation == np.arange(len(starts)) - first))


def _run_starts(table: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows of a sorted table belong to another run than the row before."""
    starts = np.zeros(table.num_rows, bool)
    starts[0] = True
    for name in _KEYS[:3]:
        codes = table[name].combine_chunks().dictionary_encode().indices.to_numpy()
        starts[1:] |= codes[1:] != codes[:-1]
    return starts


def _complete(table: pa.Table, counts: Mapping[Run, int]) -> frozenset[Run]:
    """Runs of which all rows are there, or whose last row says that they failed."""
    found = {run: 0 for run, count in counts.items() if count == 0}
    groups = table.group_by(list(_KEYS[:3])).aggregate([("number", "count"), ("number", "min")])
    ended = set(found)
    for group in groups.to_pylist():
        run = (group["method"], group["space"], group["seed"])
        if group["number_min"] == FAILED_RUN or counts.get(run) == group["number_count"]:
            ended.add(run)
    return frozenset(ended)
