"""The algorithms as a searcher of Ray Tune, which can be saved and restored at any time."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher

from raynas.execution.files import write_atomically
from raynas.execution.resubmissions import Resubmissions
from search_spaces.errors import UserError
from tuning.algorithms import make_algorithm
from tuning.evaluation import Evaluation, Value
from tuning.settings import SweepSettings
from tuning.timeline import Lookup, Result, Timeline
from tuning.trainable import to_config

Ended = Callable[[Evaluation, dict[str, Any] | None], float | None]
"""Is told of a trial's last report, None if there is none; returns the validation error."""


class SweepSearcher(Searcher):  # type: ignore[misc,unused-ignore]
    """Suggests one trial per evaluation; use it with Tune's default scheduler.

    No trial is ever paused: a promoted configuration is a trial of its own, whose configuration
    names the evaluation that it continues. So neither bracket nor rung can wait for a trial that
    Tune has lost, and the state is nothing but results by number.

    Args:
        settings: of the sweep.
        space: what configurations are points of.
        recorded: finds the results of evaluations from before.
        ended: turns a trial's last report into a validation error; by default its metric
            "validation_error", and a failure if that is missing or not finite.
        resubmissions: how often an evaluation whose trial Tune has given up is suggested again;
            None for as often as usual.
        listed: these configurations instead of what an algorithm proposes.
    """

    def __init__(
        self,
        settings: SweepSettings,
        space: Any,
        recorded: Lookup | None = None,
        ended: Ended | None = None,
        resubmissions: int | None = None,
        listed: Sequence[Mapping[str, Value]] | None = None,
    ) -> None:
        super().__init__(metric="validation_error", mode="min")
        self._settings, self._space, self._recorded = settings, space, recorded or _nothing
        self._ended = ended or _metric
        self._lost, self._listed = Resubmissions(resubmissions), listed
        self._results: dict[int, float | None] = {}
        self.timeline = self._new_timeline()
        self.running: dict[str, Evaluation] = {}

    def suggest(self, trial_id: str) -> Any:
        """The configuration of a trial; None while results must arrive first."""
        if len(self.running) >= self._settings.concurrent:
            return None
        evaluation = self.timeline.next()
        if evaluation is None:
            return Searcher.FINISHED if self.timeline.done else None
        self.running[trial_id] = evaluation
        return to_config(evaluation)

    def on_trial_complete(
        self,
        trial_id: str,
        result: dict[str, Any] | None = None,
        error: bool = False,
    ) -> None:
        """Pass on a result; without one, the evaluation is tried again or has failed."""
        evaluation = self.running.pop(trial_id, None)
        if evaluation is None:
            return
        if error and self._lost.again(evaluation.number):
            self.timeline.put_back([evaluation])
            return
        found = self._ended(evaluation, None if error else result)
        self._results[evaluation.number] = found
        self.timeline.arrive(evaluation.number, found)

    def save(self, checkpoint_path: str) -> None:
        """Write the results so far and which trials run to a file."""
        state = {
            "settings": self._settings.to_arguments(),
            "results": [[number, error] for number, error in self._results.items()],
            "running": {trial: evaluation.number for trial, evaluation in self.running.items()},
        }
        text = json.dumps(state)
        write_atomically(Path(checkpoint_path), lambda path: path.write_text(text))

    def restore(self, checkpoint_path: str) -> None:
        """Go on where a searcher was saved; Tune itself goes on with the trials that ran.

        Raises:
            UserError: that searcher had other settings.
        """
        state = json.loads(Path(checkpoint_path).read_text())
        if state["settings"] != self._settings.to_arguments():
            raise UserError(
                f"{checkpoint_path} is of a searcher with other settings: {state['settings']}; "
                "restore it into one with the same",
                exit_code=2,
            )
        self._results = dict(state["results"])
        self.timeline = self._new_timeline()
        trials = {number: trial for trial, number in state["running"].items()}
        self.running = {}
        skipped: list[Evaluation] = []
        while len(self.running) < len(trials):
            evaluation = self.timeline.next()
            if evaluation is None:
                raise UserError(f"{checkpoint_path} names trials that this version never proposes")
            if evaluation.number in trials:
                self.running[trials[evaluation.number]] = evaluation
            else:
                skipped.append(evaluation)
        self.timeline.put_back(skipped)

    def __getstate__(self) -> dict[str, Any]:
        """Tune keeps a copy of its searcher on disk; whoever listens has no place there."""
        return {**self.__dict__, "_recorded": _nothing, "_ended": _metric}

    def _new_timeline(self) -> Timeline:
        algorithm = make_algorithm(self._settings, self._space, self._listed)
        return Timeline(algorithm, self._result)

    def _result(self, evaluation: Evaluation) -> Result | None:
        if evaluation.number in self._results:
            return Result(self._results[evaluation.number])
        found = self._recorded(evaluation)
        if found is not None:
            self._results[evaluation.number] = found.error
        return found


def _nothing(_: Evaluation) -> Result | None:
    return None


def _metric(_: Evaluation, result: dict[str, Any] | None) -> float | None:
    found = (result or {}).get("validation_error")
    return float(found) if found is not None and math.isfinite(found) else None
