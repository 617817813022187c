"""What a sweep's evaluations say: incumbents, rank correlations, importances, improvement."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics import FEWEST, LEVEL, RESAMPLES, Statement, spearman
from tuning.report.content import Axis, Row, SweepContent

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Floats = npt.NDArray[np.float64]

#: Below this the interval of a rank correlation spans nearly everything.
FEWEST_PAIRS = 8
#: A random forest of fewer points finds patterns in anything.
FEWEST_POINTS = 10
_TREES = 64
_SHUFFLES = 40


@dataclass(frozen=True)
class Trajectory:
    """The best cell so far of a sweep, after each evaluation in order; each (n,).

    Attributes:
        evaluations: their numbers.
        wall: seconds on the clock of the wall since the sweep began; sorted by it.
        epochs: epochs trained so far, those of a continued search once.
        simulated: seconds of searching and of training each cell found, one after the other.
        validation_error: of the best cell by validation error.
        test_error: of the same cell.
    """

    evaluations: npt.NDArray[np.int64]
    wall: Floats
    epochs: Floats
    simulated: Floats
    validation_error: Floats
    test_error: Floats


def trajectory(content: SweepContent, order: str = "evaluation") -> Trajectory:
    """The incumbent over time, whatever the budget of the evaluation that found it.

    Args:
        content: of the sweep.
        order: "evaluation", the order of proposals, or "finished", that of the clock.
    """
    trained: dict[int, int] = {}
    rows = []
    best: tuple[float, float] = (np.inf, np.nan)
    epochs = simulated = 0.0
    for row in sorted(content.rows, key=lambda row: (row[order], row["evaluation"])):
        before = 0 if content.arguments["restart"] else trained.get(row["configuration"], 0)
        trained[row["configuration"]] = row["epochs"]
        epochs += max(row["epochs"] - before, 0)
        cell = content.cells.get(row["module_hash"] or "", {})
        simulated += (row["seconds"] or 0.0) + (cell.get("training_seconds") or 0.0)
        if row["validation_error"] is not None and row["validation_error"] < best[0]:
            best = row["validation_error"], row["test_error"] or np.nan
        rows.append((row["evaluation"], row["finished"] or 0.0, epochs, simulated, *best))
    table = np.array(rows, float).reshape(-1, 6)
    table = table[np.isfinite(table[:, 4])]
    return Trajectory(table[:, 0].astype(np.int64), *table[:, 1:].T)


@dataclass(frozen=True)
class RankCorrelation:
    """How alike two budgets rank the same configurations.

    Attributes:
        low: the smaller budget.
        high: the larger one.
        count: configurations with results at both.
        rho: Spearman's; None where it is not defined.
        interval: 95 %, by Fisher's transformation with the variance of Bonett and Wright (2000);
            None for fewer than `FEWEST_PAIRS` configurations.
    """

    low: int
    high: int
    count: int
    rho: float | None
    interval: tuple[float, float] | None


def rank_correlations(content: SweepContent) -> list[RankCorrelation]:
    """Of every pair of budgets."""
    losses: dict[int, dict[int, float]] = {}
    for row in content.completed:
        losses.setdefault(row["epochs"], {})[row["configuration"]] = row["validation_error"]
    return [
        _rank_correlation(low, high, losses[low], losses[high])
        for low, high in combinations(content.budgets, 2)
    ]


def _rank_correlation(
    low: int, high: int, first: dict[int, float], second: dict[int, float]
) -> RankCorrelation:
    both = sorted(first.keys() & second.keys())
    rho = spearman([first[c] for c in both], [second[c] for c in both])
    if isinstance(rho, Statement):
        return RankCorrelation(low, high, len(both), None, None)
    interval = fisher_interval(rho, len(both)) if len(both) >= FEWEST_PAIRS else None
    return RankCorrelation(low, high, len(both), rho, interval)


def fisher_interval(rho: float, count: int) -> tuple[float, float]:
    """95 % interval of Spearman's rho of so many pairs, more than 3."""
    from scipy.stats import norm

    centre = np.arctanh(np.clip(rho, -0.999999, 0.999999))
    wide = norm.ppf((1 + LEVEL) / 2) * np.sqrt((1 + rho**2 / 2) / (count - 3))
    return float(np.tanh(centre - wide)), float(np.tanh(centre + wide))


