"""The whole of NAS-Bench-101: up to 7 vertices, up to 9 edges, 3 operations.

Ying et al., "NAS-Bench-101: Towards Reproducible Neural Architecture Search", ICML 2019. The
encoding is the one of its own experiments: 5 operations and the 21 bits of the upper triangle.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.cell import INPUT, OPERATIONS, OUTPUT, Cell, graph_hash
from search_spaces.data_directory import data_directory, write_atomically
from search_spaces.graph_arrays import fingerprints, prune, used_vertices
from search_spaces.space import ArchitectureError, Rows, Space, Vectors, as_keys

MAX_VERTICES = 7
MAX_EDGES = 9
NUM_BLOCKS = MAX_VERTICES - 2
EDGES = tuple(combinations(range(MAX_VERTICES), 2))

_SOURCES, _TARGETS = np.array(EDGES).T


class NASBench101Space(Space):
    """All 423,624 unique cells.

    A vector holds the operation of the five inner vertices (an index of `OPERATIONS`), then one
    bit per possible edge in row-major order. It is valid if its output can be reached and at
    most nine edges remain after pruning. The index of unique cells is computed on first use
    (about a minute on one core) and kept in the data directory.
    """

    name = "101"
    choice_names = tuple(
        [f"op_node_{i}" for i in range(NUM_BLOCKS)] + [f"edge_{i}" for i in range(len(EDGES))]
    )
    options = (OPERATIONS,) * NUM_BLOCKS + ((0, 1),) * len(EDGES)
    #: 3^5 times the 1,538,083 valid matrices among 2^21.
    num_architectures = 3**5 * 1_538_083
    num_unique = 423_624

    def __repr__(self) -> str:
        return "NASBench101Space()"

    def matrices(self, vectors: npt.ArrayLike) -> Vectors:
        """Adjacency matrices, shape (n, d) -> (n, 7, 7)."""
        checked = self._checked(vectors)
        matrices = np.zeros((len(checked), MAX_VERTICES, MAX_VERTICES), np.uint8)
        matrices[:, _SOURCES, _TARGETS] = checked[:, NUM_BLOCKS:]
        return matrices

    def valid(self, vectors: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which vectors are connected and have at most nine edges after pruning, (n,)."""
        return _valid(self.matrices(vectors))

    def decode(self, vector: Sequence[int] | Vectors) -> Cell:
        """The cell of 7 vertices that a vector describes, loose ends included."""
        checked = self._checked(np.asarray(vector)[None])
        ops = [OPERATIONS[i] for i in checked[0, :NUM_BLOCKS]]
        return Cell(self.matrices(checked)[0], [INPUT, *ops, OUTPUT])

    def encode(self, cell: Cell) -> Vectors:
        """A vector that describes `cell`; unused vertices get the first operation."""
        if cell.num_vertices > MAX_VERTICES:
            cell = cell.prune()
        places = [*range(cell.num_vertices - 1), MAX_VERTICES - 1]
        if cell.num_vertices > MAX_VERTICES:
            raise ArchitectureError(f"space 101 has at most {MAX_VERTICES} vertices: {cell!r}")
        matrix = np.zeros((MAX_VERTICES, MAX_VERTICES), np.uint8)
        matrix[np.ix_(places, places)] = cell.matrix
        if not _valid(matrix[None])[0]:
            raise ArchitectureError(f"space 101 has at most {MAX_EDGES} edges: {cell!r}")
        ops = [OPERATIONS.index(name) for name in cell.ops[1:-1]]
        padded = ops + [0] * (NUM_BLOCKS - len(ops))
        return np.concatenate([np.array(padded, np.uint8), matrix[_SOURCES, _TARGETS]])

    def enumerate(self) -> Vectors:
        """Refuses: there are hundreds of millions of vectors."""
        raise ArchitectureError(
            f"space 101 has {self.num_architectures:,} architectures, too many to list; "
            "`representative(row)` gives one per unique cell"
        )

    # Unique cells -----------------------------------------------------------------------------

    @cached_property
    def _index(self) -> dict[str, npt.NDArray[Any]]:
        path = data_directory() / "cache" / "space_101_v1.npz"
        if not path.exists():
            print(
                "building the index of NAS-Bench-101's 423,624 cells (once, about a minute) ...",
                file=sys.stderr,
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, _write_index)
        with np.load(path) as stored:
            return {key: stored[key] for key in stored.files}

    def unique_hashes(self) -> npt.NDArray[np.uint8]:
        """Module hashes of the unique cells, sorted, shape (423624, 16)."""
        return self._index["hashes"]

    def rows(self, vectors: npt.ArrayLike) -> Rows:
        """Row of the unique cell of each vector; -1 where invalid."""
        matrices = self.matrices(vectors)
        prints = fingerprints(matrices, _labels(self._checked(vectors)[:, :NUM_BLOCKS]))
        known = self._index["fingerprints"]
        place = np.minimum(np.searchsorted(known, prints), len(known) - 1)
        found = (known[place] == prints) & _valid(matrices)
        return np.where(found, self._index["row_of_fingerprint"][place].astype(np.int64), -1)

    def representative(self, row: int) -> Vectors:
        """A vector whose unique cell is `row`."""
        vector: Vectors = self._index["vectors"][row]
        return vector

    def sample_unique(self, rng: np.random.Generator, size: int) -> Vectors:
        """Draw uniformly from the unique cells, shape (size, d)."""
        drawn: Vectors = self._index["vectors"][rng.integers(self.num_unique, size=size)]
        return drawn

    # Changes ----------------------------------------------------------------------------------

    def mutate(self, rng: np.random.Generator, vector: Sequence[int] | Vectors) -> Vectors:
        """Leave as is, flip one edge, or change one operation, each with probability 1/3.

        Drawn again until the result is valid.
        """
        while True:
            child = np.array(vector, np.uint8)
            kind = rng.integers(3)
            if kind == 1:
                child[NUM_BLOCKS + rng.integers(len(EDGES))] ^= 1
            elif kind == 2:
                block = rng.integers(NUM_BLOCKS)
                child[block] = (child[block] + rng.integers(1, 3)) % len(OPERATIONS)
            if self.valid(child[None])[0]:
                return child

    def neighbours(self, vector: Sequence[int] | Vectors) -> Vectors:
        """All valid vectors with one edge flipped or one operation changed, shape (m, d)."""
        centre = self._checked(np.asarray(vector)[None])[0]
        changed = []
        for choice, option in enumerate(centre):
            for other in range(self.cardinalities[choice]):
                if other != option:
                    changed.append(centre.copy())
                    changed[-1][choice] = other
        candidates = np.array(changed, np.uint8)
        return candidates[self.valid(candidates)]


