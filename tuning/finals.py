"""Which configuration a sweep chooses: its best few and the default meet again, with new seeds.

The winner of one search per configuration is the luckiest of them as well as the best. So a few
finalists are searched with again, every one with the same new seeds, and the least mean decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from raynas.seeds import seed_for
from tuning.evaluation import Objective, Outcome, Value
from tuning.run import read_sweep_manifest, run_sweep
from tuning.table import COMPLETED, best_row, read_evaluations

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

    from tuning.progress import SweepListener
    from tuning.request import Sweep
    from tuning.run import SweepResult

FOLDER = "finals"
#: The column that tells the searches of one configuration apart.
REPEAT = "repeat"


@dataclass(frozen=True)
class Finalist:
    """A configuration that was searched with again.

    Attributes:
        configuration: its number in the sweep; 0 is the default.
        first_error: its validation error in the sweep, at its largest budget; None if it failed.
        errors: validation error of each new search; None where one failed.
    """

    configuration: int
    first_error: float | None
    errors: tuple[float | None, ...]

    @property
    def mean(self) -> float:
        """Of the new searches; infinite if one of them failed."""
        known = [error for error in self.errors if error is not None]
        return float(np.mean(known)) if len(known) == len(self.errors) else float("inf")


@dataclass(frozen=True)
class Finals:
    """All finalists, the default first.

    Attributes:
        finalists: in the order of their errors in the sweep.
        epochs: of each search.
        seconds: of all new searches together.
    """

    finalists: tuple[Finalist, ...]
    epochs: int
    seconds: float

    @property
    def chosen(self) -> Finalist:
        """The least mean; among equals the default, then the better one in the sweep.

        It has completed an evaluation of the sweep, so a default that failed there is not chosen.
        """
        known = [finalist for finalist in self.finalists if finalist.first_error is not None]
        return min(known, key=lambda finalist: finalist.mean)

    @property
    def default(self) -> Finalist:
        """The default configuration."""
        return self.finalists[0]

    @property
    def seeds(self) -> int:
        """New searches of each."""
        return len(self.default.errors)

    @property
    def searches(self) -> int:
        """New searches in all."""
        return self.seeds * len(self.finalists)


def find_finalists(rows: list[dict[str, Any]], count: int) -> list[int]:
    """The default, and the best other configurations at the largest budget that has any.

    Args:
        rows: of `evaluations.parquet`.
        count: how many others.
    """
    completed = [row for row in rows if row["status"] == COMPLETED]
    largest = max((row["epochs"] for row in completed), default=0)
    others = [row for row in completed if row["epochs"] == largest and row["configuration"]]
    others.sort(key=lambda row: (row["validation_error"], row["evaluation"]))
    return [0, *(row["configuration"] for row in others[:count])]


@dataclass(frozen=True)
class Repeated:
    """An objective whose seed is a hyperparameter: the same number, the same seed for all.

    Attributes:
        objective: of the sweep.
        seed: of the sweep.
    """

    objective: Objective
    seed: int

    def __call__(
        self,
        configuration: Mapping[str, Value],
        epochs: int,
        previous_checkpoint: bytes | None,  # noqa: ARG002  (there is none)
        seed: np.random.SeedSequence,
    ) -> Outcome:
        """Train a configuration from the beginning; see `tuning.evaluation.Objective`.

        The seed that is given, another one for each configuration, is not used.
        """
        values = {name: value for name, value in configuration.items() if name != REPEAT}
        seed = seed_for(self.seed, "final", int(configuration[REPEAT]))
        return replace(self.objective(values, epochs, None, seed), checkpoint=None)


def run_finals(
    sweep: Sweep,
    result: SweepResult,
    listener: SweepListener | None = None,
    **place: Any,
) -> Finals | None:
    """Run the finals of a sweep, or what is left of them.

    Args:
        sweep: what was run.
        result: what became of it.
        listener: is told about progress.
        place: keyword arguments of `run_sweep` that say where.

    Returns:
        None if none were asked for, or no evaluation was completed.

    Raises:
        StudyInterrupted: after Ctrl-C; it names the sweep, which can be resumed.
        UserError: for anything that a user can set right.
    """
    from raynas.execution.directory import interruptible

    rows = result.table.to_pylist()
    numbers = find_finalists(rows, sweep.arguments.get("finalists", 0))
    if len(numbers) < 2:
        return None
    values = {row["configuration"]: _values(sweep.space, row) for row in rows}
    seeds = sweep.arguments["final_seeds"]
    listed = [values[number] | {REPEAT: i} for i in range(seeds) for number in numbers]
    folder = result.path / FOLDER
    with interruptible(result.path):
        run_sweep(
            sweep.settings,
            _with_repeat(sweep.space),
            Repeated(sweep.objective, sweep.settings.seed),
            folder,
            resume=(folder / "manifest.json").exists(),
            arguments={"configurations": numbers, "listed": json.loads(json.dumps(listed))},
            listed=listed,
            listener=listener,
            gpus_per_trial=sweep.gpus_per_trial,
            **place,
        )
    return read_finals(result.path)


def read_finals(study: Path) -> Finals | None:
    """The finals of a sweep; None if there were none, or they have not ended.

    Raises:
        UserError: a file is damaged.
    """
    folder = study / FOLDER
    if not (folder / "manifest.json").exists():
        return None
    manifest = read_sweep_manifest(folder)
    if manifest["finished"] is None:
        return None
    numbers = manifest["arguments"]["configurations"]
    first = {
        row["configuration"]: row["validation_error"]  # the last one is that of the largest budget
        for row in read_evaluations(study).to_pylist()
        if row["status"] == COMPLETED
    }
    rows = read_evaluations(folder).to_pylist()
    finalists = tuple(
        Finalist(
            number,
            first.get(number),
            tuple(row["validation_error"] for row in rows[place :: len(numbers)]),
        )
        for place, number in enumerate(numbers)
    )
    return Finals(finalists, rows[0]["epochs"], sum(row["seconds"] for row in rows))


def chosen_row(rows: list[dict[str, Any]], finals: Finals | None) -> dict[str, Any] | None:
    """The chosen configuration's evaluation at the largest budget that it completed.

    Args:
        rows: of the sweep.
        finals: what decides; None for the error in the sweep.

    Returns:
        None if no evaluation was completed.
    """
    completed = [row for row in rows if row["status"] == COMPLETED]
    if finals is None:
        return best_row(completed)
    number = finals.chosen.configuration
    mine = (row for row in completed if row["configuration"] == number)
    return max(mine, key=lambda row: row["epochs"])


def _with_repeat(space: ConfigurationSpace) -> ConfigurationSpace:
    from ConfigSpace import Integer

    wider = deepcopy(space)
    wider.add(Integer(REPEAT, (0, 2**16)))
    return wider


def _values(space: ConfigurationSpace, row: Mapping[str, Any]) -> dict[str, Value]:
    """The hyperparameters of a row, whose columns are all doubles, as the space has them."""
    found: dict[str, Value] = {}
    for name, hyperparameter in space.items():
        if row[name] is not None:
            whole = isinstance(hyperparameter.default_value, Integral)
            found[name] = int(row[name]) if whole else row[name]
    return found
