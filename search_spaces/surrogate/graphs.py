"""Many cells as padded arrays, the form in which the regression models read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search_spaces.graph_arrays import prune

VERTICES = 7
INPUT_LABEL, OUTPUT_LABEL, PADDING_LABEL = 3, 4, 5
LETTERS = {"3": 0, "1": 1, "m": 2}
_EDGES = [(i, j) for j in range(VERTICES) for i in range(j)]


@dataclass(frozen=True, slots=True)
class Graphs:
    """Pruned cells with the input first, the output last and unused vertices before the output.

    Attributes:
        adjacency: (n, 7, 7) bool, upper triangular.
        labels: (n, 7) int8; 0, 1, 2 = the operations in NAS-Bench-101 order, then 3 = input,
            4 = output, 5 = padding.
    """

    adjacency: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: npt.NDArray[np.int64]) -> Graphs:
        """The cells at the positions `index`."""
        return Graphs(self.adjacency[index], self.labels[index])


def graphs_from_matrices(matrices: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> Graphs:
    """Pads the pruned forms of graphs of equal size.

    Args:
        matrices: (n, v, v) adjacency matrices with v <= 7, loose ends allowed.
        labels: (n, v) operations in NAS-Bench-101 order; those of input and output are ignored.
    """
    pruned, used = prune(matrices)
    inner = matrices.shape[1] - 1
    adjacency = np.zeros((len(matrices), VERTICES, VERTICES), bool)
    adjacency[:, :inner, :inner] = pruned[:, :-1, :-1]
    adjacency[:, :inner, -1] = pruned[:, :-1, -1]
    padded = _blank_labels(len(matrices))
    padded[:, 1:inner] = np.where(used[:, 1:-1], labels[:, 1:-1], PADDING_LABEL)
    return Graphs(adjacency, padded)


def graphs_from_bits(
    num_vertices: npt.NDArray[np.integer], bits: npt.NDArray[np.integer], ops: Sequence[str]
) -> Graphs:
    """Unpacks cells whose edge i-j is bit j(j-1)/2 + i and whose operations are letters.

    Args:
        num_vertices: (n,) vertices with input and output.
        bits: (n,) the upper triangles of the adjacency matrices.
        ops: n comma-separated lists of `3` (conv3x3), `1` (conv1x1), `m` (maxpool3x3).
    """
    count = len(num_vertices)
    adjacency = np.zeros((count, VERTICES, VERTICES), bool)
    size = np.asarray(num_vertices, np.int64)
    rows = np.arange(count)
    for position, (i, j) in enumerate(_EDGES):
        present = (np.asarray(bits, np.int64) >> position & 1).astype(bool)
        last = np.where(size - 1 == j, VERTICES - 1, j)
        adjacency[rows[present], i, last[present]] = True
    return Graphs(adjacency, _labels_from_letters(ops))


def _labels_from_letters(ops: Sequence[str]) -> npt.NDArray[np.int8]:
    labels = _blank_labels(len(ops))
    texts, inverse = np.unique(np.asarray(ops, dtype=str), return_inverse=True)
    for index, text in enumerate(texts):
        codes = [LETTERS[letter] for letter in str(text).split(",") if letter]
        labels[inverse == index, 1 : 1 + len(codes)] = codes
    return labels


def _blank_labels(count: int) -> npt.NDArray[np.int8]:
    labels = np.full((count, VERTICES), PADDING_LABEL, np.int8)
    labels[:, 0], labels[:, -1] = INPUT_LABEL, OUTPUT_LABEL
    return labels


def canonical(graphs: Graphs) -> Graphs:
    """Sorts the inner vertices by depth, height, operation and degrees.

    The order is topological and nearly independent of the numbering: only vertices that agree in
    all five keep their given order.
    """
    depth, height = longest_from_input(graphs), longest_to_output(graphs)
    into, out = graphs.adjacency.sum(1), graphs.adjacency.sum(2)
    key = (((depth * 8 + height) * 8 + graphs.labels) * 8 + into) * 8 + out
    key[graphs.labels == PADDING_LABEL] = np.iinfo(np.int64).max - 1
    key[:, 0], key[:, -1] = -1, np.iinfo(np.int64).max
    order = np.argsort(key, axis=1, kind="stable")
    rows = np.arange(len(graphs))[:, None]
    adjacency = graphs.adjacency[rows[:, :, None], order[:, :, None], order[:, None, :]]
    return Graphs(adjacency, graphs.labels[rows, order])


def longest_from_input(graphs: Graphs) -> npt.NDArray[np.int64]:
    """(n, 7) edges on the longest path from the input; 0 for padding."""
    return longest_weighted(graphs, np.ones(graphs.labels.shape, np.int64))


def longest_to_output(graphs: Graphs) -> npt.NDArray[np.int64]:
    """(n, 7) edges on the longest path to the output; 0 for padding."""
    height = np.zeros(graphs.labels.shape, np.int64)
    for v in range(VERTICES - 2, -1, -1):
        reach = np.where(graphs.adjacency[:, v, v + 1 :], height[:, v + 1 :] + 1, 0)
        height[:, v] = reach.max(1)
    return height


def longest_weighted(graphs: Graphs, weight: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(n, 7) largest sum of `weight` (n, 7) over the vertices of a path that ends in each vertex.

    The input itself weighs nothing.
    """
    total = np.zeros(graphs.labels.shape, np.int64)
    for v in range(1, VERTICES):
        into = graphs.adjacency[:, :v, v]
        best = np.where(into, total[:, :v], -1).max(1)
        total[:, v] = np.where(best >= 0, best + weight[:, v], 0)
    return total
