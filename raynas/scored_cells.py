"""Which cells of a space are scored, and which of their architectures stand for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import numpy.typing as npt

from raynas.seeds import seed_for
from search_spaces.graph_arrays import prune
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.space import Vectors
from search_spaces.spaces import load_space

if TYPE_CHECKING:
    from raynas.correlation_study import Request

Numbers = npt.NDArray[np.int64]
#: Which architectures stand for a cell, as manifests have it: different networks drawn from all of
#: its architectures; as drawn, loose ends included; or the first. New studies take the first rule,
#: the others are those of studies that earlier versions began.
Drawing = Literal["different", "drawn", "first"]


@dataclass(frozen=True)
class ScoredCells:
    """Architectures of cells, and the order to score them in.

    An architecture's position is its cell's row, plus the number of the labelling times the number
    of cells of the space.

    Attributes:
        vectors: shape (labellings * cells of the space, d); zeros where `there` is false.
        there: which positions have an architecture: some cells have fewer than were asked for.
        unique: cells of the space.
        rows: of the cells that are scored, rising.
        order: positions of what is scored, those with the same edges beside each other: they have
            most in common.
    """

    vectors: npt.NDArray[np.uint8]
    there: npt.NDArray[np.bool_]
    unique: int
    rows: Numbers
    order: Numbers

    def of(self, positions: Numbers) -> tuple[Numbers, Numbers]:
        """Rows of the cells and numbers of the labellings at these positions."""
        return positions % self.unique, positions // self.unique


def scored_cells(name: str, request: Request, drawing: Drawing = "different") -> ScoredCells:
    """What a request scores of one space.

    Args:
        name: of the space.
        request: with cells, labellings and seed.
        drawing: see `architectures`.
    """
    seed = request.seed or 0
    vectors, there = architectures(name, seed, request.labellings or 1, drawing)
    labellings, unique, _ = vectors.shape
    rows = np.arange(unique)
    if request.cells is not None and request.cells < unique:
        rng = np.random.default_rng(seed_for(seed, "correlation", name))
        rows = rng.choice(rows, request.cells, replace=False)
    positions = (rows + unique * np.arange(labellings)[:, None]).reshape(-1)
    flat, known = vectors.reshape(labellings * unique, -1), there.reshape(-1)
    positions = positions[known[positions]]
    order = positions[_alike(flat[positions])]
    return ScoredCells(flat, known, unique, np.sort(rows), np.asarray(order, np.int64))


def architectures(
    name: str, seed: int = 0, count: int = 1, drawing: Drawing = "different"
) -> tuple[Vectors, npt.NDArray[np.bool_]]:
    """Different architectures of each unique cell of a space.

    Isomorphic architectures are the same cell when trained alone, but not under shared weights:
    they use those of different edges and blocks, and their one-shot accuracies differ. Those that
    differ in nothing but blocks without a path to the output are one network, and count once.

    Args:
        name: of the space.
        seed: of the draw.
        count: architectures of each cell; of a cell that has fewer, all.
        drawing: which rule.

    Returns:
        Vectors (k, cells, d) in the order of the space's rows, where no cell has more than k, and
        which of them are there (k, cells).
    """
    space = load_space(name)
    if drawing == "first":
        first = np.stack([space.representative(row) for row in range(space.num_unique)])
        return first[None], np.ones((1, len(first)), bool)
    vectors = space.enumerate()
    order = np.random.default_rng(seed_for(seed, "labelling", name)).permutation(len(vectors))
    if drawing == "different" and count > 1:
        _, first_of = np.unique(networks(name, vectors)[order], return_index=True)
        order = order[np.sort(first_of)]
    rows = space.rows(vectors)[order]
    order, rows = order[rows >= 0], rows[rows >= 0]
    by_cell = np.argsort(rows, kind="stable")
    order, rows = order[by_cell], rows[by_cell]
    number = np.arange(len(rows)) - np.searchsorted(rows, rows)
    count = min(count, int(number.max()) + 1)
    kept = number < count
    found = np.zeros((count, space.num_unique, vectors.shape[1]), np.uint8)
    there = np.zeros(found.shape[:2], bool)
    found[number[kept], rows[kept]] = vectors[order[kept]]
    there[number[kept], rows[kept]] = True
    return found, there


def networks(name: str, vectors: Vectors) -> Numbers:
    """A number per architecture, shape (n, d) -> (n,), equal where the sub-networks are.

    They are if the blocks with a path to the output are the same, with the same operations and
    parents.
    """
    space = cast(NASBench1Shot1Space, load_space(name))
    pruned, used = prune(space.matrices(vectors))
    edges = pruned[:, *np.triu_indices(pruned.shape[1], 1)]
    labels = np.where(used, space.labels(vectors) + 1, 0)[:, 1:-1]
    bits = np.concatenate([edges, labels & 1, labels >> 1], 1)
    numbers: Numbers = bits @ (1 << np.arange(bits.shape[1]))
    return numbers


def _alike(vectors: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Order by the edges into the output, then those of the blocks, then the operations."""
    blocks = vectors.shape[1] // 2
    keys = [vectors[:, -1], *vectors[:, blocks:-1].T, *vectors[:, :blocks].T]
    return np.lexsort(keys[::-1])
