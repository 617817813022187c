"""Where the vertices and edges of a cell are drawn: a layered layout, input left, output right.

Layers are longest paths from the input. An edge over several layers passes through a bend in each
layer between; the order within layers is the one with the fewest crossings (all are tried, cells
are small), and heights are pulled towards the neighbours (after Sugiyama et al. 1981).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_GAP = 1.0
_ROUNDS = 40
_MOST_ORDERS = 20_000

Point = tuple[float, float]
Link = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CellLayout:
    """Places in units of one layer (x) and one vertex height (y).

    Attributes:
        vertices: (n, 2) x and y of each vertex.
        edges: for each edge its tail, its head, and the points it passes, ends included.
    """

    vertices: np.ndarray
    edges: list[tuple[int, int, list[Point]]]


def layout(matrix: np.ndarray) -> CellLayout:
    """Lay out a cell.

    Args:
        matrix: (n, n) upper-triangular adjacency; vertex 0 is the input, n - 1 the output, and
            every vertex lies on a path between them.
    """
    return _layout(len(matrix), np.asarray(matrix, dtype=np.uint8).tobytes())


@lru_cache(maxsize=4096)
def _layout(size: int, edges_of: bytes) -> CellLayout:
    """The same, remembered: a page draws many cells that differ in their operations only."""
    matrix = np.frombuffer(edges_of, dtype=np.uint8).reshape(size, size)
    layer = _layers(matrix)
    chains, links = _chains(matrix, layer)
    levels = [[v for v in range(len(layer)) if layer[v] == i] for i in range(max(layer) + 1)]
    levels = min(_orders(levels), key=lambda order: _crossings(order, links))
    height = _heights(levels, links, size)
    place = [(float(layer[v]), height[v]) for v in range(len(layer))]
    edges = [(chain[0], chain[-1], [place[v] for v in chain]) for chain in chains]
    return CellLayout(np.array(place[:size]), edges)


def _layers(matrix: np.ndarray) -> list[int]:
    layer = [0] * len(matrix)
    for head in range(1, len(matrix)):
        layer[head] = max((layer[t] + 1 for t in np.flatnonzero(matrix[:head, head])), default=0)
    return layer


def _chains(matrix: np.ndarray, layer: list[int]) -> tuple[list[list[int]], list[Link]]:
    """Each edge as a chain of vertices and bends; `layer` grows by the bends."""
    chains, links = [], []
    for tail, head in np.argwhere(matrix).tolist():
        chain = [tail]
        for between in range(layer[tail] + 1, layer[head]):
            layer.append(between)
            chain.append(len(layer) - 1)
        chain.append(head)
        chains.append(chain)
        links += list(itertools.pairwise(chain))
    return chains, links


def _orders(levels: list[list[int]]) -> Iterator[list[list[int]]]:
    every = itertools.product(*(itertools.permutations(level) for level in levels))
    return ([list(level) for level in order] for order in itertools.islice(every, _MOST_ORDERS))


def _crossings(levels: list[list[int]], links: list[Link]) -> int:
    place = {v: (i, rank) for i, level in enumerate(levels) for rank, v in enumerate(level)}
    ends = [(place[tail][0], place[tail][1], place[head][1]) for tail, head in links]
    return sum(
        a[0] == b[0] and (a[1] - b[1]) * (a[2] - b[2]) < 0
        for a, b in itertools.combinations(ends, 2)
    )


def _heights(levels: list[list[int]], links: list[Link], size: int) -> list[float]:
    """Height of each vertex and bend: near its neighbours, in order, at least a gap apart."""
    height = [0.0] * sum(len(level) for level in levels)
    for level in levels:
        for rank, v in enumerate(level):
            height[v] = (rank - (len(level) - 1) / 2) * _GAP
    near: dict[int, list[int]] = {v: [] for v in range(len(height))}
    for tail, head in links:
        # Long edges should be straight, so bends hold on to each other more strongly.
        weight = 1 + 2 * (tail >= size) + 2 * (head >= size)
        near[tail] += [head] * weight
        near[head] += [tail] * weight
    for _ in range(_ROUNDS):
        for level in levels:
            wanted = [float(np.mean([height[w] for w in near[v]] or [0.0])) for v in level]
            for v, y in zip(level, _apart(wanted), strict=True):
                height[v] = y
    middle = (max(height) + min(height)) / 2
    return [y - middle for y in height]


def _apart(wanted: list[float]) -> list[float]:
    """Closest heights (least squares) that keep the order and the gap: pool adjacent violators."""
    blocks: list[tuple[float, int]] = []
    for i, y in enumerate(wanted):
        mean, count = y - i * _GAP, 1
        while blocks and blocks[-1][0] > mean:
            other, more = blocks.pop()
            mean, count = (mean * count + other * more) / (count + more), count + more
        blocks.append((mean, count))
    levels = [mean for mean, count in blocks for _ in range(count)]
    return [y + i * _GAP for i, y in enumerate(levels)]
