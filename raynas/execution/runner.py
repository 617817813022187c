"""Runs a study on Ray Tune."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from raynas.execution.blocks import plan_blocks
from raynas.execution.cluster import cluster
from raynas.execution.directory import interruptible
from raynas.execution.gpus import fractions, larger_fraction, trial_resources
from raynas.execution.log import LogContents, Run, rows_to_table
from raynas.execution.plan import Plan
from raynas.execution.resubmissions import MOST_RESTARTS, Resubmissions
from raynas.execution.row import FAILED_RUN, failed_run
from raynas.execution.search_plan import SearchUnit, plan_searches
from raynas.execution.search_rows import ended_searches
from raynas.execution.study import Study
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from raynas.execution.progress import ProgressListener
    from raynas.execution.trainable import Unit


@dataclass(frozen=True)
class RunOutcome:
    """What became of a study's runs.

    Attributes:
        runs: how many there are.
        rows: finished evaluations, and epochs of searches.
        failed_runs: runs that ended early, with the reason.
        failed_evaluations: evaluations without a figure.
        damaged: log blocks that could not be read and whose rows were computed again.
    """

    runs: int
    rows: int
    failed_runs: tuple[tuple[Run, str], ...]
    failed_evaluations: int
    damaged: tuple[Path, ...]

    def warnings(self) -> list[str]:
        """One line for each thing that did not go as it should."""
        lines = [
            f"{method} on space {space}, seed {seed}: {reason}"
            for (method, space, seed), reason in self.failed_runs
        ]
        if self.failed_evaluations:
            what = _counted(self.failed_evaluations, "evaluation")
            lines.append(f"{what} failed; the column failure says why")
        if self.damaged:
            lines.append(
                f"computed again: {_counted(len(self.damaged), 'damaged block')} of the log"
            )
        return lines


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def run_study(
    study: Study,
    plan: Plan,
    *,
    listener: ProgressListener | None = None,
    address: str | None = None,
    cpus: int | None = None,
) -> RunOutcome:
    """Run what the study's log does not have yet; `Study.finish` makes the tables afterwards.

    Args:
        study: a new or a resumed one.
        plan: what to run; for a resumed study the same as before.
        listener: is told about progress, in this process.
        address: "host:port" or "auto" joins a running Ray cluster that this machine is part of
            and whose machines have raynas installed; None starts a local one.
        cpus: size of a local cluster; None takes all cores that this process may use.

    Raises:
        StudyInterrupted: Ctrl-C; the study can be resumed.
        UserError: the disk is full, the cluster cannot be reached, and the like.
    """
    if not study.finished:
        plan = replace(plan, benchmark=plan.benchmark.resolve())  # workers have another directory
        with interruptible(study.path):
            recorded = study.log.read()
            finished = recorded.finished | study.searches.finished(_searches(plan))
            if frozenset(plan.runs()) - finished:
                _run_rest(study, plan, recorded, finished, listener, address, cpus)
    return _outcome(study, plan)


def _searches(plan: Plan) -> list[Run]:
    return [] if plan.searches is None else plan.searches.runs()


def _run_rest(
    study: Study,
    plan: Plan,
    recorded: LogContents,
    finished: frozenset[Run],
    listener: ProgressListener | None,
    address: str | None,
    cpus: int | None,
) -> None:
    with cluster(address, cpus) as folder:
        import ray

        from raynas.execution.progress import ProgressCallback
        from raynas.execution.writer import start_writer

        available = ray.cluster_resources().get("CPU", 1.0)  # type: ignore[no-untyped-call]
        units = _units(plan, finished, available)
        over = {run: study.searches.read(run) for run in _searches(plan) if run in finished}
        ended = ended_searches(over, plan.benchmark)
        callback = ProgressCallback(plan, units, recorded, finished, listener, ended)
        writer = start_writer(study.log.folder, plan.benchmark, study.searches)
        images, shares = None, [0.0] * len(units)
        if plan.searches is not None and any(isinstance(unit, SearchUnit) for unit in units):
            images = ray.put(plan.searches.images.read("search"))
            by_method = fractions(plan, images)
            shares = [by_method.get(unit.method, 0.0) for unit in units]
        reasons = _tune(_Trials(plan, units, writer, images, callback), shares, folder)
        ray.kill(writer)
    _record_lost_runs(study, units, reasons)


def _units(plan: Plan, finished: frozenset[Run], cpus: float) -> list[Unit]:
    """What is left to do, the longest first, so that the last trials to end are short."""
    units: list[Unit] = list(plan_blocks(plan, finished, cpus))
    if plan.searches is not None:
        units += plan_searches(plan.searches, finished)
    return sorted(units, key=lambda unit: -unit.cost)


@dataclass(frozen=True)
class _Trials:
    """What the trials of a study have in common."""

    plan: Plan
    units: list[Unit]
    writer: Any
    images: Any
    callback: Any


def _tune(trials: _Trials, shares: list[float], folder: Path) -> dict[int, str]:
    """Run every unit as a trial; returns why units were given up.

    What Tune gives up is tried again a few times, and a search that ran out of its GPU's memory
    once, with a larger share.
    """
    reasons: dict[int, str] = {}
    lost, short_of_memory = Resubmissions(), Resubmissions(most=1)
    left: Sequence[int] = range(len(trials.units))
    attempt = 0
    while left:
        failed, short = _tune_once(trials, left, shares, folder / str(attempt))
        again = [number for number in failed if lost.again(number)]
        for number in short:
            larger = larger_fraction(shares[number])
            if larger is not None and short_of_memory.again(number):
                shares = [*shares[:number], larger, *shares[number + 1 :]]
                again.append(number)
        reasons |= {n: why for n, why in (failed | short).items() if n not in again}
        left, attempt = sorted(again), attempt + 1
    return reasons


def _tune_once(
    trials: _Trials, numbers: Sequence[int], shares: list[float], folder: Path
) -> tuple[dict[int, str], dict[int, str]]:
    """Run some units; returns those given up by Ray, and those short of GPU memory, with why."""
    from ray import tune

    from raynas.execution.trainable import StudyTrainable

    trainable = tune.with_parameters(
        StudyTrainable,
        plan=trials.plan,
        units=trials.units,
        writer=trials.writer,
        images=trials.images,
    )
    tuner = tune.Tuner(
        tune.with_resources(trainable, lambda config: _request(shares[config["unit"]])),
        param_space={"unit": tune.grid_search(list(numbers))},
        tune_config=tune.TuneConfig(
            reuse_actors=True,
            trial_name_creator=_trial_name,
            trial_dirname_creator=_trial_name,
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(folder),
            callbacks=[trials.callback],
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=MOST_RESTARTS),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    )
    try:
        results = tuner.fit()
    except tune.TuneError as error:
        if trials.callback.fault is not None:
            raise trials.callback.fault from None
        last = str(error).strip().splitlines()[-1]
        raise UserError(f"Ray Tune stopped: {last}; continue with --resume") from error
    failed, short = {}, {}
    for result in (results[i] for i in range(len(results))):
        number = (result.config or {}).get("unit")
        if number is None:
            continue
        if result.error is not None:
            failed[number] = f"given up by Ray Tune: {str(result.error).strip().splitlines()[-1]}"
        elif reason := (result.metrics or {}).get("out_of_memory"):
            short[number] = reason
    return failed, short


def _request(gpus: float) -> Any:
    from ray import tune

    return tune.PlacementGroupFactory([trial_resources(gpus)])


def _trial_name(trial: Any) -> str:
    return f"unit-{trial.config['unit']}"


def _record_lost_runs(study: Study, units: Sequence[Unit], reasons: dict[int, str]) -> None:
    """End the runs of units that were given up with a row that says why."""
    for number, reason in reasons.items():
        unit = units[number]
        if isinstance(unit, SearchUnit):
            known = study.searches.read(unit.run)
            if not known.ended:
                lost = replace(known, ended=True, failure=reason)
                study.searches.commit(unit.run, lost, None)
            continue
        contents = study.log.read(unit.method, unit.space, unit.seeds)
        for seed in unit.seeds:
            run = (unit.method, unit.space, seed)
            if run in contents.finished:
                continue
            mine = contents.table.filter(pc.equal(contents.table["seed"], seed))
            clock, real = _last(mine, "simulated_seconds"), _last(mine, "real_seconds")
            row = failed_run(mine.num_rows, clock, real, reason)
            study.log.append(rows_to_table(run, [row]), {run: mine.num_rows + 1})


def _last(table: pa.Table, column: str) -> float:
    return float(table[column][-1].as_py()) if table.num_rows else 0.0


def _outcome(study: Study, plan: Plan) -> RunOutcome:
    contents = study.log.read()
    table = contents.table
    searches = {run: study.searches.read(run) for run in _searches(plan)}
    ended = contents.finished | {run for run, found in searches.items() if found.ended}
    expected = frozenset(plan.runs())
    missing = expected - ended
    if missing and not study.finished:
        raise UserError(
            f"{len(missing)} of {len(expected)} runs did not end, for instance {min(missing)}; "
            f"continue with --resume {study.path}"
        )
    failed = table.filter(pc.equal(table["number"], FAILED_RUN)).to_pylist()
    reasons = [((row["method"], row["space"], row["seed"]), row["failure"]) for row in failed]
    broken = [(run, f.failure) for run, f in searches.items() if f.failure is not None]
    reasons += [(run, f"run failed: {failure}") for run, failure in broken]
    return RunOutcome(
        len(expected),
        table.num_rows + sum(f.records.num_rows for f in searches.values()) + len(broken),
        tuple(reasons),
        table.num_rows - table["failure"].null_count - len(failed),
        tuple(study.log.damaged()),
    )
