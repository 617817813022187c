"""Many small graphs at once: pruning and isomorphism classes as array operations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def used_vertices(matrices: Bits) -> npt.NDArray[np.bool_]:
    """Which vertices lie on a path from the first to the last vertex.

    Args:
        matrices: upper triangular adjacency matrices, shape (m, n, n).

    Returns:
        Shape (m, n). All False where no path leads from the first to the last vertex.
    """
    count, n, _ = matrices.shape
    edges = matrices.astype(bool)
    forward = np.zeros((count, n), bool)
    backward = np.zeros((count, n), bool)
    forward[:, 0] = backward[:, -1] = True
    for v in range(1, n):
        forward[:, v] = (forward[:, :v] & edges[:, :v, v]).any(1)
    for v in range(n - 2, -1, -1):
        backward[:, v] = (backward[:, v + 1 :] & edges[:, v, v + 1 :]).any(1)
    return forward & backward & forward[:, -1:]


def prune(matrices: Bits) -> tuple[Bits, npt.NDArray[np.bool_]]:
    """Adjacency matrices without the edges of unused vertices, and the mask of used vertices."""
    used = used_vertices(matrices)
    return matrices * (used[:, :, None] & used[:, None, :]), used


def fingerprints(matrices: Bits, labels: Bits) -> Integers:
    """A 64-bit number per graph, equal for graphs whose pruned forms are isomorphic.

    The same Weisfeiler-Lehman refinement as the module hash, with sums of mixed 64-bit numbers
    in the place of MD5 digests of sorted lists. It serves to tell classes apart quickly, never
    as a key on disk.

    Args:
        matrices: upper triangular adjacency matrices, shape (m, n, n).
        labels: one small number per vertex, shape (m, n); those of unused vertices are ignored.

    Returns:
        Shape (m,). Zero where no path leads from the first to the last vertex.
    """
    pruned, used = prune(matrices)
    wide = pruned.astype(np.uint64)
    rounds = matrices.shape[1]
    start = (
        labels.astype(np.uint64)
        + np.uint64(16) * wide.sum(1, dtype=np.uint64)
        + np.uint64(256) * wide.sum(2, dtype=np.uint64)
    )
    colour = _mix(start + np.uint64(1)) * used
    for _ in range(rounds):
        from_parents = np.einsum("mij,mi->mj", wide, _mix(colour ^ _GOLDEN))
        from_children = np.einsum("mij,mj->mi", wide, _mix(colour + _GOLDEN))
        colour = _mix(_mix(from_parents + np.uint64(3)) + np.uint64(5) * from_children + colour)
        colour *= used
    return _mix(colour.sum(1, dtype=np.uint64)) * used[:, -1]


def _mix(values: Integers) -> Integers:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    values = values + _GOLDEN
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
