"""A study: a directory with a manifest, Parquet tables and, while it runs, a log."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from raynas.analysis.runs import TABLE_DEVICE
from raynas.analysis.trajectory import CURRENT, trajectory
from raynas.execution.files import TEMPORARY_PREFIX, write_atomically, writing
from raynas.execution.log import BlockLog, Run
from raynas.execution.manifest import differences, now, read_manifest, write_manifest
from raynas.execution.search_log import SearchContents, SearchLog, split_records
from raynas.execution.search_rows import search_rows
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from search_spaces.table import Table

LOG = "log"
CHECKPOINTS = "checkpoints"
TRAJECTORIES = "trajectories.parquet"
SEARCHES = "searches.parquet"
ALPHAS = "alphas.parquet"
_LOCK = ".lock"


class StudyInterrupted(UserError):  # noqa: N818
    """The user stopped the study; what was finished is kept.

    Attributes:
        path: the study's directory.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"stopped; nothing finished is lost, continue with --resume {path}", exit_code=130
        )
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (StudyInterrupted, (self.path,))


class Study:
    """A study directory that this process may write; use it as a context manager.

    Attributes:
        path: the directory.
        manifest: the content of `manifest.json`.
        log: finished evaluations of a study that is not finished.
        searches: records and checkpoints of its one-shot searches.
    """

    def __init__(self, path: Path, manifest: dict[str, Any], lock: int) -> None:
        """Use `create` or `resume`."""
        self.path = path
        self.manifest = manifest
        self._lock: int | None = lock
        if not self.finished:
            with writing(path):
                (path / LOG).mkdir(exist_ok=True)
        self.log = BlockLog(path / LOG)
        self.log.remove_leftovers()
        keep = self.arguments.get("keep_checkpoints") or "last"
        self.searches = SearchLog(path / LOG / "searches", path / CHECKPOINTS, keep)
        self.searches.remove_leftovers()

    @staticmethod
    def create(path: str | Path, manifest: Mapping[str, Any]) -> Study:
        """Make a new study; the directory appears with its manifest in it, or not at all.

        Raises:
            UserError: the directory holds something already, or cannot be written.
        """
        path = Path(path).absolute()
        _refuse_occupied(path)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(
                tempfile.mkdtemp(prefix=f"{TEMPORARY_PREFIX}{path.name}-", dir=path.parent)
            )
        try:
            with writing(path):
                draft.chmod(0o755)
                (draft / LOG).mkdir()
                write_manifest(draft, manifest)
                draft.replace(path)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return Study(path, dict(manifest), _acquire(path))

    @staticmethod
    def resume(
        path: str | Path, arguments: Mapping[str, Any] | None = None, sha256: str | None = None
    ) -> Study:
        """Continue a study.

        Args:
            path: its directory.
            arguments: those that were given this time; each must be what the manifest says.
            sha256: checksum of the benchmark at hand; it must be the study's.

        Raises:
            UserError: no such study, another layout version, other arguments, another benchmark,
                or another process is running it.
        """
        path = Path(path).absolute()
        if not path.is_dir():
            raise UserError(f"no study directory {path}; leave --resume out to start a new study")
        _refuse_other(path, read_manifest(path), arguments or {}, sha256)
        lock = _acquire(path)
        return Study(path, read_manifest(path), lock)

    @property
    def arguments(self) -> dict[str, Any]:
        """What the study was asked to do."""
        return dict(self.manifest["arguments"])

    @property
    def finished(self) -> bool:
        """Whether the trajectories are complete and there is nothing left to run."""
        return self.manifest["finished"] is not None

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
        manifest = self.manifest | {"finished": now()}
        write_manifest(self.path, manifest)
        self.manifest = manifest
        shutil.rmtree(self.path / LOG, ignore_errors=True)
        return result

    def _search_part(
        self, found: Sequence[tuple[Run, SearchContents]], tables: Mapping[str, Table]
    ) -> pa.Table:
        """Write what only searches have; returns their trajectories."""
        records = pa.concat_tables([contents.records for _, contents in found])
        for name, table in zip((SEARCHES, ALPHAS), split_records(records), strict=True):
            write_atomically(self.path / name, partial(pq.write_table, table))
        seed, repeat = self.arguments.get("seed", 0), self.arguments.get("repeat", "seeded")
        return trajectory(search_rows(found, tables, seed, repeat), tables, CURRENT)

    def close(self) -> None:
        """Let other processes have the study."""
        if self._lock is not None:
            (self.path / _LOCK).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Study:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _in_order(self, log: pa.Table) -> pa.Table:
        """Sort by the arguments' order of methods and spaces, not by their names."""
        for column, plural in (("method", "methods"), ("space", "spaces")):
            order = pa.array([str(name) for name in self.arguments[plural]])
            log = log.append_column(f"_{column}", pc.index_in(log[column], order))
        keys = ("_method", "_space", "seed", "evaluation")
        return log.sort_by([(key, "ascending") for key in keys]).drop_columns(list(keys[:2]))


def read_trajectories(path: str | Path) -> pa.Table:
    """The trajectories of a finished study directory.

    Raises:
        UserError: there are none, or the file is damaged.
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
    if "device" in table.column_names:
        return table
    # Studies from before there were searches.
    return table.append_column("device", pa.repeat(TABLE_DEVICE, table.num_rows))


def _refuse_occupied(path: Path) -> None:
    try:
        if path.is_dir() and not any(path.iterdir()):
            return
        if not path.exists():
            return
    except OSError as error:
        raise UserError(f"cannot look into {path}: {error.strerror}") from error
    if (path / "manifest.json").exists():
        raise UserError(f"{path} holds a study already; continue it with --resume {path}")
    raise UserError(f"{path} exists and is not empty; choose another directory with --out")


def _refuse_other(
    path: Path, manifest: Mapping[str, Any], arguments: Mapping[str, Any], sha256: str | None
) -> None:
    found = differences(manifest["arguments"], arguments)
    if found:
        raise UserError(
            f"{path} is a study with other arguments: {'; '.join(found)}; leave them out to "
            "resume it, or start a new study with --out",
            exit_code=2,
        )
    recorded = manifest["benchmark"]
    if sha256 is not None and recorded["sha256"] != sha256:
        raise UserError(
            f"{path} was made with the benchmark {recorded['name']!r} (sha256 "
            f"{recorded['sha256'][:12]}), not with this one (sha256 {sha256[:12]}); give the same "
            "one with --benchmark"
        )


def _acquire(path: Path) -> int:
    """Lock a study for this process; the lock ends with the process, however it ends."""
    with writing(path):
        while True:
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
                os.close(lock)
                raise UserError(
                    f"{path} is being run by another process (pid {owner}); wait for it or stop it"
                ) from None
            if _same_file(lock, path / _LOCK):
                break
            os.close(lock)  # its last owner deleted it between our open and our lock
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        return lock


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
