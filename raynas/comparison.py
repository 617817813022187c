"""A comparison from arguments to finished study: what `python -m raynas.compare` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from raynas.begun import (
    Result,
    check_common,
    continued,
    given_values,
    open_verified,
    tables_of,
)
from raynas.labels import base_method
from raynas.oneshot import REGISTRY
from raynas.optimizers import OPTIMIZERS
from raynas.presets import find_preset
from raynas.search_request import (
    SEARCHED_SPACES,
    SearchRequest,
    search_arguments,
    search_note,
    search_plan,
)
from raynas.tuned import Tuned, read_all_tuned
from search_spaces.errors import UserError, unknown_name
from search_spaces.spaces import SPACE_NAMES

if TYPE_CHECKING:
    from raynas.execution.plan import Plan
    from raynas.execution.progress import ProgressListener
    from raynas.execution.study import Study
    from search_spaces.benchmark import Benchmark
    from search_spaces.table import Table

#: Black-box optimizers, then one-shot methods. `smac3` runs the smac package itself, about 0.4 s a
#: suggestion: on request only.
DEFAULT_METHODS = (*(name for name in OPTIMIZERS if name != "smac3"), *REGISTRY)
INCUMBENT_RULES = ("validation", "oracle")
REPEAT_RULES = ("seeded", "mean", "0", "1", "2")
QUANTITIES = ("validation", "test", "seconds")


@dataclass(frozen=True)
class Request:
    """What a user asked for; None takes the preset's or the usual value.

    Attributes:
        spaces: names of spaces.
        methods: names of methods.
        seeds: runs per method and space; they have the seeds 0, 1, ...
        evaluations: full trainings per run.
        budget_seconds: simulated seconds per run.
        benchmark: "auto", "surrogate" or the path of a store.
        repeat: which training repeat an evaluation sees, one of `REPEAT_RULES`.
        incumbent: "validation", or "oracle" for the rule of the published curves.
        workers: simulated asynchronous workers of a run.
        seed: root of all random numbers.
        preset: name of a preset.
        searches: options of the one-shot methods.
        tuned: directories of sweeps, whose methods run with tuned settings, too.
    """

    spaces: tuple[str, ...] | None = None
    methods: tuple[str, ...] | None = None
    seeds: int | None = None
    evaluations: int | None = None
    budget_seconds: float | None = None
    benchmark: str | None = None
    repeat: str | None = None
    incumbent: str | None = None
    workers: int | None = None
    seed: int | None = None
    preset: str | None = None
    searches: SearchRequest = field(default_factory=SearchRequest)
    tuned: tuple[Path, ...] | None = None

    def given(self) -> dict[str, Any]:
        """The arguments that were given, as a manifest records them (without the benchmark)."""
        plain = given_values(self, "benchmark", "searches", "tuned")
        if self.tuned is not None:
            plain["tuned"] = _absolute(self.tuned)
        if self.seeds is not None:
            plain["seeds"] = list(range(self.seeds))
        return plain | self.searches.given()

    def check(self) -> None:
        """Refuse what names nothing or counts nothing.

        Raises:
            UserError: in one line, with the valid values.
        """
        check_common(self)
        for kind, names, valid in (
            ("space", self.spaces, SPACE_NAMES),
            ("method", self.methods, (*OPTIMIZERS, *REGISTRY)),
            ("repeat", (self.repeat,), REPEAT_RULES),
            ("incumbent rule", (self.incumbent,), INCUMBENT_RULES),
        ):
            for name in names or ():
                if name is not None and name not in valid:
                    raise unknown_name(kind, name, list(valid))
        for option in ("seeds", "evaluations", "budget_seconds", "workers"):
            value = getattr(self, option)
            if value is not None and not value > 0:
                flag = option.replace("_", "-")
                raise UserError(f"--{flag} must be greater than 0, not {value}", exit_code=2)
        find_preset(self.preset or "quick")
        self.searches.check()


@dataclass(frozen=True)
class Comparison:
    """A study with everything that it needs to run.

    Attributes:
        study: the open study; close it when done.
        plan: what it runs.
        tables: the benchmark by space.
        notes: what a user should know beforehand, a line each.
    """

    study: Study
    plan: Plan
    tables: Mapping[str, Table]
    notes: tuple[str, ...]


def start(request: Request, out: Path | None = None) -> Comparison:
    """Make a new study.

    Raises:
        UserError: for anything that a user can set right; then no study is left behind.
    """
    from raynas.execution.directory import new_path
    from raynas.execution.manifest import new_manifest
    from raynas.execution.study import Study

    request.check()
    benchmark = open_verified(request.benchmark or "auto")
    tables = tables_of(benchmark, request.spaces or ("3",))
    tuned = read_all_tuned(request.tuned or ())
    methods, notes = _methods(request.methods, tables, tuned)
    searched = [name for name in methods if _is_searched(name)]
    preset = find_preset(request.preset or "quick")
    arguments = {
        "spaces": list(tables),
        "methods": list(methods),
        "seeds": list(range(request.seeds or preset.seeds)),
        "evaluations": request.evaluations or preset.evaluations,
        "budget_seconds": request.budget_seconds,
        "repeat": request.repeat or "seeded",
        "incumbent": request.incumbent or "validation",
        "workers": request.workers or 1,
        "seed": request.seed or 0,
        "preset": request.preset or "quick",
        "tuned": _absolute(request.tuned or ()),
    }
    search = None
    if searched:
        spaces = [name for name in tables if name in SEARCHED_SPACES]
        added, search = search_arguments(request.searches, preset, searched, spaces, tuned)
        arguments |= added
        notes += (search_note(search), *_tuned_notes(search, tuned))
    else:
        request.searches.refuse_unused()
    manifest = new_manifest(arguments, tables, search)
    plan = _plan(manifest, benchmark)
    study = Study.create(out or new_path(f"compare-space-{'-'.join(tables)}"), manifest)
    return Comparison(study, plan, tables, notes)


def resume(directory: Path, request: Request) -> Comparison:
    """Continue a study; arguments that were given must be those that it was started with.

    Raises:
        UserError: if the study, the arguments or the benchmark are not as they were.
    """
    from raynas.execution.study import Study

    def begin(study: Study, benchmark: Benchmark, tables: Mapping[str, Table]) -> Comparison:
        return Comparison(study, _plan(study.manifest, benchmark), tables, ())

    return continued(Study, directory, request, begin)


def run(
    comparison: Comparison,
    listener: ProgressListener | None = None,
    address: str | None = None,
) -> Result:
    """Run what is left to run, and write tables, figures and the page.

    Raises:
        StudyInterrupted: after Ctrl-C; the study can be resumed.
        UserError: for anything that a user can set right.
    """
    from raynas.execution.directory import interruptible

    with interruptible(comparison.study.path):
        return _run(comparison, listener, address)


def _run(comparison: Comparison, listener: ProgressListener | None, address: str | None) -> Result:
    import pyarrow.parquet as pq

    from raynas.analysis import reference_curves, summary
    from raynas.execution.files import write_atomically
    from raynas.execution.runner import run_study
    from raynas.report import build_report

    study = comparison.study
    outcome = run_study(study, comparison.plan, listener=listener, address=address)
    searches = comparison.plan.searches
    trajectories = study.finish(comparison.tables, searches.runs() if searches else ())
    if trajectories.num_rows == 0:
        raise UserError(
            f"no training ended within --budget-seconds {comparison.plan.budget_seconds:g}; start "
            "a new study with more"
        )
    results = summary(trajectories, seed=comparison.plan.seed)
    curves = reference_curves(
        comparison.tables,
        comparison.plan.repeat,
        comparison.plan.evaluations,
        incumbent=study.arguments["incumbent"],
        workers=comparison.plan.workers,
    )
    for name, table in (("summary", results), ("curves", curves)):
        write_atomically(study.path / f"{name}.parquet", partial(pq.write_table, table))
    report = build_report([study.path], study.path)
    return Result(results, outcome, report)


def _methods(
    chosen: Sequence[str] | None,
    tables: Mapping[str, Table],
    tuned: Mapping[str, Tuned] = MappingProxyType({}),
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The methods to run, and a note on those that a space or the benchmark cannot serve."""
    wanted = _with_tuned(tuple(dict.fromkeys(chosen or DEFAULT_METHODS)), tuned)
    reasons = []
    unsearched = [name for name in tables if name not in SEARCHED_SPACES]
    searched = [name for name in wanted if _is_searched(name)]
    if searched and unsearched:
        some = len(unsearched) < len(tables)
        reasons.append(
            f"{', '.join(searched)}{' on space 101' if some else ''}: space 101 has no one-shot "
            "methods"
        )
        if not some:
            wanted = tuple(name for name in wanted if name not in searched)
    lacking = {name: missing for name in wanted if (missing := missing_budgets(name, tables))}
    if lacking:
        budgets = ", ".join(str(b) for b in sorted(set().union(*lacking.values())))
        reasons.append(
            f"{', '.join(lacking)} need figures at {budgets} epochs, which this benchmark lacks; "
            "`python -m search_spaces.fetch nasbench101 --full` gets them"
        )
    methods = tuple(name for name in wanted if name not in lacking)
    if reasons and (chosen or not methods or not set(tuned) <= set(methods)):
        raise UserError("; ".join(reasons))
    return methods, tuple(f"left out: {reason}" for reason in reasons)


