"""A study: a directory with a manifest, Parquet tables and, while it runs, a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from raynas.analysis.runs import TABLE_DEVICE
from raynas.analysis.trajectory import CURRENT, TRAJECTORY_SCHEMA, trajectory
from raynas.execution.directory import CHECKPOINTS, LOG, StudyDirectory
from raynas.execution.files import write_atomically
from raynas.execution.log import BlockLog, Run
from raynas.execution.manifest import STUDY
from raynas.execution.search_log import SearchContents, SearchLog, split_records
from raynas.execution.search_rows import search_rows
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from search_spaces.table import Table

TRAJECTORIES = "trajectories.parquet"
SEARCHES = "searches.parquet"
ALPHAS = "alphas.parquet"


class Study(StudyDirectory):
    """The directory of a comparison.

    Attributes:
        log: finished evaluations of a study that is not finished.
        searches: records and checkpoints of its one-shot searches.
    """

    def __init__(self, path: Path, manifest: dict[str, Any], lock: int) -> None:
        """Use `create` or `resume`."""
        super().__init__(path, manifest, lock)
        self.log = BlockLog(path / LOG)
        self.log.remove_leftovers()
        keep = self.arguments.get("keep_checkpoints") or "last"
        self.searches = SearchLog(path / LOG / "searches", path / CHECKPOINTS, keep)
        self.searches.remove_leftovers()

    def finish(self, tables: Mapping[str, Table], runs: Sequence[Run] = ()) -> pa.Table:
        """Turn the log into `trajectories.parquet` and delete it; harmless if done already.

        Where there are searches, `searches.parquet` and `alphas.parquet` are written, too.

        Args:
            tables: by space; for the incumbents and regrets.
            runs: the searches.

        Returns:
            The trajectories, sorted by method and space as in the arguments, seed, evaluation.
        """
        path = self.path / TRAJECTORIES
        if self.finished:
            return read_trajectories(self.path)
        log = self.log.read().table
        parts = [trajectory(log, tables, self.arguments.get("incumbent", "validation"))]
        if runs:
            found = [(run, self.searches.read(run)) for run in runs]
            parts.append(self._search_part(found, tables))
        result = self._in_order(pa.concat_tables(parts))
        write_atomically(path, lambda temporary: pq.write_table(result, temporary))
        self._note_gpus(result)
        self.mark_finished()
        return result

    def _note_gpus(self, trajectories: pa.Table) -> None:
        """Name in the manifest the GPUs that searches ran on; only where they run is it known."""
        names = set(trajectories.column("device").to_pylist()) - {TABLE_DEVICE, "cpu", None}
        if names:
            self.manifest = self.manifest | {"gpus": sorted(names)}

    def _search_part(
        self, found: Sequence[tuple[Run, SearchContents]], tables: Mapping[str, Table]
    ) -> pa.Table:
        """Write what only searches have; returns their trajectories."""
        records = pa.concat_tables([contents.records for _, contents in found])
        for name, table in zip((SEARCHES, ALPHAS), split_records(records), strict=True):
            write_atomically(self.path / name, partial(pq.write_table, table))
        seed, repeat = self.arguments.get("seed", 0), self.arguments.get("repeat", "seeded")
        return trajectory(search_rows(found, tables, seed, repeat), tables, CURRENT)

    def _in_order(self, log: pa.Table) -> pa.Table:
        """Sort by the arguments' order of methods and spaces, not by their names."""
        for column, names in (("method", self._labels()), ("space", self.arguments["spaces"])):
            order = pa.array([str(name) for name in names])
            log = log.append_column(f"_{column}", pc.index_in(log[column], order))
        keys = ("_method", "_space", "seed", "evaluation")
        return log.sort_by([(key, "ascending") for key in keys]).drop_columns(list(keys[:2]))

    def _labels(self) -> Sequence[str]:
        """What the methods are called in the tables, in their order."""
        return list(self.arguments["methods"])


class SettingsStudy(Study):
    """The directory of a study of settings: each method is there with several."""

    kind = STUDY

    def _labels(self) -> Sequence[str]:
        return list(self.manifest["search"]["settings"])


def read_trajectories(path: str | Path) -> pa.Table:
    """The trajectories of a finished study directory.

    Raises:
        UserError: there are none, the file is damaged, or it has not each column once.
    """
    file = Path(path) / TRAJECTORIES
    try:
        table = pq.ParquetFile(file).read()
    except FileNotFoundError as error:
        raise UserError(
            f"{path} has no {TRAJECTORIES}: the study is not finished; continue it with "
            f"--resume {path}"
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"cannot read {file}: {str(error).splitlines()[0]}") from error
    if "device" not in table.column_names:  # studies from before there were searches
        table = table.append_column("device", pa.repeat(TABLE_DEVICE, table.num_rows))
    check_columns(table, TRAJECTORY_SCHEMA.names, file)
    return table


def check_columns(table: pa.Table, names: Sequence[str], file: Path) -> None:
    """Make sure that a table of a study has each of some columns, and once.

    Raises:
        UserError: it has not.
    """
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise UserError(f"{file} lacks the columns {', '.join(missing)}; run the study again")
    twice = [name for name in names if table.column_names.count(name) > 1]
    if twice:
        raise UserError(
            f"{file} has the column {twice[0]} twice; leave one of them out or run the study again"
        )
