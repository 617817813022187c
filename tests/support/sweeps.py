"""A toy space and objective without torch, and sweeps over them without Ray."""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import ConfigSpace
import numpy as np
import pyarrow as pa

from tuning.algorithms import make_algorithm
from tuning.evaluation import Evaluation, Outcome, Value
from tuning.log import Record
from tuning.settings import ALGORITHMS, SweepSettings
from tuning.table import build_table
from tuning.timeline import Result, Timeline
from tuning.trainable import empty_record, objective_seed

Error = Callable[[Evaluation], float | None]


def toy_space() -> ConfigSpace.ConfigurationSpace:
    """Continuous, logarithmic, whole and categorical hyperparameters."""
    space = ConfigSpace.ConfigurationSpace(seed=0)
    space.add(
        ConfigSpace.Float("rate", (1e-3, 1.0), log=True, default=0.025),
        ConfigSpace.Float("momentum", (0.0, 0.99), default=0.9),
        ConfigSpace.Integer("length", (2, 32), log=True, default=16),
        ConfigSpace.Categorical("kind", ["plain", "nested", "none"], default="plain"),
    )
    return space


def true_error(values: Mapping[str, Value]) -> float:
    """0.05 at rate 0.1, momentum 0.5 and length 8 with kind nested; up to about 0.9."""
    distance = abs(np.log10(float(values["rate"])) + 1) / 2
    distance += abs(float(values["momentum"]) - 0.5) + abs(np.log2(int(values["length"])) - 3) / 4
    return float(0.05 + 0.2 * distance + (0 if values["kind"] == "nested" else 0.1))


def toy_error(evaluation: Evaluation) -> float:
    """The true error, and some noise that becomes less with the epochs."""
    noise = np.random.default_rng([evaluation.configuration.number, evaluation.epochs]).normal()
    return true_error(evaluation.configuration.values) + 0.3 * abs(noise) / evaluation.epochs**0.5


def toy_objective(
    configuration: Mapping[str, Value],
    epochs: int,
    previous_checkpoint: bytes | None,
    seed: np.random.SeedSequence,
) -> Outcome:
    """Counts epochs in its checkpoint; fails where `kind` is "none" and `length` is small."""
    trained = 0 if previous_checkpoint is None else json.loads(previous_checkpoint)["epochs"]
    if configuration["kind"] == "none" and int(configuration["length"]) < 8:
        raise ArithmeticError("nothing of this length")
    noise = np.random.default_rng([*seed.generate_state(2).tolist(), epochs]).random()
    error = true_error(configuration) + 0.3 * noise / epochs**0.5
    state = json.dumps({"epochs": epochs, "values": dict(configuration)}).encode()
    digest = hashlib.sha256(state).hexdigest()[:32]
    return Outcome(error, error + 0.01, error / 2, digest, 1.5 * (epochs - trained), state)


def run_timeline(
    settings: SweepSettings,
    error: Error = toy_error,
    *,
    workers: int = 4,
    chance: random.Random | None = None,
    space: ConfigSpace.ConfigurationSpace | None = None,
    recorded: Mapping[int, Result] | None = None,
    stop_after: int | None = None,
) -> tuple[list[tuple[Evaluation, float | None]], dict[int, Result]]:
    """A sweep whose evaluations end in any order.

    Args:
        settings: of the sweep.
        error: what the objective finds.
        workers: real ones.
        chance: decides who ends next; None: the first to start.
        space: the toy space by default.
        recorded: results from before an interruption.
        stop_after: interrupt after so many results.

    Returns:
        What was run here with its result, in order of numbers; all results by number.
    """
    before = dict(recorded or {})
    algorithm = make_algorithm(settings, space or toy_space())
    timeline = Timeline(algorithm, lambda evaluation: before.get(evaluation.number))
    running: list[Evaluation] = []
    ended: list[tuple[Evaluation, float | None]] = []
    while stop_after is None or len(ended) < stop_after:
        while len(running) < workers and (evaluation := timeline.next()) is not None:
            running.append(evaluation)
        if not running:
            break
        evaluation = running.pop(0 if chance is None else chance.randrange(len(running)))
        found = error(evaluation)
        ended.append((evaluation, found))
        timeline.arrive(evaluation.number, found)
    assert timeline.done == (timeline.next() is None and not running)
    results = before | {evaluation.number: Result(found) for evaluation, found in ended}
    return sorted(ended, key=lambda end: end[0].number), results


def expected_table(settings: SweepSettings) -> pa.Table:
    """The table of a sweep with the toy objective that nobody disturbs, made without Ray."""
    records: dict[int, Record] = {}
    states: dict[int, bytes | None] = {}

    def error(evaluation: Evaluation) -> float | None:
        previous = None if settings.restart else evaluation.previous
        state = None if previous is None else states[previous]
        values, seed = evaluation.configuration.values, objective_seed(settings, evaluation)
        record = empty_record(evaluation, None)
        try:
            outcome = toy_objective(values, evaluation.epochs, state, seed)
        except ArithmeticError as failure:
            message = f"{type(failure).__name__}: {failure}"
            records[evaluation.number] = replace(record, error=message)
            return None
        states[evaluation.number] = outcome.checkpoint
        found = {name: getattr(outcome, name) for name in _FOUND}
        records[evaluation.number] = replace(record, **found)
        return outcome.validation_error

    run_timeline(settings, error)
    return build_table(records, list(toy_space().keys()))


_FOUND = (
    "validation_error",
    "test_error",
    "one_shot_validation_error",
    "module_hash",
    "seconds",
    "device",
)


def digest(settings: SweepSettings) -> str:
    """Of everything that a sweep proposes."""
    ended, _ = run_timeline(settings)
    plain = [(str(evaluation), error) for evaluation, error in ended]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()


def small(algorithm: str, **changes: Any) -> SweepSettings:
    """A sweep of 40 to 60 evaluations."""
    return SweepSettings(**{"algorithm": algorithm, "iterations": 12, "concurrent": 4} | changes)


if __name__ == "__main__":
    print(json.dumps({name: digest(small(name)) for name in ALGORITHMS}), file=sys.stdout)
