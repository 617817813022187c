"""Expected improvement, and SMAC's search for its maximum in a categorical domain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from raynas.optimizers._base import Domain, Vectors

Floats = npt.NDArray[np.float64]
Acquisition = Callable[[Vectors], Floats]


def expected_improvement(mean: Floats, variance: Floats, best: float) -> Floats:
    """Expected improvement over `best` under normal predictions (Jones et al. 1998, eq. 15)."""
    from scipy.special import ndtr

    deviation = np.sqrt(variance)
    z = (best - mean) / deviation
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return np.asarray((best - mean) * ndtr(z) + deviation * density)


@dataclass(frozen=True, slots=True)
class MaximizerSettings:
    """Effort of the maximizer; defaults of SMAC's `LocalAndSortedRandomSearch`.

    Attributes:
        challengers: random candidates.
        local_searches: how many of the best random candidates, and how many of the evaluated
            points with the lowest predicted cost, start a local search each.
        plateau_steps: steps among equals before a local search ends.
    """

    challengers: int = 5000
    local_searches: int = 10
    plateau_steps: int = 10


def maximize(
    acquisition: Acquisition,
    domain: Domain,
    evaluated: Vectors,
    settings: MaximizerSettings,
    rng: np.random.Generator,
) -> Vectors:
    """Ends of local searches from random and evaluated points, best first.

    Args:
        acquisition: value of each row.
        domain: where to search.
        evaluated: start points besides the random ones, most promising first.
        settings: effort.
        rng: random stream.

    Returns:
        Distinct vectors, shape (m, choices), by falling acquisition value.
    """
    random = domain.sample(rng, settings.challengers)
    best = np.argsort(-acquisition(random), kind="stable")[: settings.local_searches]
    starts = np.concatenate([evaluated[: settings.local_searches], random[best]])
    ends, values = _climb(acquisition, domain, _distinct(starts), settings.plateau_steps, rng)
    order = np.lexsort((rng.random(len(values)), -values))
    return _distinct(ends[order])


def _climb(
    acquisition: Acquisition,
    domain: Domain,
    points: Vectors,
    plateau_steps: int,
    rng: np.random.Generator,
) -> tuple[Vectors, Floats]:
    """All local searches at once: each moves to a random better neighbour, else to an equal one."""
    points = points.copy()
    values = acquisition(points)
    plateau = np.zeros(len(points), dtype=np.int64)
    active = np.arange(len(points))
    while active.size:
        neighbours, owner = one_exchange_neighbours(points[active], domain)
        scores, current = acquisition(neighbours), values[active][owner]
        moves = np.full(len(active), -1)
        # Later assignments win: a random one of the better neighbours, if any, else of the equal.
        shuffled = rng.permutation(len(neighbours))
        for allowed in (scores == current, scores > current):
            chosen = shuffled[allowed[shuffled]]
            moves[owner[chosen]] = chosen
        moved, targets = moves >= 0, moves[moves >= 0]
        level = np.ones(len(active), dtype=bool)
        level[moved] = scores[targets] == current[targets]
        plateau[active[level]] += 1
        points[active[moved]] = neighbours[targets]
        values[active[moved]] = scores[targets]
        active = active[moved & (plateau[active] < plateau_steps)]
    return points, values


def one_exchange_neighbours(
    points: Vectors, domain: Domain
) -> tuple[Vectors, npt.NDArray[np.int64]]:
    """Every valid vector with one choice changed, and the row of the point that it belongs to."""
    choices, options = _all_exchanges(domain.cardinalities)
    owner = np.repeat(np.arange(len(points)), len(choices))
    neighbours = points[owner]
    neighbours[np.arange(len(owner)), np.tile(choices, len(points))] = np.tile(options, len(points))
    keep = (neighbours != points[owner]).any(axis=1)
    neighbours, owner = neighbours[keep], owner[keep]
    inside = domain.valid(neighbours)
    return neighbours[inside], owner[inside]


@lru_cache(maxsize=16)
def _all_exchanges(
    cardinalities: tuple[int, ...],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    choices = np.repeat(np.arange(len(cardinalities)), cardinalities)
    options = np.concatenate([np.arange(n, dtype=np.uint8) for n in cardinalities])
    return choices, options


def _distinct(vectors: Vectors) -> Vectors:
    """The rows without repetitions, first occurrences in their order."""
    _, first = np.unique(vectors, axis=0, return_index=True)
    return vectors[np.sort(first)]
