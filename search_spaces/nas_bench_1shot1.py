"""The three subspaces of NAS-Bench-101 that NAS-Bench-1Shot1 searches, as data.

Zela, Siems and Hutter, "NAS-Bench-1Shot1: Benchmarking and Dissecting One-shot Neural
Architecture Search", ICLR 2020. A cell has k choice blocks, each with one operation and a fixed
number of parents among all lower-numbered vertices; the output has a fixed number of parents, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from itertools import combinations
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.cell import INPUT, OPERATIONS, OUTPUT, Cell
from search_spaces.space import Rows, Space, Vectors

#: Number of parents of choice blocks 1..k and of the output. They sum up to nine edges.
NUM_PARENTS = {
    "1": (1, 2, 2, 2, 2),
    "2": (1, 1, 2, 2, 3),
    "3": (1, 1, 1, 2, 2, 2),
}

#: Unique cells; `search_spaces.index` counts them when it builds the stored index.
NUM_UNIQUE = {"1": 2_685, "2": 7_773, "3": 55_854}


class NASBench1Shot1Space(Space):
    """One of the three spaces.

    A vector holds the operation of each block (an index of `OPERATIONS`), then the parent set
    of each block and of the output (an index of the sets in lexicographic order).

    Args:
        name: "1", "2" or "3".

    Attributes:
        num_parents: parents of blocks 1..k and of the output.
        num_blocks: k.
        parent_sets: for blocks 1..k and the output, the sets to choose from.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.num_parents = NUM_PARENTS[name]
        self.num_blocks = len(self.num_parents) - 1
        self.parent_sets = tuple(
            tuple(combinations(range(vertex), count))
            for vertex, count in enumerate(self.num_parents, start=1)
        )
        blocks = range(1, self.num_blocks + 2)
        self.choice_names = tuple(
            [f"choice_block_{i}_op" for i in blocks[:-1]]
            + [f"choice_block_{i}_parents" for i in blocks]
        )
        self.options = (OPERATIONS,) * self.num_blocks + self.parent_sets
        self.num_architectures = prod(self.cardinalities)
        self.num_unique = NUM_UNIQUE[name]

    def __repr__(self) -> str:
        return f"NASBench1Shot1Space({self.name!r})"

    # Vectors and cells ------------------------------------------------------------------------

    @cached_property
    def strides(self) -> npt.NDArray[np.int64]:
        """Weight of each choice in an architecture's number in `enumerate`."""
        return np.array(
            [prod(self.cardinalities[i + 1 :]) for i in range(len(self.cardinalities))], np.int64
        )

    def numbers(self, vectors: npt.ArrayLike) -> Rows:
        """Position of each vector in `enumerate`, shape (n, d) -> (n,)."""
        numbers: Rows = self._checked(vectors) @ self.strides
        return numbers

    def vectors(self, numbers: npt.ArrayLike) -> Vectors:
        """The vectors at these positions of `enumerate`, shape (n,) -> (n, d)."""
        divided = np.asarray(numbers, np.int64)[..., None] // self.strides
        vectors: Vectors = (divided % np.array(self.cardinalities)).astype(np.uint8)
        return vectors

    def enumerate(self) -> Vectors:
        """Every architecture in lexicographic order, shape (num_architectures, d)."""
        return self.vectors(np.arange(self.num_architectures))

    def matrices(self, vectors: npt.ArrayLike) -> Vectors:
        """Adjacency matrices, shape (n, d) -> (n, k + 2, k + 2)."""
        checked = self._checked(vectors)
        size = self.num_blocks + 2
        matrices = np.zeros((len(checked), size, size), np.uint8)
        for vertex, sets in enumerate(self.parent_sets, start=1):
            columns = np.zeros((len(sets), size), np.uint8)
            for option, parents in enumerate(sets):
                columns[option, list(parents)] = 1
            matrices[:, :, vertex] = columns[checked[:, self.num_blocks + vertex - 1]]
        return matrices

    def labels(self, vectors: npt.ArrayLike) -> Vectors:
        """Vertex labels for `graph_arrays.fingerprints`, shape (n, k + 2)."""
        checked = self._checked(vectors)
        labels = np.full((len(checked), self.num_blocks + 2), len(OPERATIONS), np.uint8)
        labels[:, 1:-1] = checked[:, : self.num_blocks]
        labels[:, -1] = len(OPERATIONS) + 1
        return labels

    def decode(self, vector: Sequence[int] | Vectors) -> Cell:
        """The cell of k + 2 vertices that a vector describes, loose ends included."""
        checked = self._checked(np.asarray(vector)[None])
        ops = [OPERATIONS[i] for i in checked[0, : self.num_blocks]]
        return Cell(self.matrices(checked)[0], [INPUT, *ops, OUTPUT])

    def encode(self, cell: Cell) -> Vectors:
        """A vector that describes `cell`; see `Space.encode`."""
        if cell.matrix.sum(0)[1:].tolist() == list(self.num_parents):
            parents = [tuple(np.flatnonzero(column).tolist()) for column in cell.matrix.T[1:]]
            ops = [OPERATIONS.index(name) for name in cell.ops[1:-1]]
            chosen = [s.index(p) for s, p in zip(self.parent_sets, parents, strict=True)]
            return np.array(ops + chosen, np.uint8)
        return self.representative(self.row_of_hash(cell.module_hash))

    def sample(self, rng: np.random.Generator, size: int) -> Vectors:
        """Draw uniformly from the architectures, shape (size, d)."""
        return self.vectors(rng.integers(self.num_architectures, size=size))

    # Unique cells -----------------------------------------------------------------------------

    @cached_property
    def _row_of_number(self) -> npt.NDArray[np.uint16]:
        return load_index(self.name, "rows")

    @cached_property
    def _first_number(self) -> Rows:
        rows, first = np.unique(self._row_of_number, return_index=True)
        assert len(rows) == self.num_unique
        return first

    def unique_hashes(self) -> npt.NDArray[np.uint8]:
        """Module hashes of the unique cells, sorted, shape (num_unique, 16)."""
        return load_index(self.name, "hashes")

    def rows(self, vectors: npt.ArrayLike) -> Rows:
        """Row of the unique cell of each vector: one array look-up, no hash."""
        return self._row_of_number[self.numbers(vectors)].astype(np.int64)

    def multiplicities(self) -> Rows:
        """How many architectures describe each unique cell, shape (num_unique,)."""
        return np.bincount(self._row_of_number, minlength=self.num_unique)

    def representative(self, row: int) -> Vectors:
        """The lexicographically first vector whose unique cell is `row`."""
        return self.vectors(self._first_number[row])

    def sample_unique(self, rng: np.random.Generator, size: int) -> Vectors:
        """Draw uniformly from the unique cells, shape (size, d)."""
        return self.vectors(self._first_number[rng.integers(self.num_unique, size=size)])

    # Changes ----------------------------------------------------------------------------------

    @cached_property
    def _one_change(self) -> tuple[tuple[npt.NDArray[np.uint8], ...], ...]:
        """For each choice and option, the options that are one change away."""
        operations = tuple(
            np.array([o for o in range(len(OPERATIONS)) if o != option], np.uint8)
            for option in range(len(OPERATIONS))
        )
        parents = tuple(
            tuple(
                np.array(
                    [i for i, other in enumerate(sets) if len(set(one) - set(other)) == 1], np.uint8
                )
                for one in sets
            )
            for sets in self.parent_sets
        )
        return (operations,) * self.num_blocks + parents

    def mutate(self, rng: np.random.Generator, vector: Sequence[int] | Vectors) -> Vectors:
        """Leave as is, rewire one parent, or change one operation, each with probability 1/3.

        The mutation of regularized evolution in NAS-Bench-1Shot1. The vertex to rewire is
        drawn among those that have a choice of parents.
        """
        child = np.array(vector, np.uint8)
        kind = rng.integers(3)
        if kind == 0:
            return child
        if kind == 1:
            free = [i for i in range(self.num_blocks, len(child)) if self.cardinalities[i] > 1]
            choice = free[rng.integers(len(free))]
        else:
            choice = int(rng.integers(self.num_blocks))
        others = self._one_change[choice][child[choice]]
        child[choice] = others[rng.integers(len(others))]
        return child

    def neighbours(self, vector: Sequence[int] | Vectors) -> Vectors:
        """All architectures with one operation changed or one parent rewired, shape (m, d)."""
        centre = self._checked(np.asarray(vector)[None])[0]
        changed = []
        for choice, option in enumerate(centre):
            for other in self._one_change[choice][option]:
                neighbour = centre.copy()
                neighbour[choice] = other
                changed.append(neighbour)
        return np.array(changed, np.uint8)


def index_path(name: str, part: str) -> Path:
    """Where a stored index lies: `part` is "rows" (uint16 per architecture) or "hashes"."""
    return Path(str(files("search_spaces") / "data" / f"space_{name}_{part}.npy"))


def load_index(name: str, part: str) -> npt.NDArray[Any]:
    """A stored index as a read-only memory map; `search_spaces.index` writes it."""
    array: npt.NDArray[Any] = np.load(index_path(name, part), mmap_mode="r")
    return array
