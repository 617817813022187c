"""Is a method better than drawing cells at random? Probabilities from the exact law of a draw.

Some of these are mixed up in the literature; each has its name here. n runs of a method end with
n cells; F(x-) and F(x) are the probabilities that a draw has less than, or at most, accuracy x.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raynas.analysis.random_policy.population import Population


def published_probability(share: float, runs: int) -> float:
    """(r / r_max)^n, "probability to surpass random search" (Yu et al., ICLR 2020).

    It is the probability that the best of n random draws is at most as good as the best of the n
    runs. If the method is itself a random policy, it is distributed uniformly on [0, 1]: it is one
    minus a one-sided p-value, so 0.92 is not significant at 5 % and 0.5 is what chance gives.

    Args:
        share: r / r_max, where r is the place of the best final cell counted from the worst, which
            has 1, and r_max is the place of the best cell: F(x) of a uniform draw.
        runs: n, the number of runs; not the number of cells taken from one run.

    Raises:
        ValueError: the share is not in [0, 1], or there is no run.
    """
    if not 0 <= share <= 1 or runs < 1:
        raise ValueError(f"a share of {share} with {runs} runs")
    return float(share**runs)


def rank_from_worst(population: Population, best: float) -> int:
    """The r of `published_probability`: cells with at most this accuracy.

    Among cells of equal accuracy, which the published numbering puts in an arbitrary order, it is
    the highest place.

    Raises:
        ValueError: cells are not drawn uniformly, so that a probability is no share of cells.
    """
    if not population.uniform:
        raise ValueError(f"draws from {population.name} are not uniform over cells")
    return round(float(population.chances(best)[1]) * population.cells)


def random_draw_as_good(population: Population, accuracies: npt.ArrayLike) -> np.ndarray:
    """Probability that one random draw is at least as good as each accuracy: 1 - F(x-)."""
    return 1 - population.chances(accuracies)[0]


def some_draw_as_good(population: Population, best: float, draws: int) -> float:
    """Probability that the best of some random draws is at least as good: 1 - F(x-)^draws.

    It is about the random draws, not about the method: one minus the published probability, but
    for equal accuracies.
    """
    return float(1 - population.chances(best)[0] ** draws)


def beats_best_of(population: Population, accuracies: npt.ArrayLike, draws: int) -> float:
    """Probability that a run of the method surpasses the best of some random draws.

    The run is one of the given, each as likely; an equal accuracy counts half: the mean over runs
    of (F(x-)^draws + F(x)^draws) / 2.
    """
    lower, upper = population.chances(accuracies)
    return float(np.mean((lower**draws + upper**draws) / 2))


def best_of_runs_beats_best_of_draws(population: Population, accuracies: npt.ArrayLike) -> float:
    """P(best of n > best of n random): n new runs of the method against n random draws.

    What new runs would give is taken from the given ones, drawn with replacement (the bootstrap,
    here in closed form); an equal accuracy counts half. Unlike the published probability it does
    not hang on the single best run only.
    """
    ordered = np.sort(np.asarray(accuracies, dtype=np.float64))
    runs = len(ordered)
    steps = np.arange(runs + 1) / runs
    chance = steps[1:] ** runs - steps[:-1] ** runs  # that the i-th is the best of n new ones
    lower, upper = population.chances(ordered)
    return float(chance @ (lower**runs + upper**runs) / 2)
