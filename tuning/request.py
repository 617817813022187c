"""What a user asks of a sweep, and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raynas.execution.cluster import available_cores
from raynas.execution.gpus import trial_resources
from raynas.execution.manifest import describe_benchmark, describe_table, differences
from raynas.oneshot import method_info
from raynas.presets import find_preset
from raynas.search_request import SEARCHED_SPACES, SearchRequest, search_arguments, search_plan
from search_spaces.errors import UserError, unknown_name
from search_spaces.sources import open_benchmark
from search_spaces.spaces import load_space
from tuning.objective import SearchObjective
from tuning.presets import SweepSize, find_size
from tuning.run import read_sweep_manifest
from tuning.scores import REPEATS, CellScores
from tuning.settings import ALGORITHMS, SweepSettings
from tuning.spaces import LEVELS, Limits, configuration_space, hyperparameters

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

    from raynas.execution.search_plan import SearchPlan
    from search_spaces.benchmark import Benchmark
    from search_spaces.table import Table
    from tuning.spaces import Hyperparameter

#: Regularisation and learning rate: few enough for the few evaluations of a quick sweep.
DEFAULT_LEVEL = 2
_SIZES = ("min_epochs", "max_epochs", "eta", "iterations", "concurrent")


@dataclass(frozen=True)
class SweepRequest:
    """What a user asked for; None takes the preset's or the usual value.

    Attributes:
        method: name of a one-shot method.
        space: name of a space.
        config_space: which hyperparameters, 1 to 4.
        algorithm: one of `ALGORITHMS`.
        min_epochs: the smallest budget.
        max_epochs: the largest budget.
        eta: one in eta configurations is promoted.
        iterations: brackets.
        concurrent: evaluations under way at once; None: twice as many as there is room for, and
            not fewer than the preset has.
        restart: train promoted configurations anew.
        seed: root of all random numbers.
        repeat: which training repeat decides: "mean", "0", "1" or "2".
        benchmark: "auto", "surrogate" or the path of a store.
        preset: name of a preset.
        finalists: configurations that are searched with again before one of them is chosen; 0
            chooses the best of the sweep.
        final_seeds: searches of each finalist, and of the default.
        seeds: black-box runs of the comparison after the sweep.
        searches: images, size of the supernet, device, searches of the comparison.
        cluster: no option: resources of the Ray cluster that is joined; None: one is started here.
    """

    method: str | None = None
    space: str | None = None
    config_space: int | None = None
    algorithm: str | None = None
    min_epochs: int | None = None
    max_epochs: int | None = None
    eta: int | None = None
    iterations: int | None = None
    concurrent: int | None = None
    restart: bool | None = None
    seed: int | None = None
    repeat: str | None = None
    benchmark: str | None = None
    preset: str | None = None
    finalists: int | None = None
    final_seeds: int | None = None
    seeds: int | None = None
    searches: SearchRequest = field(default_factory=SearchRequest)
    cluster: Mapping[str, float] | None = None

    def given(self) -> dict[str, Any]:
        """The arguments that were given, as a manifest records them (without the benchmark)."""
        own = {
            name: value
            for name, value in vars(self).items()
            if value is not None and name not in ("benchmark", "searches", "cluster")
        }
        return own | self.searches.given()

    def check(self) -> None:
        """Refuse what names nothing or counts nothing.

        Raises:
            UserError: in one line, with the valid values.
        """
        if self.method is not None:
            method_info(self.method)
        levels = [str(level) for level in LEVELS]
        for kind, value, valid in (
            ("space with one-shot methods", self.space, SEARCHED_SPACES),
            ("configuration space", self.config_space and str(self.config_space), levels),
            ("algorithm", self.algorithm, ALGORITHMS),
            ("repeat", self.repeat, REPEATS),
        ):
            if value is not None and value not in valid:
                raise unknown_name(kind, value, list(valid))
        for name, least in (("seeds", 1), ("final_seeds", 1), ("finalists", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                option = f"--{name.replace('_', '-')}"
                raise UserError(f"{option} {value} is too small; give {least} or more", exit_code=2)
        find_size(self.preset or "quick", "cpu")
        self.searches.check()


@dataclass(frozen=True)
class Sweep:
    """Everything that a sweep needs to run, or to be reported.

    Attributes:
        settings: budgets, algorithm, seed.
        space: the configuration space.
        objective: trains a configuration; knows method, axes and scores.
        arguments: what the manifest records as asked for.
        about: what else the manifest records.
        table: where the errors come from.
        plan: the searches of the comparison afterwards.
    """

    settings: SweepSettings
    space: ConfigurationSpace
    objective: SearchObjective
    arguments: dict[str, Any]
    about: dict[str, Any]
    table: Table
    plan: SearchPlan

    @property
    def benchmark(self) -> Benchmark:
        """The whole benchmark."""
        return self.table.benchmark

    @property
    def axes(self) -> tuple[Hyperparameter, ...]:
        """The hyperparameters."""
        return self.objective.axes

    @property
    def gpus_per_trial(self) -> float:
        """What an evaluation needs; a whole GPU unless it was said."""
        return _gpus_per_trial(self.arguments.get("gpus_per_trial"), self.plan.device)


def new_sweep(request: SweepRequest) -> Sweep:
    """The sweep that a user asks for.

    Raises:
        UserError: for anything that a user can set right.
    """
    request.check()
    if request.method is None:
        raise UserError("name the one-shot method to tune, for instance darts", exit_code=2)
    name = request.preset or "quick"
    preset, asked = find_preset(name), request.searches
    # Budgets depend on the device, and the schedule on the budgets.
    _, probe = search_arguments(asked, preset, [request.method], [request.space or "3"])
    size = find_size(name, probe["device"])
    settings = _settings(request, size, probe["device"])
    asked = SearchRequest(
        **{
            **vars(asked),
            "epochs": settings.max_epochs,
            "search_seeds": asked.search_seeds or size.search_seeds,
        }
    )
    arguments, search = search_arguments(asked, preset, [request.method], [request.space or "3"])
    arguments |= {
        "method": request.method,
        "space": request.space or "3",
        "config_space": request.config_space or DEFAULT_LEVEL,
        "repeat": request.repeat or "mean",
        "preset": name,
        "finalists": size.finalists if request.finalists is None else request.finalists,
        "final_seeds": request.final_seeds or size.final_seeds,
        "seeds": request.seeds or size.seeds,
    }
    benchmark = open_benchmark(request.benchmark or "auto")
    benchmark.verify()
    table = benchmark.table(load_space(arguments["space"]))
    about = {
        "benchmark": describe_benchmark(benchmark),
        "search": search,
        "tables": {arguments["space"]: describe_table(table)},
    }
    return _sweep(settings, arguments, about, table)


def old_sweep(directory: Path, request: SweepRequest) -> Sweep:
    """The sweep of a directory; arguments that were given must be those that it was started with.

    Raises:
        UserError: if the sweep, the arguments or the benchmark are not as they were.
    """
    request.check()
    manifest = read_sweep_manifest(directory)
    recorded = manifest["benchmark"]
    found = differences(manifest["arguments"], request.given())
    if found:
        raise UserError(
            f"{directory} is a sweep with other arguments: {'; '.join(found)}; leave them out to "
            "resume it, or start a new sweep with --out",
            exit_code=2,
        )
    known = "surrogate" if recorded["kind"] == "surrogate" else recorded["path"]
    benchmark = open_benchmark(request.benchmark or known)
    benchmark.verify()
    if benchmark.sha256 != recorded["sha256"]:
        raise UserError(
            f"{directory} was made with the benchmark {recorded['name']!r} (sha256 "
            f"{recorded['sha256'][:12]}), not with this one (sha256 {benchmark.sha256[:12]}); "
            "give the same one with --benchmark"
        )
    settings = SweepSettings.from_arguments(manifest["arguments"])
    about = {name: manifest[name] for name in ("benchmark", "search", "tables")}
    table = benchmark.table(load_space(manifest["arguments"]["space"]))
    return _sweep(settings, manifest["arguments"], about, table)


def _settings(request: SweepRequest, size: SweepSize, device: str) -> SweepSettings:
    usual = {name: getattr(size, name) for name in _SIZES}
    usual["concurrent"] = max(usual["concurrent"], 2 * _workers(request, device))
    values = {
        name: usual[name] if getattr(request, name) is None else getattr(request, name)
        for name in _SIZES
    }
    return SweepSettings(
        algorithm=request.algorithm or "bohb",
        seed=request.seed or 0,
        restart=bool(request.restart),
        **values,
    )


def _workers(request: SweepRequest, device: str) -> int:
    """How many evaluations there is room for; none of machines that have yet to start."""
    share = _gpus_per_trial(request.searches.gpus_per_trial, device)
    resources = request.cluster or {"CPU": available_cores(), "GPU": _gpus_here(device)}
    amounts = trial_resources(share).items()
    return min(int(resources.get(name, 0) / amount) for name, amount in amounts)


def _gpus_here(device: str) -> int:
    if device == "cpu":
        return 0
    import torch

    return torch.cuda.device_count()


def _gpus_per_trial(asked: float | None, device: str) -> float:
    """What an evaluation needs; a whole GPU unless it was said."""
    return float(device == "cuda") if asked is None else float(asked)


def _sweep(
    settings: SweepSettings,
    arguments: dict[str, Any],
    about: Mapping[str, Any],
    table: Table,
) -> Sweep:
    arguments = json.loads(json.dumps({**arguments, **asdict(settings)}))
    recorded: dict[str, Any] = json.loads(json.dumps(about))
    plan = search_plan({"arguments": arguments, "search": recorded["search"]})
    assert plan is not None
    (method,) = plan.methods
    defaults = plan.settings[method]
    limits = Limits(
        side=min(plan.images.shape[1:]),
        half=plan.images.sizes["search"] // 2,
        least_epochs=settings.budgets[0],
    )
    axes = hyperparameters(method, arguments["config_space"], defaults, limits)
    objective = SearchObjective(
        method,
        defaults,
        axes,
        CellScores.of(table, arguments["repeat"]),
        plan.images,
        plan.device,
        settings.max_epochs,
        settings.restart,
    )
    space = configuration_space(axes, defaults, limits, settings.seed)
    return Sweep(settings, space, objective, arguments, recorded, table, plan)
