"""A study of settings from arguments to finished page: what `python -m raynas.study` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raynas.begun import (
    Result,
    check_common,
    continued,
    given_values,
    open_verified,
    tables_of,
)
from raynas.oneshot import REGISTRY
from raynas.search_request import (
    SEARCHED_SPACES,
    SearchRequest,
    search_plan,
)
from raynas.studies import STUDIES, StudyGrid, find_study, study_preset
from raynas.study_manifest import study_manifest
from search_spaces.errors import UserError, unknown_name

if TYPE_CHECKING:
    from raynas.analysis.sensitivity import Studied
    from raynas.execution.plan import Plan
    from raynas.execution.progress import ProgressListener
    from raynas.execution.study import SettingsStudy
    from raynas.report.build import ReportPaths
    from search_spaces.benchmark import Benchmark
    from search_spaces.table import Table

SENSITIVITY = "sensitivity"


@dataclass(frozen=True)
class Request:
    """What a user asked for; None takes the preset's or the usual value.

    Attributes:
        name: of the study, one of `STUDIES`.
        spaces: names of spaces with a supernet.
        methods: names of one-shot methods.
        benchmark: "auto", "surrogate" or the path of a store.
        seed: root of all random numbers.
        preset: "quick" or "paper".
        searches: options of the searches; `epochs` is the length that the default setting has.
    """

    name: str
    spaces: tuple[str, ...] | None = None
    methods: tuple[str, ...] | None = None
    benchmark: str | None = None
    seed: int | None = None
    preset: str | None = None
    searches: SearchRequest = field(default_factory=SearchRequest)

    def given(self) -> dict[str, Any]:
        """The arguments that were given, as a manifest records them (without the benchmark)."""
        return given_values(self, "benchmark", "searches") | self.searches.given()

    def check(self) -> None:
        """Refuse what names nothing.

        Raises:
            UserError: in one line, with the valid values.
        """
        find_study(STUDIES, self.name)
        check_common(self)
        for kind, chosen, valid in (
            ("space of one-shot methods", self.spaces, SEARCHED_SPACES),
            ("one-shot method", self.methods, tuple(REGISTRY)),
        ):
            for name in chosen or ():
                if name not in valid:
                    raise unknown_name(kind, name, list(valid))
        study_preset(STUDIES[self.name], self.preset or "quick")
        self.searches.check()


@dataclass(frozen=True)
class Begun:
    """A study with everything that it needs to run.

    Attributes:
        study: the open study; close it when done.
        grid: its grid as published.
        plan: what it runs.
        tables: the benchmark by space.
        studied: the methods with their settings.
    """

    study: SettingsStudy
    grid: StudyGrid
    plan: Plan
    tables: Mapping[str, Table]
    studied: tuple[Studied, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know beforehand, a line each."""
        return tuple(self.study.manifest["study"]["notes"])


def start(request: Request, out: Path | None = None) -> Begun:
    """Make a new study.

    Raises:
        UserError: for anything that a user can set right; then no study is left behind.
    """
    from raynas.execution.directory import new_path
    from raynas.execution.study import SettingsStudy

    request.check()
    grid = STUDIES[request.name]
    benchmark = open_verified(request.benchmark or "auto")
    tables = tables_of(benchmark, request.spaces or ("3",))
    manifest = study_manifest(grid, request, tables)
    study = SettingsStudy.create(out or new_path(f"{grid.name}-space-{'-'.join(tables)}"), manifest)
    return _begun(study, benchmark, tables)


def resume(directory: Path, request: Request) -> Begun:
    """Continue a study; arguments that were given must be those that it was started with.

    Raises:
        UserError: if the study, the arguments or the benchmark are not as they were.
    """
    from raynas.execution.study import SettingsStudy

    return continued(SettingsStudy, directory, request, _begun)


def run(
    begun: Begun, listener: ProgressListener | None = None, address: str | None = None
) -> Result:
    """Run what is left to run, and write tables, figures and the page.

    Raises:
        StudyInterrupted: after Ctrl-C; the study can be resumed.
        UserError: for anything that a user can set right.
    """
    from raynas.execution.directory import interruptible

    with interruptible(begun.study.path):
        return _run(begun, listener, address)


def _run(begun: Begun, listener: ProgressListener | None, address: str | None) -> Result:
    import pyarrow.parquet as pq

    from raynas.analysis.sensitivity import sensitivity
    from raynas.execution.files import write_atomically
    from raynas.execution.manifest import STUDY
    from raynas.execution.runner import run_study
    from raynas.report.studies import merge, read_study

    study, searches = begun.study, begun.plan.searches
    assert searches is not None
    outcome = run_study(study, begun.plan, listener=listener, address=address)
    study.finish(begun.tables, searches.runs())
    merged = merge([read_study(study.path, STUDY)])
    found = sensitivity(
        begun.grid.name,
        begun.studied,
        begun.plan.spaces,
        searches.seeds,
        merged.searches,
        seed=begun.plan.seed,
    )
    write_atomically(study.path / f"{SENSITIVITY}.parquet", partial(pq.write_table, found))
    return Result(found, outcome, report(study.path, study.path))


def report(directory: Path, out: Path) -> ReportPaths:
    """Write page and figures of a study whose tables are there.

    Raises:
        UserError: it is no such study, it is unfinished or damaged, or `out` cannot be written.
    """
    import pyarrow.parquet as pq

    from raynas.execution.manifest import STUDY
    from raynas.report.sensitivity import write_sensitivity
    from raynas.report.studies import merge, read_study

    study = read_study(directory, STUDY)
    name = study.manifest["arguments"]["name"]
    table = directory / f"{SENSITIVITY}.parquet"
    if not table.exists():
        raise UserError(
            f"{directory} has no {table.name}; `python -m raynas.study {name} --resume {directory}`"
            " writes it"
        )
    grid, studied = find_study(STUDIES, name), _studied(study.manifest)
    return write_sensitivity(grid, studied, pq.read_table(table), merge([study]), out)


def _begun(study: SettingsStudy, benchmark: Benchmark, tables: Mapping[str, Table]) -> Begun:
    from raynas.execution.plan import Plan

    searches = search_plan(study.manifest)
    assert searches is not None
    plan = Plan(
        spaces=searches.spaces,
        methods=searches.methods,
        seeds=searches.seeds,
        evaluations=1,
        benchmark=benchmark.path,
        sha256=benchmark.sha256,
        seed=study.arguments["seed"],
        searches=searches,
    )
    grid = find_study(STUDIES, study.arguments["name"])
    return Begun(study, grid, plan, tables, _studied(study.manifest))


def _studied(manifest: Mapping[str, Any]) -> tuple[Studied, ...]:
    """The methods with their settings, as a manifest names them."""
    from raynas.analysis.sensitivity import Studied

    return tuple(Studied(**entry) for entry in manifest["study"]["settings"])
