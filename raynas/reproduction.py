"""A reproduction from names to verdicts: what `python -m raynas.reproduce` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from raynas.artefacts import (
    Artefact,
    Evidence,
    Judged,
    MissingStudyError,
    Obtained,
    Verdict,
    find_artefacts,
)
from raynas.artefacts.commands import PRESETS
from raynas.artefacts.ledger import NOT_RECORDED, Ledger, Planned, plan
from raynas.artefacts.process import Runner, run_command
from raynas.artefacts.running import Outcome, run_studies
from raynas.reproduction_commands import commands_of
from raynas.reproduction_request import Request
from raynas.version import this_version
from search_spaces.errors import UserError, unknown_name
from search_spaces.sources import open_benchmark

if TYPE_CHECKING:
    from raynas.report.reproduction import ReproductionPaths


@dataclass(frozen=True)
class Result:
    """An artefact and what was found for it.

    Attributes:
        artefact: which.
        obtained: figures, verdict and conditions.
        commands: that make what it is read from, each on one line; the last one judges it.
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
        took = [outcome.seconds[name] for name in artefact.studies if name in outcome.seconds]
        obtained = _obtain(artefact, evidence)
        read = obtained.judged.verdict is not Verdict.NOT_RUN
        results.append(
            Result(
                artefact,
                obtained,
                commands_of(artefact, by_name, outcome, request, read=read),
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
