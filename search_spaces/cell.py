"""A cell: a directed acyclic graph with one operation per inner vertex."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

INPUT = "input"
OUTPUT = "output"
CONV3X3 = "conv3x3-bn-relu"
CONV1X1 = "conv1x1-bn-relu"
MAXPOOL3X3 = "maxpool3x3"

#: Operations in the order of NAS-Bench-101's hash labels 0, 1, 2.
OPERATIONS = (CONV3X3, CONV1X1, MAXPOOL3X3)

Matrix = npt.NDArray[np.uint8]
_LABELS = {INPUT: -1, OUTPUT: -2} | {name: label for label, name in enumerate(OPERATIONS)}


class CellError(ValueError):
    """The matrix or the operations do not describe a cell."""


class DisconnectedCellError(CellError):
    """No path leads from the input to the output."""


class Cell:
    """An immutable cell in the format of NAS-Bench-101 (Ying et al., ICML 2019).

    Two cells are equal if their pruned graphs are isomorphic, which is decided by the module
    hash: it is free of collisions up to 7 vertices, 9 edges and 3 operations.

    Args:
        matrix: adjacency matrix of shape (n, n), upper triangular, entries 0 or 1; entry (i, j)
            is the edge from vertex i to vertex j.
        ops: n names: "input", then one of `OPERATIONS` per inner vertex, then "output".

    Raises:
        CellError: if shape, entries or names are not as described.
    """

    def __init__(self, matrix: npt.ArrayLike | Sequence[Sequence[int]], ops: Sequence[str]) -> None:
        array = np.array(matrix)
        _check(array, ops)
        self._matrix = array.astype(np.uint8)
        self._matrix.setflags(write=False)
        self._ops = tuple(ops)

    @property
    def matrix(self) -> Matrix:
        """Adjacency matrix, shape (n, n), read-only."""
        return self._matrix

    @property
    def ops(self) -> tuple[str, ...]:
        """Names of all n vertices, input and output included."""
        return self._ops

    @property
    def num_vertices(self) -> int:
        """Number of vertices, input and output included."""
        return len(self._ops)

    @property
    def num_edges(self) -> int:
        """Number of edges."""
        return int(self._matrix.sum())

    def prune(self) -> Cell:
        """The cell without the vertices that lie on no path from input to output.

        Raises:
            DisconnectedCellError: if no such path exists.
        """
        reach = np.linalg.matrix_power(
            self._matrix.astype(np.int64) + np.eye(self.num_vertices, dtype=np.int64),
            self.num_vertices,
        ).astype(bool)
        if not reach[0, -1]:
            raise DisconnectedCellError("no path leads from the input to the output")
        kept = np.flatnonzero(reach[0] & reach[:, -1])
        if len(kept) == self.num_vertices:
            return self
        return Cell(self._matrix[np.ix_(kept, kept)], [self._ops[v] for v in kept])

    @cached_property
    def module_hash(self) -> str:
        """NAS-Bench-101's module hash of the pruned cell, 32 hexadecimal digits.

        Raises:
            DisconnectedCellError: if no path leads from the input to the output.
        """
        pruned = self.prune()
        return graph_hash(pruned._matrix.tolist(), [_LABELS[name] for name in pruned._ops])

    @property
    def digest(self) -> bytes:
        """The module hash as 16 bytes."""
        return bytes.fromhex(self.module_hash)

    def parameter_count(self) -> int:
        """Trainable parameters of the NAS-Bench-101 network built from this cell.

        The network is a 3x3 stem with 128 channels, three stacks of three cells with 128, 256
        and 512 channels, and a linear classifier for ten classes (Ying et al. 2019, section 2).
        """
        pruned = self.prune()
        total = 3 * 3 * 3 * 128 + 2 * 128
        channels = 128
        for width in (128, 256, 512):
            for _ in range(3):
                total += _module_parameters(pruned, channels, width)
                channels = width
        return total + 512 * 10 + 10

    def __eq__(self, other: object) -> bool:
        """Isomorphism of the pruned graphs."""
        if not isinstance(other, Cell):
            return NotImplemented
        return self.module_hash == other.module_hash

    def __hash__(self) -> int:
        return hash(self.module_hash)

    def __repr__(self) -> str:
        edges = ", ".join(f"{i}-{j}" for i, j in np.argwhere(self._matrix).tolist())
        return f"Cell([{', '.join(self._ops)}], edges: {edges})"


def _check(matrix: npt.NDArray[np.generic], ops: Sequence[str]) -> None:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise CellError(f"the matrix must be square, its shape is {matrix.shape}")
    if len(ops) != len(matrix) or len(ops) < 2:
        raise CellError(f"{len(matrix)} vertices need as many operations, given are {len(ops)}")
    if not np.isin(matrix, (0, 1)).all():
        raise CellError("the matrix may hold nothing but 0 and 1")
    if np.tril(matrix.astype(np.int64)).any():
        raise CellError("the matrix must be upper triangular")
    if ops[0] != INPUT or ops[-1] != OUTPUT:
        raise CellError(f"the first vertex must be {INPUT!r} and the last {OUTPUT!r}")
    if unknown := sorted(set(ops[1:-1]) - set(OPERATIONS)):
        raise CellError(f"unknown operation {unknown[0]!r}; valid are: {', '.join(OPERATIONS)}")


def graph_hash(matrix: Sequence[Sequence[int]], labels: Sequence[int]) -> str:
    """Hash of a labelled directed graph, equal for isomorphic graphs.

    A Weisfeiler-Lehman refinement whose colours are MD5 digests, with as many rounds as there
    are vertices, as defined by google-research/nasbench (`graph_util.hash_module`).

    Args:
        matrix: adjacency matrix, n rows of n entries.
        labels: n integers.
    """
    n = len(labels)
    parents = [[i for i in range(n) if matrix[i][j]] for j in range(n)]
    children = [[j for j in range(n) if matrix[i][j]] for i in range(n)]
    colours = [_md5(str((len(children[v]), len(parents[v]), labels[v]))) for v in range(n)]
    for _ in range(n):
        colour_of = colours.__getitem__
        colours = [
            _md5(
                "".join(sorted(map(colour_of, parents[v])))
                + "|"
                + "".join(sorted(map(colour_of, children[v])))
                + "|"
                + colours[v]
            )
            for v in range(n)
        ]
    return _md5(str(sorted(colours)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def vertex_channels(matrix: Matrix, input_channels: int, output_channels: int) -> list[int]:
    """Channels of every vertex of a pruned cell (Ying et al. 2019, appendix).

    The output's channels are divided among the inner vertices that feed it, the first ones
    taking the remainder; every other vertex is as wide as its widest successor.

    Args:
        matrix: adjacency matrix of a pruned cell, shape (n, n).
        input_channels: channels of the input vertex.
        output_channels: channels of the output vertex.
    """
    n = len(matrix)
    channels = [input_channels, *[0] * (n - 2), output_channels]
    feeding = [v for v in range(1, n - 1) if matrix[v, -1]]
    for order, v in enumerate(feeding):
        share, remainder = divmod(output_channels, len(feeding))
        channels[v] = share + (order < remainder)
    for v in range(n - 2, 0, -1):
        if not matrix[v, -1]:
            channels[v] = max(channels[w] for w in range(v + 1, n - 1) if matrix[v, w])
    return channels


def _module_parameters(cell: Cell, input_channels: int, output_channels: int) -> int:
    channels = vertex_channels(cell.matrix, input_channels, output_channels)
    kernel = {CONV3X3: 9, CONV1X1: 1}
    total = 0
    for v in range(1, cell.num_vertices):
        if cell.matrix[0, v]:  # the cell's input is projected to the vertex' width
            total += input_channels * channels[v] + 2 * channels[v]
        if cell.ops[v] in kernel:
            total += kernel[cell.ops[v]] * channels[v] ** 2 + 2 * channels[v]
    return total
