"""Runs on a common time axis: the regret that a user would have had at each moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from raynas.analysis import statistics
from raynas.analysis.over_runs import OverRuns, over_runs
from raynas.analysis.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve(OverRuns):
    """One method's regret over time; each array has one entry per grid point.

    Attributes:
        seconds: simulated seconds.
    """

    seconds: np.ndarray


def log_grid(runs: Sequence[Run], points: int = 200) -> np.ndarray:
    """Seconds from the first finished evaluation of any run to the last, evenly on a log scale.

    A run that failed before its clock moved has no place on such a scale and sets no end.
    """
    moved = [run.seconds[run.seconds > 0] for run in runs]
    first = min((seconds[0] for seconds in moved if len(seconds)), default=1.0)
    last = max((seconds[-1] for seconds in moved if len(seconds)), default=1.0)
    if last <= first:
        return np.unique(np.array([first, last], dtype=np.float64))
    grid = np.geomspace(first, last, points)
    grid[0], grid[-1] = first, last  # rounding must not lose the end points
    return grid


def sample(runs: Sequence[Run], grid: np.ndarray, quantity: str) -> np.ndarray:
    """Value of a step function of each run at given times.

    Args:
        runs: the runs, whose last value stays after their end.
        grid: (g,) simulated seconds.
        quantity: name of a float array of `Run`, for instance "test_regret".

    Returns:
        (runs, g) float64; nan before a run's first success.
    """
    values = np.full((len(runs), len(grid)), np.nan)
    for i, run in enumerate(runs):
        index = np.searchsorted(run.seconds, grid, side="right") - 1
        steps = getattr(run, quantity)
        values[i] = np.where(index >= 0, steps[np.maximum(index, 0)], np.nan)
    return values


def complete(runs: Sequence[Run], grid: np.ndarray) -> np.ndarray:
    """The part of a grid from when every run has a value: before, a mean changes by who is in it.

    Runs in which nothing ever succeeded do not hold it up.
    """
    begins = [run.seconds[np.isfinite(run.test_regret)][:1] for run in runs]
    after = grid >= np.max(np.concatenate(begins), initial=-np.inf)
    return grid[after] if after.any() else grid[-1:]


def curve(runs: Sequence[Run], grid: np.ndarray, quantity: str, seed: int = 0) -> Curve:
    """Summarise the runs of one method over time.

    Its last point is the moment when its last run ends, whether or not the grid has it: there a
    search has its final architecture.
    """
    end = max(grid[0], *(run.seconds[-1] for run in runs))
    seconds = np.append(grid[grid < end], end)
    return Curve(seconds=seconds, **over_runs(sample(runs, seconds, quantity), seed))


def final(runs: Sequence[Run], quantity: str) -> np.ndarray:
    """Last value of each run: (runs,), nan for a run in which nothing succeeded."""
    return np.array([getattr(run, quantity)[-1] for run in runs], dtype=np.float64)


def rank_curves(
    groups: dict[str, list[Run]], grid: np.ndarray, quantity: str = "test_regret"
) -> dict[str, np.ndarray]:
    """Mean rank of each method over time (1 is best).

    At each time the methods are ranked by regret within each seed that all of them have run, and
    the ranks are averaged over those seeds. Equal regrets share the average of their ranks. A run
    without a finished evaluation ranks behind all that have one; where no run of a seed has any,
    that seed counts nothing.

    Returns:
        method -> (g,); nan where nothing is known, or when no seed is common to all methods.
    """
    seeds = common_seeds(groups)
    if not seeds:
        return {method: np.full(len(grid), np.nan) for method in groups}
    values = []
    for runs in groups.values():
        by_seed = {run.seed: run for run in runs}
        values.append(sample([by_seed[seed] for seed in seeds], grid, quantity))
    ranks = statistics.mean_ranks(np.stack(values))
    return dict(zip(groups, ranks, strict=True))


def common_seeds(groups: dict[str, list[Run]]) -> list[int]:
    """Seeds that every method has run, in order."""
    sets = [{run.seed for run in runs} for runs in groups.values()]
    return sorted(set.intersection(*sets)) if sets else []
