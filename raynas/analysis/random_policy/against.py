"""Final cells against what they are to be compared with: draws of a known law, or other runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from raynas.analysis import statistics
from raynas.analysis.random_policy import surpass
from raynas.analysis.random_policy.population import Population
from raynas.analysis.statistics import Equivalence, Estimate, MannWhitney, Significance, Statement
from raynas.analysis.statistics.statement import too_few

#: Best of how many random draws the runs are held against.
DRAWS = (1, 10, 100, 1000)
#: Largest difference of accuracies that counts as none, by default: about the standard deviation
#: of a mean of three trainings of one cell in NAS-Bench-101 (0.36 points / sqrt 3).
MARGIN = 0.002


@dataclass(frozen=True)
class Surpass:
    """Probabilities to surpass random draws; see `surpass` for the definitions.

    Attributes:
        rank: of the best final cell, counted from the worst; a statement if cells are not drawn
            uniformly, as ranks count each of them once.
        size: number of cells.
        published: (r / r_max)^n; a statement likewise.
        some_draw: that the best of n draws is at least as good as the best run.
        best_of_n: that the best of n new runs surpasses the best of n draws.
        beats: that a run surpasses the best of k draws, by k.
    """

    rank: int | Statement
    size: int
    published: float | Statement
    some_draw: float
    best_of_n: float
    beats: dict[int, float]


@dataclass(frozen=True)
class Comparison:
    """A method's final cells against one reference.

    Attributes:
        reference: name of what they are compared with.
        runs: of the method, with a cell.
        others: runs of the reference; None if its law is known exactly.
        superiority: probability that a run is better than the reference, equal ones half.
        p_rank: of the Mann-Whitney test (of the mean quantile, if the law is known). Of fewer
            than `FEWEST` runs no p-value is given, neither this nor any other.
        difference: mean accuracy less that of the reference.
        p_mean: of the permutation test on means (of simulated means, if the law is known).
        equivalence: whether the means differ by less than a margin.
        spread: test of unequal spread; None if the law is known.
        quantiles: (runs,) of each run in the known law, equal accuracies half; empty if unknown.
        surpass: probabilities to surpass random draws; None where draws are not the reference.
        p_rank_holm: `p_rank` adjusted for the number of methods.
        p_mean_holm: the same for `p_mean`.
    """

    reference: str
    runs: int
    others: int | None
    superiority: Estimate | Statement
    p_rank: float | Statement
    difference: Estimate | Statement
    p_mean: float | Statement
    equivalence: Equivalence | Statement
    spread: Significance | Statement | None = None
    quantiles: np.ndarray = field(default_factory=lambda: np.zeros(0))
    surpass: Surpass | None = None
    p_rank_holm: float = float("nan")
    p_mean_holm: float = float("nan")


def against_draws(
    accuracies: np.ndarray, laws: Population | Sequence[Population], margin: float = MARGIN
) -> Comparison:
    """Against draws from known laws: one for all runs, or one for each.

    If the runs were such draws, their quantiles would be uniform: `superiority` is the mean
    quantile, 0.5 by chance, with a BCa interval, and p is from the exact law of a mean of uniform
    values (a little large where cells tie). The p-value of the mean accuracy is from simulated
    sets of draws.
    """
    alone = isinstance(laws, Population)
    each = [laws] * len(accuracies) if isinstance(laws, Population) else list(laws)
    name = laws.name if isinstance(laws, Population) else laws[0].name
    if len(accuracies) == 0:
        return impossible(name, 0, Statement("no run ended with a cell"))
    few = too_few(len(accuracies))
    pairs = list(zip(each, accuracies, strict=True))
    quantiles = np.array([float(law.middle(value)) for law, value in pairs])
    gaps = accuracies - np.array([law.mean for law in each])
    return Comparison(
        reference=name,
        runs=len(accuracies),
        others=None,
        superiority=statistics.bootstrap(quantiles),
        p_rank=few
        or float(statistics.uniform_mean_p(np.array([quantiles.mean()]), len(quantiles))[0]),
        difference=statistics.bootstrap(gaps),
        p_mean=few or statistics.drawn_mean_test(float(gaps.mean()), [law.gaps for law in each]).p,
        equivalence=statistics.equivalence(gaps, 0.0, margin),
        quantiles=quantiles,
        surpass=_surpass(accuracies, each[0]) if alone else None,
    )


def impossible(reference: str, runs: int, why: Statement) -> Comparison:
    """A comparison of which nothing can be said."""
    return Comparison(reference, runs, None, why, why, why, why, why)


def _surpass(accuracies: np.ndarray, law: Population) -> Surpass:
    best = float(accuracies.max())
    uneven = Statement("the cells are not drawn uniformly, and ranks count each of them once")
    reached = float(law.chances(best)[1])
    published = surpass.published_probability(reached, len(accuracies))
    return Surpass(
        rank=surpass.rank_from_worst(law, best) if law.uniform else uneven,
        size=law.cells,
        published=published if law.uniform else uneven,
        some_draw=surpass.some_draw_as_good(law, best, len(accuracies)),
        best_of_n=surpass.best_of_runs_beats_best_of_draws(law, accuracies),
        beats={k: surpass.beats_best_of(law, accuracies, k) for k in DRAWS},
    )


def against_runs(
    accuracies: np.ndarray, others: np.ndarray, reference: str, margin: float = MARGIN
) -> Comparison:
    """Against other runs: Mann-Whitney, bootstrap, permutation, equivalence and spread."""
    runs, rivals = (int(np.sum(~np.isnan(values))) for values in (accuracies, others))
    few = too_few(min(runs, rivals))
    ranks = statistics.mann_whitney(accuracies, others)
    means = statistics.permutation_test(accuracies, others)
    return Comparison(
        reference=reference,
        runs=runs,
        others=rivals,
        superiority=ranks.superiority if isinstance(ranks, MannWhitney) else ranks,
        p_rank=few or (ranks.p if isinstance(ranks, MannWhitney) else ranks),
        difference=statistics.difference(accuracies, others),
        p_mean=few or (means.p if isinstance(means, Significance) else means),
        equivalence=statistics.equivalence(accuracies, others, margin),
        spread=statistics.brown_forsythe(accuracies, others),
    )
