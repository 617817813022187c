"""How hard a table is to search: mean regret of random search and regularized evolution.

Both see the same noise-free objective that the regret is measured by. It is a property of the
table, not a comparison of optimizers.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CHECKPOINTS = (10, 30, 100, 280)
POPULATIONS = (50, 100)
TOURNAMENT = 10


def search_curves(
    space: NASBench1Shot1Space, accuracy: Floats, seeds: int
) -> dict[str, list[float]]:
    """Mean regret after `CHECKPOINTS` evaluations, by method; nothing if no cell is known.

    Args:
        space: the space.
        accuracy: (rows,) accuracy of the unique cells, NaN where one is left out.
        seeds: of regularized evolution; random search is exact.
    """
    error = 1 - accuracy
    if np.isnan(error).all():
        return {}
    curves = {"random": random_search_regret(error, space.multiplicities())}
    for population in POPULATIONS:
        curves[f"evolution_{population}"] = evolution_regret(
            space, error, population=population, seeds=seeds
        )
    return {name: np.round(curve, 6).tolist() for name, curve in curves.items()}


def random_search_regret(error: Floats, weights: Ints) -> Floats:
    """Expected regret after `CHECKPOINTS` draws with replacement, exact.

    Args:
        error: (n,) error of every unique cell, NaN where it is left out.
        weights: (n,) architectures per unique cell.
    """
    known = np.flatnonzero(~np.isnan(error))
    order = known[np.argsort(error[known])]
    ranked, mass = error[order], weights[order] / weights[known].sum()
    not_better = np.clip(1 - np.concatenate([[0.0], np.cumsum(mass)]), 0, 1)
    expected = [
        (ranked * (not_better[:-1] ** count - not_better[1:] ** count)).sum()
        for count in CHECKPOINTS
    ]
    regret: Floats = np.array(expected) - ranked[0]
    return regret


def evolution_regret(
    space: NASBench1Shot1Space, error: Floats, *, population: int, seeds: int, seed: int = 0
) -> Floats:
    """Mean regret of regularized evolution (Real et al. 2019) after `CHECKPOINTS` evaluations.

    Tournaments of ten with replacement, the oldest member dies. All seeds run side by side.
    Cells left out (NaN) are drawn again.
    """
    rng = np.random.default_rng(seed)
    mutation = _Mutation(space)
    vectors = _first_members(space, error, rng, population, seeds)
    members = error[space.rows(vectors.reshape(seeds * population, -1))].reshape(seeds, population)
    best = np.minimum.accumulate(members, axis=1)
    curve = [best[:, min(count, population) - 1] for count in CHECKPOINTS]
    lowest, lane = best[:, -1], np.arange(seeds)
    for evaluation in range(population, CHECKPOINTS[-1]):
        drawn = rng.integers(population, size=(seeds, TOURNAMENT))
        winner = drawn[lane, np.argmin(members[lane[:, None], drawn], axis=1)]
        parents = vectors[lane, winner]
        children = mutation(parents, rng)
        value = error[space.rows(children)]
        while (again := np.isnan(value)).any():
            children[again] = mutation(parents[again], rng)
            value[again] = error[space.rows(children[again])]
        oldest = evaluation % population
        vectors[:, oldest], members[:, oldest] = children, value
        lowest = np.minimum(lowest, value)
        for index, count in enumerate(CHECKPOINTS):
            if evaluation + 1 == count:
                curve[index] = lowest
    return np.array([values.mean() for values in curve]) - np.nanmin(error)


def _first_members(
    space: NASBench1Shot1Space,
    error: Floats,
    rng: np.random.Generator,
    population: int,
    seeds: int,
) -> npt.NDArray[np.uint8]:
    kept = np.empty((0, len(space.cardinalities)), np.uint8)
    while len(kept) < seeds * population:
        drawn = space.sample(rng, seeds * population)
        kept = np.concatenate([kept, drawn[~np.isnan(error[space.rows(drawn)])]])
    return kept[: seeds * population].reshape(seeds, population, -1)


class _Mutation:
    """`NASBench1Shot1Space.mutate` for many vectors at once."""

    def __init__(self, space: NASBench1Shot1Space) -> None:
        self.blocks = space.num_blocks
        self.free = np.array(
            [i for i in range(self.blocks, len(space.cardinalities)) if space.cardinalities[i] > 1]
        )
        self.rewired = {
            int(choice): _one_apart(space.parent_sets[choice - self.blocks]) for choice in self.free
        }

    def __call__(
        self, vectors: npt.NDArray[np.uint8], rng: np.random.Generator
    ) -> npt.NDArray[np.uint8]:
        count = len(vectors)
        children = vectors.copy()
        kind = rng.integers(3, size=count)
        operation = rng.integers(self.blocks, size=count)
        shift = rng.integers(1, 3, size=count)
        choice = self.free[rng.integers(len(self.free), size=count)]
        chance = rng.random(count)
        changed = np.flatnonzero(kind == 2)
        where = operation[changed]
        children[changed, where] = (children[changed, where] + shift[changed]) % 3
        for number, others in self.rewired.items():
            rows = np.flatnonzero((kind == 1) & (choice == number))
            pick = (chance[rows] * others.shape[1]).astype(np.int64)
            children[rows, number] = others[children[rows, number], pick]
        return children


def _one_apart(sets: tuple[tuple[int, ...], ...]) -> npt.NDArray[np.uint8]:
    """(options, m) for every parent set the sets with one parent exchanged."""
    apart: list[list[int]] = [[] for _ in sets]
    for (i, one), (j, other) in combinations(enumerate(sets), 2):
        if len(set(one) - set(other)) == 1:
            apart[i].append(j)
            apart[j].append(i)
    return np.array(apart, np.uint8)
