"""The cells of the three spaces, in the one order that every surrogate file uses."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.space import as_keys
from search_spaces.spaces import load_space
from search_spaces.surrogate.graphs import Graphs, graphs_from_matrices

Hashes = npt.NDArray[np.uint8]


def spaces() -> tuple[NASBench1Shot1Space, ...]:
    """The three spaces that the surrogate covers."""
    return load_space(1), load_space(2), load_space(3)


def union_hashes() -> Hashes:
    """Module hashes of all cells of the three spaces, sorted, (66111, 16)."""
    keys = np.unique(np.concatenate([as_keys(space.unique_hashes()) for space in spaces()]))
    return keys.view(np.uint8).reshape(-1, 16)


def checksum(hashes: Hashes) -> str:
    """SHA-256 of the list of hashes, which a surrogate file records in place of the list."""
    return hashlib.sha256(np.ascontiguousarray(hashes).tobytes()).hexdigest()


def positions(hashes: Hashes, wanted: Hashes) -> npt.NDArray[np.int64]:
    """Where each of `wanted` stands in the sorted `hashes`; -1 if it does not."""
    keys, sought = as_keys(hashes), as_keys(wanted)
    found = np.minimum(np.searchsorted(keys, sought), len(keys) - 1)
    return np.where(keys[found] == sought, found, -1)


def union_graphs(hashes: Hashes) -> Graphs:
    """The graphs of the cells of `union_hashes`, in its order."""
    graphs = graphs_from_matrices(
        np.zeros((len(hashes), 7, 7), np.uint8), np.zeros((len(hashes), 7), np.uint8)
    )
    for space in spaces():
        vectors = np.stack([space.representative(row) for row in range(space.num_unique)])
        part = graphs_from_matrices(space.matrices(vectors), space.labels(vectors))
        where = positions(hashes, space.unique_hashes())
        graphs.adjacency[where], graphs.labels[where] = part.adjacency, part.labels
    return graphs


def hash_words(hashes: Hashes) -> npt.NDArray[np.uint64]:
    """The first eight bytes of every hash as a number, (n,)."""
    return np.ascontiguousarray(hashes[:, :8]).view(">u8").reshape(-1).astype(np.uint64)


def folds(hashes: Hashes, count: int) -> npt.NDArray[np.int64]:
    """Fold of every cell, a function of its hash: isomorphic cells are never separated."""
    return (hash_words(hashes) % np.uint64(count)).astype(np.int64)