def _valid(matrices: Vectors) -> npt.NDArray[np.bool_]:
    pruned, used = prune(matrices)
    valid: npt.NDArray[np.bool_] = used[:, -1] & (pruned.sum((1, 2)) <= MAX_EDGES)
    return valid


def _labels(operations: Vectors) -> Vectors:
    labels = np.full((len(operations), MAX_VERTICES), len(OPERATIONS), np.uint8)
    labels[:, 1:-1] = operations
    labels[:, -1] = len(OPERATIONS) + 1
    return labels


def _full_graphs() -> Iterator[tuple[int, Vectors]]:
    """For n = 2..7 the matrices of n used vertices and at most 9 edges, set in 7 vertices."""
    for n in range(2, MAX_VERTICES + 1):
        pairs = np.array(list(combinations(range(n), 2))).T
        codes = np.arange(1 << len(pairs[0]), dtype=np.int64)
        edges = (codes[:, None] >> np.arange(len(pairs[0])) & 1).astype(np.uint8)
        edges = edges[edges.sum(1) <= MAX_EDGES]
        small = np.zeros((len(edges), n, n), np.uint8)
        small[:, pairs[0], pairs[1]] = edges
        small = small[used_vertices(small).all(1)]
        places = [*range(n - 1), MAX_VERTICES - 1]
        matrices = np.zeros((len(small), MAX_VERTICES, MAX_VERTICES), np.uint8)
        matrices[:, np.array(places)[:, None], places] = small
        yield n, matrices


def unique_vectors() -> tuple[npt.NDArray[np.uint64], Vectors]:
    """One vector per unique cell of NAS-Bench-101, and the sorted fingerprints, in seconds."""
    prints, vectors = [], []
    for n, matrices in _full_graphs():
        for code in range(3 ** (n - 2)):
            ops = np.zeros(NUM_BLOCKS, np.uint8)
            ops[: n - 2] = [code // 3**i % 3 for i in range(n - 2)]
            operations = np.repeat(ops[None], len(matrices), 0)
            prints.append(fingerprints(matrices, _labels(operations)))
            edges = matrices[:, _SOURCES, _TARGETS]
            vectors.append(np.concatenate([operations, edges], axis=1))
    unique, first = np.unique(np.concatenate(prints), return_index=True)
    return unique, np.concatenate(vectors)[first]


def _module_hashes(matrices: Vectors, operations: Vectors) -> npt.NDArray[np.uint8]:
    """Module hashes of graphs whose unused vertices have no edges, shape (n, 16)."""
    used = used_vertices(matrices).tolist()
    labels = np.full((len(matrices), MAX_VERTICES), -1)
    labels[:, 1:-1], labels[:, -1] = operations, -2
    digests = []
    for matrix, label, mask in zip(matrices.tolist(), labels.tolist(), used, strict=True):
        kept = [v for v in range(MAX_VERTICES) if mask[v]]
        rows = [[matrix[i][j] for j in kept] for i in kept]
        digests.append(bytes.fromhex(graph_hash(rows, [label[v] for v in kept])))
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 16)


def _write_index(path: Path) -> None:
    space = NASBench101Space()
    prints, vectors = unique_vectors()
    hashes = _module_hashes(space.matrices(vectors), vectors[:, :NUM_BLOCKS])
    order = np.argsort(as_keys(hashes), kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    with path.open("wb") as file:
        np.savez(
            file,
            fingerprints=prints,
            row_of_fingerprint=rank,
            vectors=vectors[order],
            hashes=hashes[order],
        )