def _with_tuned(methods: tuple[str, ...], tuned: Mapping[str, Tuned]) -> tuple[str, ...]:
    """The methods, each followed by itself with tuned settings, if there are such.

    Raises:
        UserError: a method was tuned that is not among them.
    """
    for found in tuned.values():
        if found.method not in methods:
            raise UserError(
                f"--tuned {found.source.get('study', '')}: it tuned {found.method}, which is not "
                f"among the methods ({', '.join(methods)}); add it, or leave --tuned out",
                exit_code=2,
            )
    return tuple(
        label
        for name in methods
        for label in (name, *(t.label for t in tuned.values() if t.method == name))
    )


def _is_searched(label: str) -> bool:
    """Whether it is a one-shot method, tuned or not."""
    return base_method(label) in REGISTRY


def _absolute(paths: Sequence[Path]) -> list[str]:
    return [str(path.expanduser().absolute()) for path in paths]


def _tuned_notes(search: Mapping[str, Any], tuned: Mapping[str, Tuned]) -> tuple[str, ...]:
    """What was tuned, and where the searches differ from those that it was tuned with."""
    notes = []
    for label, found in tuned.items():
        here = search["settings"][label] | {"images": search["images"]["name"]}
        other = [
            f"{name} {value} there, {here[name]} here"
            for name, value in found.source.items()
            if name in ("images", "channels", "cells", "epochs") and value != here[name]
        ]
        spaces = [name for name in search["spaces"] if name != found.space]
        other += [f"space {found.space} there, {', '.join(spaces)} here"] if spaces else []
        values = ", ".join(f"{name} {value:.4g}" for name, value in found.settings.items())
        notes.append(f"{label}: {values}" + (f"; tuned with {'; '.join(other)}" if other else ""))
    return tuple(notes)


def missing_budgets(method: str, tables: Mapping[str, Table]) -> set[int]:
    """Budgets that a method needs and a table lacks."""
    if _is_searched(method):
        return set()
    return {
        epochs
        for epochs in OPTIMIZERS[method].budgets
        for table in tables.values()
        if not all(table.known(quantity, epochs) for quantity in QUANTITIES)
    }


def _plan(manifest: Mapping[str, Any], benchmark: Benchmark) -> Plan:
    from raynas.execution.plan import Plan

    arguments = manifest["arguments"]
    return Plan(
        spaces=tuple(arguments["spaces"]),
        methods=tuple(arguments["methods"]),
        seeds=tuple(arguments["seeds"]),
        evaluations=arguments["evaluations"],
        benchmark=benchmark.path,
        sha256=benchmark.sha256,
        budget_seconds=arguments["budget_seconds"],
        repeat=arguments["repeat"],
        workers=arguments["workers"],
        seed=arguments["seed"],
        searches=search_plan(manifest),
    )
