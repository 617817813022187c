"""The Tune trial: one evaluation, in an actor that is used for many."""

from __future__ import annotations

import math
import traceback
from time import perf_counter
from typing import Any

import ray
from ray import tune

from raynas.seeds import seed_for
from search_spaces.errors import UserError
from tuning.evaluation import Configuration, Evaluation, Objective, Outcome
from tuning.log import Record
from tuning.settings import SweepSettings

_LONGEST_ERROR = 4000


class EvaluationTrainable(tune.Trainable):
    """Runs the objective once; what it finds is in the log before the trial counts as ended.

    A trial that is started again, because its worker or its node died, asks the log first. So
    there is nothing to save in a checkpoint of Tune's.
    """

    def setup(  # type: ignore[override]
        self, config: dict[str, Any], objective: Objective, settings: SweepSettings, writer: Any
    ) -> None:
        """Start the first evaluation of this actor."""
        self._objective, self._settings, self._writer = objective, settings, writer
        self._evaluation = from_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Start another evaluation in the same process."""
        self._evaluation = from_config(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Do the whole evaluation.

        A problem that the user must solve would meet every evaluation; it is reported as "fault"
        so that the driver stops the sweep with its message.
        """
        try:
            record: Record | None = self._call("recorded", self._evaluation.number)
            if record is None or not record.is_of(self._evaluation):
                record = self._evaluate()
        except UserError as error:
            return {**self._report(None), "fault": error}
        return self._report(record.validation_error)

    def _report(self, error: float | None) -> dict[str, Any]:
        number = self._evaluation.number
        return {"evaluation": number, "validation_error": error, "done": True}

    def save_checkpoint(self, checkpoint_dir: str) -> dict[str, Any]:  # noqa: ARG002
        """Nothing: the log has it all."""
        return {}

    def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
        """Nothing: the log has it all."""

    def _evaluate(self) -> Record:
        evaluation, error = self._evaluation, None
        previous = None
        if evaluation.previous is not None and not self._settings.restart:
            previous = self._call("checkpoint", evaluation.previous)
        outcome: Outcome | None = None
        start = perf_counter()
        try:
            outcome = self._objective(
                evaluation.configuration.values,
                evaluation.epochs,
                previous,
                objective_seed(self._settings, evaluation),
            )
            _refuse_no_number(outcome)
        except UserError:
            raise
        except Exception:  # whatever it is, it belongs to this evaluation only
            outcome, error = None, traceback.format_exc()[-_LONGEST_ERROR:]
        lasted = perf_counter() - start
        record: Record = self._call("commit", empty_record(evaluation, error), outcome, lasted)
        return record

    def _call(self, name: str, *arguments: Any) -> Any:
        """The result of a call to the writer; its user errors as they are."""
        try:
            return ray.get(getattr(self._writer, name).remote(*arguments))
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, UserError):
                raise error.cause from None
            raise


def _refuse_no_number(outcome: Outcome) -> None:
    """Make a training that diverged a failed one."""
    if outcome.validation_error is None or not math.isfinite(outcome.validation_error):
        raise ArithmeticError(f"the validation error is {outcome.validation_error}")


def objective_seed(settings: SweepSettings, evaluation: Evaluation) -> Any:
    """The seed that an evaluation trains with, the same for all budgets of a configuration."""
    return seed_for(settings.seed, "objective", evaluation.configuration.number)


def empty_record(evaluation: Evaluation, error: str | None) -> Record:
    """What is known of an evaluation before its outcome."""
    configuration = evaluation.configuration
    return Record(
        evaluation.number,
        configuration.number,
        evaluation.bracket,
        evaluation.rung,
        evaluation.epochs,
        dict(configuration.values),
        configuration.model_based,
        error=error,
    )


def to_config(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as the configuration of a Tune trial."""
    configuration = evaluation.configuration
    return {
        "evaluation": evaluation.number,
        "configuration": configuration.number,
        "model_based": configuration.model_based,
        "bracket": evaluation.bracket,
        "rung": evaluation.rung,
        "epochs": evaluation.epochs,
        "previous": evaluation.previous,
        "previous_epochs": evaluation.previous_epochs,
        "values": dict(configuration.values),
    }


def from_config(config: dict[str, Any]) -> Evaluation:
    """The inverse of `to_config`."""
    configuration = Configuration(
        config["configuration"], dict(config["values"]), config["model_based"]
    )
    places = [config[name] for name in ("bracket", "rung", "epochs", "previous", "previous_epochs")]
    return Evaluation(config["evaluation"], configuration, *places)
