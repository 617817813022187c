"""One row of the log: a finished evaluation."""

from __future__ import annotations

from typing import NamedTuple

MEAN = -1
"""The `repeat` of a row that holds the mean over the repeats."""
FAILED_RUN = -1
"""The `number` of the row that tells why a whole run ended early."""


class Row(NamedTuple):
    """One finished evaluation; the run's method, space and seed are kept beside it."""

    evaluation: int
    number: int
    vector: tuple[int, ...]
    row: int
    epochs: int
    repeat: int
    validation_error: float | None
    test_error: float | None
    simulated_seconds: float
    real_seconds: float
    failure: str | None


def failed_run(evaluation: int, clock: float, real_seconds: float, failure: str) -> Row:
    """The last row of a run that could not go on."""
    text = f"run failed: {failure}"
    return Row(evaluation, FAILED_RUN, (), -1, 0, MEAN, None, None, clock, real_seconds, text)
