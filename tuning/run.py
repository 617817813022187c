"""Runs a sweep on Ray Tune: one trial per evaluation, everything that ends is on disk at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from raynas.execution.cluster import cluster
from raynas.execution.directory import interruptible
from raynas.execution.gpus import trial_resources
from raynas.execution.manifest import SWEEP, read_manifest
from raynas.execution.resubmissions import MOST_RESTARTS
from search_spaces.errors import UserError
from tuning.evaluation import Evaluation, Objective, Value
from tuning.log import Record
from tuning.progress import Counter, SweepListener
from tuning.settings import SweepSettings
from tuning.study import SweepStudy, sweep_manifest
from tuning.table import FAILED, incumbent
from tuning.timeline import Result

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


@dataclass(frozen=True)
class SweepResult:
    """What became of a sweep.

    Attributes:
        path: its directory.
        table: the content of `evaluations.parquet`.
        damaged: how many files of the log were damaged and their evaluations done again.
    """

    path: Path
    table: pa.Table
    damaged: int = 0

    @property
    def incumbent(self) -> dict[str, Any] | None:
        """The best row by validation error; None if nothing was completed."""
        return incumbent(self.table)

    @property
    def failed(self) -> int:
        """How many evaluations failed."""
        return int(self.table["status"].to_pylist().count(FAILED))

    def warnings(self) -> list[str]:
        """One line for each thing that did not go as it should."""
        lines = []
        if self.failed:
            lines.append(
                f"{self.failed} of {self.table.num_rows} evaluations failed; the column error of "
                "evaluations.parquet says why"
            )
        if self.damaged:
            lines.append(f"{self.damaged} damaged files of the log: evaluations were done again")
        return lines


@dataclass(frozen=True)
class Workers:
    """Where evaluations run; a sweep's table does not depend on it.

    Attributes:
        address: "host:port" of a running cluster's head, or "auto"; None starts a local cluster.
        cpus: size of a local cluster; None takes all cores that this process may use.
        gpus: the same for GPUs; None takes all that Ray finds.
        gpus_per_trial: share of a GPU, or number of GPUs, of one evaluation.
        start_timeout: seconds to wait until the cluster has room for one evaluation.
    """

    address: str | None = None
    cpus: int | None = None
    gpus: int | None = None
    gpus_per_trial: float = 0.0
    start_timeout: float = 600.0


def read_sweep_manifest(path: str | Path) -> dict[str, Any]:
    """The manifest of a sweep.

    Raises:
        UserError: there is none, or the directory is a study of another kind.
    """
    return read_manifest(Path(path), SWEEP)


def run_sweep(
    settings: SweepSettings,
    space: ConfigurationSpace,
    objective: Objective,
    out: str | Path,
    *,
    resume: bool = False,
    arguments: Mapping[str, Any] | None = None,
    about: Mapping[str, Any] | None = None,
    listed: Sequence[Mapping[str, Value]] | None = None,
    listener: SweepListener | None = None,
    address: str | None = None,
    cpus: int | None = None,
    gpus: int | None = None,
    gpus_per_trial: float = 0.0,
    start_timeout: float = 600.0,
) -> SweepResult:
    """Run a sweep, or what is left of it.

    Killing workers, nodes or this process changes nothing but how long it takes: evaluations that
    have ended are on disk, the others are done again from their configuration's last checkpoint.

    Args:
        settings: what to do; of a resumed sweep the same as before.
        space: what configurations are points of.
        objective: trains one; can be pickled.
        out: directory of the sweep.
        resume: continue the sweep in `out`.
        arguments: further ones for the manifest, which must be the same when resuming.
        about: further keys for the manifest.
        listed: evaluate these configurations at the largest budget, once each, instead of what an
            algorithm would propose; say in `arguments` which, so that they are the same when
            resuming.
        listener: is told about progress, in this process.
        address: see `Workers`, as are the others.
        cpus: size of a local cluster.
        gpus: size of a local cluster.
        gpus_per_trial: what an evaluation needs.
        start_timeout: seconds.

    Raises:
        StudyInterrupted: Ctrl-C; the sweep can be resumed.
        UserError: other settings than before, a directory that holds something else, a cluster
            that cannot be reached or has no room for an evaluation, a full disk, and the like.
    """
    given = {**(arguments or {}), **settings.to_arguments()}
    if resume:
        study = SweepStudy.resume(out, given)
    else:
        study = SweepStudy.create(
            out, sweep_manifest(settings, space, arguments or {}, about or {})
        )
    workers = Workers(address, cpus, gpus, gpus_per_trial, start_timeout)
    with study:
        study.refuse_other_space(space)
        with interruptible(study.path):
            return _Sweep(settings, space, objective, study, listener, listed).run(workers)


class _Sweep:
    """A sweep in this process: the connection of study, searcher and Tune."""

    def __init__(
        self,
        settings: SweepSettings,
        space: ConfigurationSpace,
        objective: Objective,
        study: SweepStudy,
        listener: SweepListener | None,
        listed: Sequence[Mapping[str, Value]] | None = None,
    ) -> None:
        self._settings, self._space, self._objective = settings, space, objective
        self._study, self._listener = study, listener
        self._records = {} if study.finished else study.log.read()
        self._listed = listed
        self._counter = Counter(*_planned(settings, listed))
        self._writer: Any = None
        self._started: set[str] = set()
        self.fault: UserError | None = None

    def run(self, workers: Workers) -> SweepResult:
        """Do what is left and write the table."""
        study = self._study
        if not study.finished:
            from tuning.searcher import SweepSearcher

            self._searcher = SweepSearcher(
                self._settings,
                self._space,
                self._recorded,
                self._ended,
                listed=self._listed,
            )
            if not self._searcher.timeline.done:
                self._run_rest(workers)
            records = study.log.read()
            damaged = len(study.log.damaged())
            return SweepResult(study.path, study.finish(records), damaged)
        return SweepResult(study.path, study.finish({}))

    def started(self, trial_id: str) -> None:
        """A worker has begun with a trial."""
        self._started.add(trial_id)
        self.report()

    def report(self) -> None:
        """Tell the listener."""
        if self._listener is not None:
            running = self._searcher.running
            begun = [running[trial] for trial in self._started & running.keys()]
            ordered = sorted(begun, key=lambda evaluation: evaluation.number)
            self._listener.on_progress(self._counter.progress(ordered))

    def _run_rest(self, workers: Workers) -> None:
        with cluster(workers.address, workers.cpus, workers.gpus) as folder:
            import ray

            from raynas.execution.writer import start_here
            from tuning.room import await_room
            from tuning.writer import SweepWriter

            await_room(workers)
            self._writer = start_here(SweepWriter, self._study.path)
            try:
                self._tune(workers, folder)
            finally:
                ray.kill(self._writer)

    def _tune(self, workers: Workers, folder: Path) -> None:
        from ray import tune

        from tuning.callback import SweepCallback
        from tuning.trainable import EvaluationTrainable

        trainable = tune.with_parameters(
            EvaluationTrainable,
            objective=self._objective,
            settings=self._settings,
            writer=self._writer,
        )
        request = tune.PlacementGroupFactory([trial_resources(workers.gpus_per_trial)])
        tuner = tune.Tuner(
            tune.with_resources(trainable, request),
            tune_config=tune.TuneConfig(
                search_alg=self._searcher,
                num_samples=-1,
                # Otherwise Tune would start one worker at a time.
                max_concurrent_trials=self._settings.concurrent,
                reuse_actors=True,
                trial_name_creator=_trial_name,
                trial_dirname_creator=_trial_name,
            ),
            run_config=tune.RunConfig(
                name="tune",
                storage_path=str(folder),
                callbacks=[SweepCallback(self)],
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=MOST_RESTARTS),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        )
        try:
            tuner.fit()
        except tune.TuneError as error:
            raise self.fault or error from None
        if self.fault is not None:
            raise self.fault

    def _recorded(self, evaluation: Evaluation) -> Result | None:
        """The result of an evaluation from before this process.

        Raises:
            UserError: the log holds another evaluation under its number.
        """
        record = self._records.get(evaluation.number)
        if record is None:
            return None
        if not record.is_of(evaluation):
            # Results that followed a damaged file may follow something else now.
            if not self._study.log.damaged():
                raise UserError(
                    f"{self._study.path}: evaluation {evaluation.number} of the log is of other "
                    "hyperparameters than are proposed now; continue with the package versions "
                    "that manifest.json names"
                )
            self._study.log.set_aside(evaluation.number)
            del self._records[evaluation.number]
            return None
        self._counter.count(evaluation, record.validation_error)
        return Result(record.validation_error)

    def _ended(self, evaluation: Evaluation, result: dict[str, Any] | None) -> float | None:
        """The validation error of a trial that has ended."""
        if result is None or result.get("evaluation") != evaluation.number:
            error = self._given_up(evaluation).validation_error
        else:
            error = result["validation_error"]
        self._counter.count(evaluation, error)
        return error

    def _given_up(self, evaluation: Evaluation) -> Record:
        """The record of an evaluation that Tune has stopped starting again."""
        import ray

        from tuning.trainable import empty_record

        reason = "given up by Ray Tune: its workers died too often"
        lost = empty_record(evaluation, reason)
        record: Record = ray.get(self._writer.commit.remote(lost, None, 0.0))
        return record


def _planned(
    settings: SweepSettings, listed: Sequence[Mapping[str, Value]] | None
) -> tuple[int, int | None]:
    """Epochs, each budget counted in full, and evaluations."""
    if listed is not None:
        return len(listed) * settings.max_epochs, len(listed)
    return settings.planned_epochs, settings.planned_evaluations


def _trial_name(trial: Any) -> str:
    return f"evaluation-{trial.config['evaluation']:06d}"
