"""The directory of a reproduction: which studies it holds, how they were made, what is left."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raynas.artefacts.commands import (
    STUDIES_FOLDER,
    Options,
    Study,
    arguments,
    find_study,
    with_needed,
)
from raynas.artefacts.given import check_belonging, check_given, fits
from raynas.execution.files import write_atomically, writing
from raynas.execution.manifest import MANIFEST, read_manifest
from search_spaces.errors import UserError

LEDGER = "reproduction.json"
NOT_RECORDED = "not recorded"


@dataclass(frozen=True, slots=True)
class Planned:
    """A study of a reproduction.

    Attributes:
        study: which.
        folder: where it is or will be.
        arguments: of its command.
        state: "given" (somebody else's directory), "found" (finished in its place, but by a command
            of its own), "finished", "resume" or "new".
    """

    study: Study
    folder: Path
    arguments: tuple[str, ...]
    state: str

    @property
    def ready(self) -> bool:
        """Whether there is nothing left to run."""
        return self.state in ("given", "found", "finished")


class Ledger:
    """What is known of the studies in a reproduction's directory.

    Args:
        out: the directory.

    Raises:
        UserError: its ledger is damaged.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self._path = out / LEDGER
        self._studies: dict[str, dict[str, Any]] = {}
        if self._path.exists():
            try:
                self._studies = dict(json.loads(self._path.read_text(encoding="utf-8"))["studies"])
            except (OSError, ValueError, KeyError) as error:
                raise UserError(
                    f"{self._path} is damaged; choose another directory with --out"
                ) from error

    def folder(self, name: str) -> Path:
        """Where a study belongs."""
        return self.out / STUDIES_FOLDER / name

    def known(self, name: str) -> dict[str, Any]:
        """What is noted of a study: arguments, finished, seconds, exit_code, made_by."""
        return dict(self._studies.get(name, {}))

    def note(self, name: str, arguments: Sequence[str], **facts: object) -> None:
        """Note something of a study.

        Raises:
            UserError: the file system refuses.
        """
        entry = self._studies.setdefault(name, {})
        entry.update({"arguments": list(arguments), **facts})
        with writing(self.out):
            self.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"studies": self._studies}, indent=2) + "\n"
        write_atomically(self._path, lambda path: path.write_text(text, encoding="utf-8"))


def plan(
    names: Sequence[str],
    preset: str,
    options: Options,
    ledger: Ledger,
    *,
    existing: Mapping[str, Path] | None = None,
    resume: bool = False,
    run: bool = True,
) -> list[Planned]:
    """What there is to run for some studies, in order.

    Args:
        names: studies that artefacts need.
        preset: "quick" or "paper".
        options: handed on to the commands.
        ledger: of the reproduction.
        existing: directories to read studies from instead of running them.
        resume: whether unfinished studies may be continued.
        run: whether anything will be run; then what stands in the way is an error.

    Raises:
        UserError: a given directory holds no study, one of another kind or one that was made from
            another than it would stand beside, or the reproduction's directory holds a study
            that is unfinished or was made otherwise. One that was finished there by the study's own
            command is taken as it is.
    """
    existing = dict(existing or {})
    check_given(existing)
    wanted = with_needed(names) if run else [n for n in with_needed(names) if n in names]
    folders = {name: existing.get(name, ledger.folder(name)) for name in with_needed(names)}
    # Folders inside the reproduction go by the study's name, so that it can be moved.
    symbols = {name: existing.get(name, Path(name)) for name in folders}
    planned = []
    for name in wanted:
        study = find_study(name)
        given = arguments(study, preset, options, folders)
        if name in existing:
            planned.append(Planned(study, existing[name], given, "given"))
            continue
        noted = arguments(study, preset, options, symbols)
        state = _state(study, ledger, noted, resume=resume, run=run)
        planned.append(Planned(study, folders[name], given, state))
    check_belonging(planned, folders, run=run)
    return planned


def _state(study: Study, ledger: Ledger, noted: tuple[str, ...], *, resume: bool, run: bool) -> str:
    folder, known = ledger.folder(study.name), ledger.known(study.name)
    if not folder.exists() or not any(folder.iterdir()):
        return "new"
    if not known and fits(study, folder):
        return "found"
    if known and tuple(known["arguments"]) == noted:
        if known.get("finished"):
            return "finished"
        if resume or not run:
            return "resume" if (folder / MANIFEST).exists() else "new"
        raise UserError(f"{folder} is not finished; continue it with --resume")
    if not run:
        return "new"
    how = shlex.join(known["arguments"]) if known else "another command"
    raise UserError(
        f"{folder} was made otherwise ({how}); choose another directory with --out", exit_code=2
    )


def made_by(planned: Planned, ledger: Ledger) -> str:
    """The version of raynas that made a study, and its revision if that is known."""
    noted = ledger.known(planned.study.name).get("made_by")
    if noted and planned.state != "given":
        return str(noted)
    if planned.study.done != MANIFEST:
        return _recorded(planned.folder / planned.study.done)
    try:
        version = read_manifest(planned.folder).get("raynas_version")
    except UserError:  # damaged, which whoever reads the study says
        version = None
    return f"raynas {version}, revision {NOT_RECORDED}" if version else f"version {NOT_RECORDED}"


def _recorded(table: Path) -> str:
    """The same of a comparison with random draws, which has no manifest."""
    from raynas.analysis.random_policy.record import read_record

    try:
        record = read_record(table)
    except UserError:
        record = None
    return f"version {NOT_RECORDED}" if record is None else record.made_by


def symbolic(planned: Planned, existing: Mapping[str, Path]) -> tuple[str, ...]:
    """The arguments of a study as the ledger notes them."""
    needed = iter(planned.study.needs)
    count = len(planned.study.needs)
    own = [str(existing.get(name, Path(name))) for name in needed]
    return (*own, *planned.arguments[count:])
