"""Runs a study on Ray Tune."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from raynas.execution.blocks import Block, plan_blocks
from raynas.execution.cluster import cluster
from raynas.execution.log import LogContents, Run, rows_to_table
from raynas.execution.plan import Plan
from raynas.execution.row import FAILED_RUN, failed_run
from raynas.execution.study import Study, StudyInterrupted
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from raynas.execution.progress import ProgressListener

_MOST_RESTARTS = 8


@dataclass(frozen=True)
class RunOutcome:
    """What became of a study's runs.

    Attributes:
        runs: how many there are.
        rows: finished evaluations.
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
            lines.append(
                f"{self.failed_evaluations:,} evaluations failed; the column failure says why"
            )
        if self.damaged:
            lines.append(f"{len(self.damaged)} damaged blocks of the log were computed again")
        return lines


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
        try:
            recorded = study.log.read()
            if plan_blocks(plan, recorded.finished, cpus=1):
                _run_blocks(study, plan, recorded, listener, address, cpus)
        except KeyboardInterrupt:
            raise StudyInterrupted(study.path) from None
    return _outcome(study, plan)


def _run_blocks(
    study: Study,
    plan: Plan,
    recorded: LogContents,
    listener: ProgressListener | None,
    address: str | None,
    cpus: int | None,
) -> None:
    with cluster(address, cpus) as folder:
        import ray

        from raynas.execution.progress import ProgressCallback
        from raynas.execution.writer import start_writer

        available = ray.cluster_resources().get("CPU", 1.0)  # type: ignore[no-untyped-call]
        blocks = plan_blocks(plan, recorded.finished, available)
        callback = ProgressCallback(plan, blocks, recorded, listener)
        writer = start_writer(study.log.folder, plan.benchmark)
        reasons = _tune(plan, blocks, writer, callback, folder)
        ray.kill(writer)
    _record_lost_runs(study, blocks, reasons)


def _tune(
    plan: Plan, blocks: Sequence[Block], writer: Any, callback: Any, folder: Path
) -> dict[int, str]:
    """Run every block as a trial; returns why blocks were given up."""
    from ray import tune

    from raynas.execution.trainable import BlockTrainable

    trainable = tune.with_parameters(BlockTrainable, plan=plan, blocks=list(blocks), writer=writer)
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space={"block": tune.grid_search(list(range(len(blocks))))},
        tune_config=tune.TuneConfig(
            reuse_actors=True,
            trial_name_creator=_trial_name,
            trial_dirname_creator=_trial_name,
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(folder),
            callbacks=[callback],
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=_MOST_RESTARTS),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    )
    try:
        results = tuner.fit()
    except tune.TuneError as error:
        raise callback.fault or error from None
    return {
        result.config["block"]: str(result.error).strip().splitlines()[-1]
        for result in (results[i] for i in range(len(results)))
        if result.error is not None and result.config
    }


def _trial_name(trial: Any) -> str:
    return f"block-{trial.config['block']}"


def _record_lost_runs(study: Study, blocks: Sequence[Block], reasons: dict[int, str]) -> None:
    """End the runs of blocks that were given up with a row that says why."""
    for number, reason in reasons.items():
        block = blocks[number]
        contents = study.log.read(block.method, block.space, block.seeds)
        for seed in block.seeds:
            run = (block.method, block.space, seed)
            if run in contents.finished:
                continue
            mine = contents.table.filter(pc.equal(contents.table["seed"], seed))
            clock, real = _last(mine, "simulated_seconds"), _last(mine, "real_seconds")
            row = failed_run(mine.num_rows, clock, real, f"given up by Ray Tune: {reason}")
            study.log.append(rows_to_table(run, [row]), {run: mine.num_rows + 1})


def _last(table: pa.Table, column: str) -> float:
    return float(table[column][-1].as_py()) if table.num_rows else 0.0


def _outcome(study: Study, plan: Plan) -> RunOutcome:
    contents = study.log.read()
    table = contents.table
    expected = {
        (method, space, seed)
        for method in plan.methods
        for space in plan.spaces
        for seed in plan.seeds
    }
    missing = expected - contents.finished
    if missing and not study.finished:
        raise UserError(
            f"{len(missing)} of {len(expected)} runs did not end, for instance {min(missing)}; "
            f"continue with --resume {study.path}"
        )
    failed = table.filter(pc.equal(table["number"], FAILED_RUN)).to_pylist()
    return RunOutcome(
        len(expected),
        table.num_rows,
        tuple(((row["method"], row["space"], row["seed"]), row["failure"]) for row in failed),
        table.num_rows - table["failure"].null_count - len(failed),
        tuple(study.log.damaged()),
    )
