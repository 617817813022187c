"""The commands that make a result of a reproduction anew, as a reader would type them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from raynas import correlation_study
from raynas.artefacts import Artefact
from raynas.artefacts.commands import command_line
from raynas.artefacts.ledger import Planned
from raynas.artefacts.running import Outcome
from raynas.execution.manifest import CORRELATION, read_manifest
from raynas.report.rerun import rerun_command
from raynas.reproduction_request import Request


def commands_of(
    artefact: Artefact,
    planned: Mapping[str, Planned],
    outcome: Outcome,
    request: Request,
    *,
    read: bool = False,
) -> tuple[str, ...]:
    """Those of the studies that an artefact is read from, and last the one that judges it.

    Args:
        artefact: which.
        planned: studies by name.
        outcome: what they came to.
        request: what was asked for.
        read: whether the artefact was read, if need be without some of its studies.
    """
    if artefact.obtain is None:
        return ()
    ones = [planned[name] for name in artefact.studies if name in planned]
    without = read and not request.run and not all(one.ready for one in ones)
    studies = [_command(one) for one in ones if one.ready or not without]
    last = request.command(artefact, tuple(outcome.reasons), run=not without)
    # A directory that stands for two studies is made once.
    return (*dict.fromkeys(studies), last)


def _command(planned: Planned) -> str:
    if planned.state in ("given", "found"):
        return f"{_made_by(planned)} --out {shlex.quote(str(planned.folder))}"
    command = command_line(planned.study, planned.arguments, planned.folder, resume=False)
    return f"python {shlex.join(command)}"


def _made_by(planned: Planned) -> str:
    """The command that made a study that was given, without --out."""
    needed = _needed(planned)
    if planned.study.module == "raynas.random_policy":
        from raynas.analysis.random_policy.record import read_record

        record = read_record(planned.folder / planned.study.done)
        assert record is not None  # without one it is refused
        return (replace(record, studies=dict.fromkeys(needed, "")) if needed else record).command()
    manifest = read_manifest(planned.folder)
    if manifest.get("kind") == CORRELATION:
        study = {"study": needed[0]} if needed else {}
        return correlation_study.rerun_command(manifest["arguments"] | study)
    return rerun_command(manifest)


def _needed(planned: Planned) -> list[str]:
    """Where the studies are that one was made from; empty if they are not all there.

    Its own note of them may be older than a move.
    """
    paths = planned.arguments[: len(planned.study.needs)]
    return list(paths) if all(Path(path).exists() for path in paths) else []
