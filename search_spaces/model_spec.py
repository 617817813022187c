"""`ModelSpec` of the drop-in API: a graph as NAS-Bench-101's own scripts describe it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.cell import INPUT, OUTPUT, graph_hash

Matrix = npt.NDArray[Any]


class OutOfDomainError(Exception):
    """The requested graph or number of epochs is outside of the benchmark."""


class ModelSpec:
    """A cell: its adjacency matrix and operations, as given and pruned.

    Args:
        matrix: adjacency matrix, shape (V, V), upper triangular.
        ops: V names; the first and the last stand for the input and the output.
        data_format: "channels_last" or "channels_first"; kept, and used by nothing here.

    Attributes:
        original_matrix: copy of `matrix`.
        original_ops: copy of `ops`, a list.
        matrix: adjacency matrix without the vertices that lie on no path from input to output;
            None if there is no such path.
        ops: list of the names of its vertices; None if there is no such path.
        valid_spec: whether there is such a path.

    Raises:
        ValueError: if matrix and operations do not fit together.
    """

    def __init__(
        self, matrix: npt.ArrayLike, ops: Sequence[str], data_format: str = "channels_last"
    ) -> None:
        array = np.array(matrix)
        if array.ndim != 2 or array.shape[0] != array.shape[1]:
            raise ValueError("matrix must be square")
        if len(array) != len(ops):
            raise ValueError("length of ops must match matrix dimensions")
        if np.tril(array).any():
            raise ValueError("matrix must be upper triangular")
        self.original_matrix: Matrix = array
        self.original_ops: list[str] = list(ops)
        self.data_format = data_format
        kept = _vertices_in_use(array)
        self.valid_spec = len(kept) >= 2
        self.matrix: Matrix | None = array[np.ix_(kept, kept)] if self.valid_spec else None
        self.ops: list[str] | None = [ops[v] for v in kept] if self.valid_spec else None

    def hash_spec(self, canonical_ops: Sequence[str]) -> str:
        """Isomorphism-invariant hash, 32 hexadecimal digits.

        Args:
            canonical_ops: operations in the order of their labels (`config["available_ops"]`).

        Raises:
            OutOfDomainError: if the graph is disconnected.
        """
        if self.matrix is None or self.ops is None:
            raise OutOfDomainError("invalid spec, provided graph is disconnected.")
        labels = [list(canonical_ops).index(name) for name in self.ops[1:-1]]
        return graph_hash(self.matrix.tolist(), [-1, *labels, -2])

    def visualize(self) -> Any:
        """The pruned cell as a `graphviz.Digraph`; needs the package graphviz."""
        if self.matrix is None or self.ops is None:
            raise OutOfDomainError("invalid spec, provided graph is disconnected.")
        graph = importlib.import_module("graphviz").Digraph()
        names = [INPUT, *self.ops[1:-1], OUTPUT]
        for vertex, name in enumerate(names):
            graph.node(str(vertex), name)
        for source, target in np.argwhere(self.matrix).tolist():
            graph.edge(str(source), str(target))
        return graph


def _vertices_in_use(matrix: Matrix) -> list[int]:
    """Vertices on a path from the first to the last one, ascending."""
    edges = matrix != 0
    size = len(matrix)
    ahead = np.zeros(size, bool)
    behind = np.zeros(size, bool)
    ahead[:1] = behind[-1:] = True
    for vertex in range(1, size):  # index order is a topological order
        ahead[vertex] = (ahead & edges[:, vertex]).any()
        behind[size - 1 - vertex] = (behind & edges[size - 1 - vertex]).any()
    used = np.flatnonzero(ahead & behind)
    return used.tolist() if size >= 2 else []
