"""A reproduction from names to verdicts: what `python -m raynas.reproduce` does."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from raynas import correlation_study
from raynas.artefacts import (
    Artefact,
    Evidence,
    Judged,
    MissingStudyError,
    Obtained,
    Verdict,
    find_artefacts,
)
from raynas.artefacts.commands import PRESETS, Options, command_line, find_study
from raynas.artefacts.ledger import NOT_RECORDED, Ledger, Planned, plan
from raynas.artefacts.running import Outcome, Runner, run_command, run_studies
from raynas.execution.manifest import COMPARISON, CORRELATION, MANIFEST, read_manifest
from raynas.report.wording import rerun_command
from raynas.version import this_version
from search_spaces.errors import UserError, unknown_name
from search_spaces.sources import open_benchmark

if TYPE_CHECKING:
    from raynas.report.reproduction import ReproductionPaths


@dataclass(frozen=True)
class Request:
    """What a user asked for.

    Attributes:
        names: of artefacts, or "all".
        preset: "quick" or "paper".
        out: directory of the reproduction.
        resume: whether unfinished studies are continued.
        run: False only reads what is there.
        options: handed on to the commands.
        existing: by study name, directories to read instead of running.
    """

    names: tuple[str, ...]
    preset: str = "quick"
    out: Path | None = None
    resume: bool = False
    run: bool = True
    options: Options = field(default_factory=Options)
    existing: Mapping[str, Path] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The directory of the reproduction."""
        return self.out or Path("studies") / f"reproduce-{self.preset}"


@dataclass(frozen=True)
class Result:
    """An artefact and what was found for it.

    Attributes:
        artefact: which.
        obtained: figures, verdict and conditions.
        commands: that make what it is read from, each on one line.
        seconds: that these took in all; None if nothing was run for it.
        figures: drawings of the studies that show it.
        made_by: of each study, the version of raynas that made it.
    """

    artefact: Artefact
    obtained: Obtained
    commands: tuple[str, ...]
    seconds: float | None = None
    figures: tuple[Path, ...] = ()
    made_by: tuple[str, ...] = ()


def reproduce(
    request: Request,
    said: Callable[[str], object],
    runner: Runner = run_command,
) -> tuple[list[Result], Outcome, ReproductionPaths]:
    """Run the studies, judge the artefacts, write page and Markdown.

    Args:
        request: what is wanted.
        said: takes lines on how it goes.
        runner: runs a command.

    Raises:
        UserError: for anything that a user can set right; a failed command is none.
    """
    from raynas.report.reproduction import write_reproduction

    artefacts = find_artefacts(request.names)
    if request.preset not in PRESETS:
        raise unknown_name("preset", request.preset, list(PRESETS))
    open_benchmark(_benchmark(request))  # before anything is run for a benchmark that is not there
    ledger = Ledger(request.folder)
    planned = plan(
        studies_of(artefacts),
        request.preset,
        request.options,
        ledger,
        existing=request.existing,
        resume=request.resume,
        run=request.run,
    )
    outcome = run_studies(
        planned, ledger, request.existing, said=said, run=request.run, runner=runner
    )
    results = judge(artefacts, planned, outcome, request)
    paths = write_reproduction(results, request.preset, request.folder)
    return results, outcome, paths


def _benchmark(request: Request) -> str:
    return request.options.benchmark or "auto"


def studies_of(artefacts: Sequence[Artefact]) -> list[str]:
    """The studies that artefacts are read from, each once."""
    return list(dict.fromkeys(name for artefact in artefacts for name in artefact.studies))


def judge(
    artefacts: Sequence[Artefact], planned: Sequence[Planned], outcome: Outcome, request: Request
) -> list[Result]:
    """Read every artefact from the studies that are there."""
    evidence = Evidence(outcome.folders, _benchmark(request), outcome.reasons)
    by_name = {one.study.name: one for one in planned}
    results = []
    for artefact in artefacts:
        commands = tuple(_command(by_name[name]) for name in artefact.studies if name in by_name)
        took = [outcome.seconds[name] for name in artefact.studies if name in outcome.seconds]
        results.append(
            Result(
                artefact,
                _obtain(artefact, evidence),
                commands or _own_command(artefact),
                sum(took) if took else None,
                _figures(artefact, outcome),
                _makers(artefact, outcome),
            )
        )
    return results


def _obtain(artefact: Artefact, evidence: Evidence) -> Obtained:
    if artefact.obtain is None:
        return _without(Verdict.NOT_AVAILABLE, f"needs {artefact.needs}")
    try:
        return artefact.obtain(evidence)
    except MissingStudyError as error:
        return _without(Verdict.NOT_RUN, str(error))
    except UserError as error:
        return _without(Verdict.NOT_RUN, f"its study cannot be read: {error}")


def _without(verdict: Verdict, reason: str) -> Obtained:
    return Obtained((), Judged(verdict, reason), "")


def _own_command(artefact: Artefact) -> tuple[str, ...]:
    if artefact.obtain is None:
        return ()
    return (f"python -m raynas.reproduce {artefact.name}",)


def _command(planned: Planned) -> str:
    """The command of a study as a reader would type it."""
    if planned.state == "given":
        return _command_of(planned.folder)
    command = command_line(planned.study, planned.arguments, planned.folder, resume=False)
    return f"python {shlex.join(command)}"


def _command_of(folder: Path) -> str:
    """What made a study that was given, as far as its manifest says it."""
    if (folder / MANIFEST).exists():
        manifest = read_manifest(folder)
        if manifest.get("kind") == CORRELATION:
            return correlation_study.rerun_command(manifest["arguments"])
        if manifest.get("command") or manifest.get("kind", COMPARISON) == COMPARISON:
            return rerun_command(manifest)
    return f"(read from {folder})"


def _makers(artefact: Artefact, outcome: Outcome) -> tuple[str, ...]:
    """Who made its studies; which is said where it is another than who writes of them now."""
    found = []
    for name in artefact.studies:
        maker = outcome.made_by.get(name)
        if maker is not None:
            same = maker == this_version() or maker.endswith(NOT_RECORDED)
            found.append(f"study {name}: {maker}{'' if same else ' (not that of this page)'}")
    return tuple(found)


def _figures(artefact: Artefact, outcome: Outcome) -> tuple[Path, ...]:
    return tuple(
        path
        for study, pattern in artefact.figures
        if study in outcome.folders
        for path in sorted((outcome.folders[study] / "figures").glob(pattern))
    )


def parse_existing(values: Sequence[str]) -> dict[str, Path]:
    """NAME=DIR options as a mapping.

    Raises:
        UserError: one is no such pair, or names no study.
    """
    found = {}
    for value in values:
        name, separator, folder = value.partition("=")
        if not separator or not folder:
            raise UserError(
                f"--study {value}: give NAME=DIR, for instance one-shot=studies/mine", exit_code=2
            )
        found[find_study(name).name] = Path(folder)
    return found
