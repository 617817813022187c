"""A quantity of several runs at several moments, in figures over the runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from raynas.analysis import statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class OverRuns:
    """One method's quantity over its runs; each array has one entry per moment.

    An entry is nan where no run has a value (and the interval where there is none to give).

    Attributes:
        runs: how many runs have a value; only they are in the other figures.
        mean: mean over runs.
        low: lower end of the 95 % bootstrap interval of the mean.
        high: upper end.
        median: median over runs.
        q25: lower quartile.
        q75: upper quartile.
    """

    runs: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    median: np.ndarray
    q25: np.ndarray
    q75: np.ndarray


def over_runs(values: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
    """The fields of `OverRuns`.

    Args:
        values: (runs, moments), nan where a run has no value.
        seed: of the bootstrap.
    """
    low, high = statistics.mean_interval(values, seed=seed)
    q25, median, q75 = statistics.quartiles(values)
    return {
        "runs": np.sum(~np.isnan(values), axis=0),
        "mean": statistics.mean(values),
        "low": low,
        "high": high,
        "median": median,
        "q25": q25,
        "q75": q75,
    }
