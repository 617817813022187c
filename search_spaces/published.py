"""The sets of architectures that NAS-Bench-1Shot1 published counts of, by name.

The published sizes of the three spaces follow different rules, and one of them comes from an
enumeration that misses most graphs. raynas defines a space by its unique cells; the sets here
exist for comparison with published figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt

from search_spaces.cell import OPERATIONS
from search_spaces.errors import unknown_name
from search_spaces.graph_arrays import prune
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.space import Vectors

Rule = Literal["raw", "with-loose-ends", "used", "pruned", "without-loose-ends"]
RULES: tuple[Rule, ...] = ("raw", "with-loose-ends", "used", "pruned", "without-loose-ends")


def published_architectures(space: NASBench1Shot1Space, rule: Rule) -> Vectors:
    """Vectors of one of the countings of a space, one per counted architecture.

    Operations that a rule does not count are set to the first one.

    Args:
        space: one of the three spaces.
        rule:
            "raw": every vector, 14,580 / 29,160 / 1,312,200; the published 29,160 of space 2.
            "with-loose-ends": every choice of parents, operations only on blocks that feed
            another vertex, 6,240 / 16,632 / 363,648; the published sizes of spaces 1 and 3.
            "used": every choice of parents, operations only on blocks with a path to the
            output, 5,508 / 16,038 / 265,860.
            "pruned": different pruned graphs with block numbers kept, the complete set without
            loose ends, 3,702 / 12,474 / 135,900.
            "without-loose-ends": those whose used vertices lie on one chain, which is what the
            released enumeration yields, 2,487 / 3,609 / 24,066.

    Returns:
        Shape (n, d), in the order of the vectors.

    Raises:
        UserError: if there is no such rule.
    """
    if rule not in RULES:
        raise unknown_name("counting rule", rule, list(RULES))
    patterns = _parent_patterns(space)
    matrices = space.matrices(patterns)
    pruned, used = prune(matrices)
    free = _free_blocks(matrices, used, rule)[:, 1:-1]
    if rule in ("pruned", "without-loose-ends"):
        _, first = np.unique(pruned.reshape(len(pruned), -1), axis=0, return_index=True)
        if rule == "without-loose-ends":
            first = first[_is_chain(pruned[first], used[first])]
        patterns, free = patterns[np.sort(first)], free[np.sort(first)]
    return np.concatenate(list(_with_operations(patterns, free)))


def _parent_patterns(space: NASBench1Shot1Space) -> Vectors:
    sets = [range(n) for n in space.cardinalities[space.num_blocks :]]
    chosen = np.array(list(product(*sets)), np.uint8)
    return np.concatenate([np.zeros((len(chosen), space.num_blocks), np.uint8), chosen], axis=1)


def _free_blocks(
    matrices: Vectors, used: npt.NDArray[np.bool_], rule: Rule
) -> npt.NDArray[np.bool_]:
    if rule == "raw":
        return np.ones_like(used)
    feeding = np.asarray(matrices.any(2))
    return feeding if rule == "with-loose-ends" else used


def _is_chain(pruned: Vectors, used: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether consecutive used vertices are all linked."""
    chain = np.empty(len(pruned), bool)
    for i, (matrix, mask) in enumerate(zip(pruned, used, strict=True)):
        vertices = np.flatnonzero(mask)
        chain[i] = matrix[vertices[:-1], vertices[1:]].all()
    return chain


def _with_operations(patterns: Vectors, free: npt.NDArray[np.bool_]) -> Iterator[Vectors]:
    for pattern, mask in zip(patterns, free, strict=True):
        blocks = np.flatnonzero(mask)
        choices = np.array(list(product(range(len(OPERATIONS)), repeat=len(blocks))), np.uint8)
        vectors = np.repeat(pattern[None], len(choices), 0)
        vectors[:, blocks] = choices.reshape(len(choices), len(blocks))
        yield vectors
