"""Runs the commands of studies, one after another."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from raynas.artefacts.commands import command_line
from raynas.artefacts.ledger import NOT_RECORDED, Ledger, Planned, made_by, symbolic
from raynas.artefacts.process import Ran, Runner, run_command
from raynas.execution.files import writing
from raynas.version import this_version
from search_spaces.errors import UserError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reproduction's studies came to.

    Attributes:
        folders: of finished studies.
        reasons: by study, why it is not among them.
        seconds: by study, what its command took; those of this or an earlier time.
        made_by: by study, the version of raynas that made it.
    """

    folders: Mapping[str, Path]
    reasons: Mapping[str, str]
    seconds: Mapping[str, float]
    made_by: Mapping[str, str] = field(default_factory=dict)


def run_studies(
    planned: Sequence[Planned],
    ledger: Ledger,
    existing: Mapping[str, Path],
    *,
    said: Callable[[str], object],
    run: bool = True,
    runner: Runner = run_command,
) -> Outcome:
    """Run what is not finished; a command that fails costs only what needs its study.

    Args:
        planned: in order.
        ledger: of the reproduction.
        existing: directories that were given.
        said: takes a line for the user.
        run: False only collects what is there.
        runner: runs a command.

    Raises:
        UserError: stopped by Ctrl-C, or the file system refuses.
    """
    folders: dict[str, Path] = {}
    reasons: dict[str, str] = {}
    seconds: dict[str, float] = {}
    for one in planned:
        name = one.study.name
        missing = [need for need in one.study.needs if need not in folders]
        if one.ready:
            folders[name] = one.folder
            if one.state == "found":
                said(f"{name}: taken as it is in {one.folder}, made by a command of its own")
            if one.state == "finished":
                said(f"{name}: finished already{_otherwise(made_by(one, ledger))}")
        elif not run:
            unfinished = one.state == "resume"
            reasons[name] = "it is not finished" if unfinished else "it has not been run"
            continue
        elif missing:
            reasons[name] = f"it needs {', '.join(missing)}"
            said(f"{name}: not run, {reasons[name]}")
        else:
            ran = _run(one, ledger, existing, said, runner)
            if ran.exit_code:
                reasons[name] = f"its command failed: {ran.last_line}"
            else:
                folders[name] = one.folder
        took = ledger.known(name).get("seconds")
        if took is not None and name in folders and one.state != "given":
            seconds[name] = float(took)
    makers = {one.study.name: made_by(one, ledger) for one in planned if one.study.name in folders}
    return Outcome(folders, reasons, seconds, makers)


def _otherwise(maker: str) -> str:
    """What is to be said of a study that is used again though this raynas did not make it."""
    now = this_version()
    if maker.endswith(NOT_RECORDED):
        return f", which may be by another version ({maker}; this is {now})"
    return "" if maker == now else f", by another version ({maker}; this is {now})"


def _run(
    one: Planned,
    ledger: Ledger,
    existing: Mapping[str, Path],
    said: Callable[[str], object],
    runner: Runner,
) -> Ran:
    name, noted = one.study.name, symbolic(one, existing)
    before = float(ledger.known(name).get("seconds") or 0) if one.state == "resume" else 0.0
    maker = this_version()
    begun = ledger.known(name).get("made_by")
    if one.state == "resume" and begun != maker:
        maker = f"{begun or 'a version not recorded'}, then {maker}"
    ledger.note(name, noted, finished=False, seconds=before, made_by=maker)
    log = ledger.out / "log" / f"{name}.txt"
    with writing(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        one.folder.parent.mkdir(parents=True, exist_ok=True)
    command = command_line(one.study, one.arguments, one.folder, resume=one.state == "resume")
    said(f"{name}: python {shlex.join(command)} (see {log})")
    try:
        ran = runner(command, log)
    except KeyboardInterrupt:
        raise UserError(
            f"stopped; nothing finished is lost, continue with --resume --out {ledger.out}",
            exit_code=130,
        ) from None
    ledger.note(
        name,
        noted,
        finished=ran.exit_code == 0,
        seconds=before + ran.seconds,
        exit_code=ran.exit_code,
    )
    end = "done" if ran.exit_code == 0 else f"failed ({ran.last_line}); see {log}"
    said(f"{name}: {end}, {ran.seconds:.0f} s")
    return ran
