"""Listens to Tune on behalf of a sweep."""

# ruff: noqa: ARG002  (the signatures are those of Tune)

from __future__ import annotations

from typing import Any

from ray import tune


class SweepCallback(tune.Callback):
    """Passes on that trials start and end, and stops Tune at a problem for the user."""

    def __init__(self, sweep: Any) -> None:
        self._sweep = sweep

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A trial runs."""
        self._sweep.started(trial.trial_id)

    def on_trial_result(
        self,
        iteration: int,
        trials: list[Any],
        trial: Any,
        result: dict[str, Any],
        **info: Any,
    ) -> None:
        """Raise what a trial says that the user must solve; Tune passes it on, wrapped."""
        if "fault" in result:
            self._sweep.fault = result["fault"]
            raise self._sweep.fault

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """An evaluation has ended."""
        self._sweep.report()

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Tune has given up a trial."""
        self._sweep.report()

    def __reduce__(self) -> tuple[object, ...]:
        """Tune keeps a copy of its callbacks on disk; a sweep has no place there."""
        return (tune.Callback, ())