@dataclass(frozen=True)
class Importance:
    """Share of the variance of the errors that each hyperparameter explains alone, by fANOVA.

    Attributes:
        epochs: the budget of the evaluations.
        count: how many there are.
        shares: by name, largest first.
        chance: what the largest share of all reaches in one of twenty cases when the errors are
            shuffled, so that no hyperparameter has any influence.
    """

    epochs: int
    count: int
    shares: dict[str, float]
    chance: float


def importance(content: SweepContent) -> Importance | None:
    """At the largest budget with `FEWEST_POINTS` results; None if there is none, or no spread."""
    for epochs in reversed(content.budgets):
        rows = [row for row in content.completed if row["epochs"] == epochs]
        if len(rows) >= FEWEST_POINTS and len({row["validation_error"] for row in rows}) > 1:
            errors = np.array([row["validation_error"] for row in rows])
            shares = _fanova(content, rows, errors)
            order = sorted(shares, key=lambda name: -shares[name])
            rng = np.random.default_rng(0)
            shuffled = [rng.permutation(errors) for _ in range(_SHUFFLES)]
            largest = [max(_fanova(content, rows, values).values()) for values in shuffled]
            chance = float(np.quantile(largest, LEVEL))
            return Importance(epochs, len(rows), {n: shares[n] for n in order}, chance)
    return None


def _fanova(content: SweepContent, rows: list[Row], errors: Floats) -> dict[str, float]:
    import optuna
    from optuna.importance import FanovaImportanceEvaluator

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    distributions = {axis.name: _distribution(axis) for axis in content.axes}
    whole = {axis.name for axis in content.axes if axis.integer or axis.choices}
    study.add_trials(
        [
            optuna.trial.create_trial(
                params={n: int(row[n]) if n in whole else row[n] for n in distributions},
                distributions=distributions,
                value=float(error),
            )
            for row, error in zip(rows, errors, strict=True)
        ]
    )
    evaluator = FanovaImportanceEvaluator(n_trees=_TREES, seed=0)
    return {name: float(share) for name, share in evaluator.evaluate(study).items()}


def _distribution(axis: Axis) -> BaseDistribution:
    from optuna import distributions

    if axis.choices:
        return distributions.CategoricalDistribution([int(choice) for choice in axis.choices])
    if axis.integer:
        return distributions.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return distributions.FloatDistribution(axis.low, axis.high, log=axis.log)


@dataclass(frozen=True)
class Improvement:
    """Mean test regret with default settings over that with tuned ones.

    Attributes:
        default: mean regret with default settings.
        tuned: mean regret with tuned settings.
        seeds: pairs of searches from the same initial weights.
        factor: their quotient; infinite if the tuned regret is zero.
        interval: 95 % bootstrap interval over the seeds; None with too few of them.
    """

    default: float
    tuned: float
    seeds: int
    factor: float
    interval: tuple[float, float] | None


def improvement(content: SweepContent) -> Improvement | None:
    """From the comparison after the sweep, whose seeds the sweep has not seen."""
    first, second = (content.regrets(label)[1] for label in (content.method, content.tuned))
    if not len(first) or len(first) != len(second):
        return None
    return improvement_of(first, second)


def improvement_of(default: Floats, tuned: Floats, seed: int = 0) -> Improvement:
    """The quotient of mean regrets of paired searches, and its percentile bootstrap interval."""
    count = len(default)
    interval = None
    if count >= FEWEST:
        rng = np.random.default_rng(seed)
        draws = rng.integers(count, size=(RESAMPLES, count))
        factors = _quotient(default[draws].mean(1), tuned[draws].mean(1))
        tails = (1 - LEVEL) / 2, (1 + LEVEL) / 2
        low, high = np.quantile(factors, tails, method="closest_observation")
        interval = float(low), float(high)
    means = float(default.mean()), float(tuned.mean())
    factor = float(_quotient(default.mean(keepdims=True), tuned.mean(keepdims=True))[0])
    return Improvement(*means, count, factor, interval)


def _quotient(above: Floats, below: Floats) -> Floats:
    """Nothing over nothing is 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((above == 0) & (below == 0), 1.0, above / below)
