"""The directory of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from raynas.execution.directory import CHECKPOINTS, LOG, StudyDirectory
from raynas.execution.files import TEMPORARY_PREFIX, content_digest, write_atomically, writing
from raynas.execution.manifest import SWEEP, run_manifest
from search_spaces.errors import UserError
from tuning.log import Record, SweepLog
from tuning.table import EVALUATIONS, build_table, read_evaluations

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

    from tuning.settings import SweepSettings


class SweepStudy(StudyDirectory):
    """A sweep's directory, written by this process only.

    Attributes:
        log: finished evaluations, while the sweep runs.
        checkpoints: the last state of each configuration.
    """

    kind: ClassVar[str] = SWEEP

    def __init__(self, path: Path, manifest: dict[str, Any], lock: int) -> None:
        """Use `create` or `resume`."""
        super().__init__(path, manifest, lock)
        self.log = SweepLog(path / LOG)
        self.log.remove_leftovers()
        self.checkpoints = Checkpoints(path / CHECKPOINTS)
        self.checkpoints.remove_leftovers()

    def refuse_other_space(self, space: ConfigurationSpace) -> None:
        """Check that a resumed sweep is over the same space.

        Raises:
            UserError: it is not.
        """
        given = describe_space(space)
        if given != self.manifest["space"]:
            recorded = {entry["name"]: entry for entry in self.manifest["space"]["hyperparameters"]}
            now = {entry["name"]: entry for entry in given["hyperparameters"]}
            names = sorted(n for n in recorded | now if recorded.get(n) != now.get(n))
            raise UserError(
                f"{self.path} is a sweep over another configuration space (differs in: "
                f"{', '.join(names) or 'conditions'}); resume it with its own settings, or start "
                "a new one with --out",
                exit_code=2,
            )

    def finish(self, records: Mapping[int, Record]) -> pa.Table:
        """Write the table and delete the log; harmless if done already."""
        if self.finished:
            return read_evaluations(self.path)
        table = build_table(records, self.manifest["hyperparameters"])
        write_atomically(self.path / EVALUATIONS, lambda path: pq.write_table(table, path))
        self.mark_finished()
        return table


class Checkpoints:
    """A folder with one file per configuration and budget; only the last of each is kept."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which need not exist."""
        self._folder = folder

    def write(self, configuration: int, epochs: int, content: bytes) -> str:
        """Put a state on disk; returns its digest.

        Raises:
            UserError: it cannot be written.
        """
        path = self._file(configuration, epochs)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda temporary: temporary.write_bytes(content))
        return content_digest(content)

    def read(self, record: Record) -> bytes | None:
        """The state that an evaluation left; None if it left none, or it is lost or damaged."""
        try:
            content = self._file(record.configuration, record.epochs).read_bytes()
        except OSError:
            return None
        return content if content_digest(content) == record.checkpoint else None

    def remove_older(self, configuration: int, epochs: int) -> None:
        """Delete what a configuration's later state has made superfluous."""
        for path in self._file(configuration, epochs).parent.glob("epochs_*.pt"):
            if _epochs(path) < epochs:
                path.unlink(missing_ok=True)

    def remove_leftovers(self) -> None:
        """Delete what interrupted writes left; only for the one who holds the study's lock."""
        for path in self._folder.glob(f"*/{TEMPORARY_PREFIX}*"):
            path.unlink(missing_ok=True)

    def _file(self, configuration: int, epochs: int) -> Path:
        return self._folder / _folder_name(configuration) / f"epochs_{epochs}.pt"


def _folder_name(configuration: int) -> str:
    return f"configuration_{configuration:05d}"


def _epochs(file: Path) -> int:
    return int(file.stem.partition("_")[2])


def read_checkpoint_of(study: str | Path, configuration: int) -> bytes | None:
    """The state after a configuration's last evaluation; None if it left none."""
    folder = Path(study) / CHECKPOINTS / _folder_name(configuration)
    states = sorted(folder.glob("epochs_*.pt"), key=_epochs)
    return states[-1].read_bytes() if states else None


def sweep_manifest(
    settings: SweepSettings,
    space: ConfigurationSpace,
    arguments: Mapping[str, Any],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """The manifest of a sweep that starts now.

    Args:
        settings: of the sweep.
        space: what is searched.
        arguments: further ones, of whoever made space and objective.
        about: further keys of the manifest.
    """
    manifest = run_manifest(SWEEP, {**arguments, **settings.to_arguments()})
    return {
        **about,
        **manifest,
        "hyperparameters": list(space.keys()),
        "space": describe_space(space),
    }


def describe_space(space: ConfigurationSpace) -> dict[str, Any]:
    """A configuration space as JSON holds it."""
    import json

    found = space.to_serialized_dict()
    plain: dict[str, Any] = json.loads(json.dumps(found, default=_plain))
    return {key: plain[key] for key in ("hyperparameters", "conditions", "forbiddens")}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)
