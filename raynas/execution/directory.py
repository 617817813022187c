"""A study's directory: a manifest, a folder for the log, and a lock for whoever writes."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from raynas.execution.files import TEMPORARY_PREFIX, writing
from raynas.execution.manifest import (
    COMPARISON,
    MANIFEST,
    differences,
    manifest_text,
    now,
    read_manifest,
    resumed_manifest,
    write_manifest,
)
from search_spaces.errors import UserError

LOG = "log"
CHECKPOINTS = "checkpoints"
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


@contextmanager
def interruptible(path: Path) -> Iterator[None]:
    """Whatever interrupts what is done inside stops the study in that directory.

    Raises:
        StudyInterrupted: after Ctrl-C, when the reader of our output is gone, or when a study
            inside, which is a part of this one, was stopped.
    """
    try:
        yield
    except (KeyboardInterrupt, BrokenPipeError, StudyInterrupted):
        raise StudyInterrupted(path) from None


def new_path(name: str) -> Path:
    """Where a study of this name goes unless it is said: below `studies`, with the time."""
    return Path("studies") / f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"


class StudyDirectory:
    """A study directory that this process may write; use it as a context manager.

    Attributes:
        kind: what sort of study it is, as the manifest says.
        continued_by: the option with which its command continues it.
        path: the directory.
        manifest: the content of `manifest.json`.
    """

    kind: ClassVar[str] = COMPARISON
    continued_by: ClassVar[str] = "--resume {path}"

    def __init__(self, path: Path, manifest: dict[str, Any], lock: int) -> None:
        """Use `create` or `resume`."""
        self.path = path
        self.manifest = manifest
        self._lock: int | None = lock
        if not self.finished:
            with writing(path):
                (path / LOG).mkdir(exist_ok=True)

    @classmethod
    def create(cls, path: str | Path, manifest: Mapping[str, Any]) -> Self:
        """Make a new study; the directory appears with its manifest in it, or not at all.

        Raises:
            UserError: the directory holds something already, or cannot be written.
        """
        path = Path(path).absolute()
        _refuse_occupied(path, cls.continued_by)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(
                tempfile.mkdtemp(prefix=f"{TEMPORARY_PREFIX}{path.name}-", dir=path.parent)
            )
        try:
            with writing(path):
                draft.chmod(0o755)
                (draft / LOG).mkdir()
                (draft / MANIFEST).write_text(manifest_text(manifest), encoding="utf-8")
                draft.replace(path)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return cls(path, dict(manifest), _acquire(path))

    @classmethod
    def resume(
        cls,
        path: str | Path,
        arguments: Mapping[str, Any] | None = None,
        sha256: str | None = None,
    ) -> Self:
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
        _refuse_other(path, read_manifest(path, cls.kind), arguments or {}, sha256)
        lock = _acquire(path)
        try:
            return cls(path, cls._continued(path), lock)
        except BaseException:
            os.close(lock)
            raise

    @classmethod
    def _continued(cls, path: Path) -> dict[str, Any]:
        """The manifest, in which it is noted that the study goes on, if it does."""
        manifest = read_manifest(path, cls.kind)
        if manifest["finished"] is None:
            manifest = resumed_manifest(manifest)
            write_manifest(path, manifest)
        return manifest

    @property
    def arguments(self) -> dict[str, Any]:
        """What the study was asked to do."""
        return dict(self.manifest["arguments"])

    @property
    def finished(self) -> bool:
        """Whether the tables are complete and there is nothing left to run."""
        return self.manifest["finished"] is not None

    def mark_finished(self) -> None:
        """Say that the tables are complete, and delete the log they were made from."""
        manifest = self.manifest | {"finished": now()}
        write_manifest(self.path, manifest)
        self.manifest = manifest
        shutil.rmtree(self.path / LOG, ignore_errors=True)

    def close(self) -> None:
        """Let other processes have the study."""
        if self._lock is not None:
            (self.path / _LOCK).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _refuse_occupied(path: Path, continued_by: str) -> None:
    try:
        if path.is_dir() and not any(path.iterdir()):
            return
        if not path.exists():
            return
    except OSError as error:
        raise UserError(f"cannot look into {path}: {error.strerror}") from error
    if (path / MANIFEST).exists():
        how = continued_by.format(path=path)
        raise UserError(f"{path} holds a study already; continue it with {how}")
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
    if sha256 is None:
        return
    recorded = manifest["benchmark"]
    if recorded["sha256"] != sha256:
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
