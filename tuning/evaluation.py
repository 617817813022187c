"""The nouns of a sweep: configuration, evaluation, outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

Value = str | int | float | bool
"""Value of a hyperparameter."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A point of a configuration space.

    Attributes:
        number: counted from 0, which is the default configuration.
        values: of the active hyperparameters, by name.
        model_based: whether a model proposed it; otherwise it is a default or random.
    """

    number: int
    values: Mapping[str, Value]
    model_based: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One configuration trained up to one budget.

    Attributes:
        number: counted from 0 in the order of proposals.
        configuration: what is trained.
        bracket: number of the bracket, from 0.
        rung: number of the rung in its bracket, from 0.
        epochs: the budget.
        previous: number of the same configuration's evaluation at the rung below.
        previous_epochs: budget of that one.
    """

    number: int
    configuration: Configuration
    bracket: int
    rung: int
    epochs: int
    previous: int | None = None
    previous_epochs: int = 0


@dataclass(frozen=True)
class Outcome:
    """What an objective finds.

    Attributes:
        validation_error: what decides, a fraction; None or not finite if the training failed.
        test_error: a fraction.
        one_shot_validation_error: the same with the shared weights.
        module_hash: of the architecture that was found.
        seconds: search time of this evaluation alone.
        checkpoint: what the next evaluation of the configuration continues from.
        device: "cpu", or the GPU's name.
    """

    validation_error: float | None
    test_error: float | None = None
    one_shot_validation_error: float | None = None
    module_hash: str | None = None
    seconds: float = 0.0
    checkpoint: bytes | None = field(default=None, repr=False)
    device: str = "cpu"


class Objective(Protocol):
    """Trains a configuration; a function of an importable module, or an instance of a class.

    It runs in worker processes, several times in each, and an instance may keep there what is
    slow to load. An exception is a failed evaluation; a `UserError` ends the sweep.
    """

    def __call__(
        self,
        configuration: Mapping[str, Value],
        epochs: int,
        previous_checkpoint: bytes | None,
        seed: np.random.SeedSequence,
    ) -> Outcome:
        """Train up to a budget.

        Args:
            configuration: values by name.
            epochs: the budget, what was trained before included.
            previous_checkpoint: where to continue; None to begin with the first epoch, which must
                lead to the same outcome.
            seed: the same for all budgets of a configuration.
        """
