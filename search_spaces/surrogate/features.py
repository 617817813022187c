"""Numbers describing a cell, all computed from its graph alone.

The costs follow the NAS-Bench-101 network (Ying et al. 2019, section 2 and their released model
builder): a stem of 128 channels, three stacks of three cells, channels doubled and resolution
halved between stacks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from search_spaces.surrogate.graphs import (
    VERTICES,
    Graphs,
    canonical,
    longest_from_input,
    longest_to_output,
    longest_weighted,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_STACKS = ((128, 32), (256, 16), (512, 8))
_CELLS_PER_STACK = 3
_CLASSES = 10


def vertex_channels(graphs: Graphs, output_channels: int) -> Ints:
    """(n, 7) output channels of every vertex; 0 for input and padding.

    The output's channels are split over its inner parents (remainder to the first ones), every
    other inner vertex gets the largest count among its successors.
    """
    to_output = graphs.adjacency[:, 1:-1, -1].astype(np.int64)
    parents = to_output.sum(1)
    share, remainder = np.divmod(output_channels, np.maximum(parents, 1))
    extra = np.cumsum(to_output, axis=1) <= remainder[:, None]
    channels = np.zeros(graphs.labels.shape, np.int64)
    channels[:, 1:-1] = to_output * (share[:, None] + extra)
    channels[:, -1] = output_channels
    for v in range(VERTICES - 3, 0, -1):
        successors = np.where(graphs.adjacency[:, v, v + 1 : -1], channels[:, v + 1 : -1], 0)
        channels[:, v] = np.where(to_output[:, v - 1] > 0, channels[:, v], successors.max(1))
    return channels


def _cell_costs(graphs: Graphs, cell_input: int, cell_output: int) -> tuple[Ints, Floats]:
    """Weights (n,) of one cell and (n, 8) cost terms in multiply-adds or values per pixel."""
    channels = vertex_channels(graphs, cell_output)
    inner = channels[:, 1:-1]
    op = graphs.labels[:, 1:-1]
    from_input = graphs.adjacency[:, 0, 1:-1]
    skip = graphs.adjacency[:, 0, -1].astype(np.int64)
    projected = (inner * from_input).sum(1) + skip * cell_output
    conv3 = (9 * inner * inner * (op == 0)).sum(1)
    conv1 = (inner * inner * (op == 1)).sum(1)
    normalised = 2 * ((inner * (op < 2)).sum(1) + projected)
    weights = conv3 + conv1 + cell_input * projected + normalised
    incoming = graphs.adjacency[:, 1:-1, 1:-1].sum(1) + from_input
    added = (inner * np.maximum(incoming - 1, 0)).sum(1) + skip * cell_output
    concatenated = np.where(graphs.adjacency[:, 1:-1, -1].sum(1) > 1, cell_output, 0)
    terms = [conv3, conv1, cell_input * projected, projected]
    terms += [(inner * (op == kind)).sum(1) for kind in range(3)]
    terms += [added + concatenated]
    return weights, np.stack(terms, 1).astype(np.float64)


def network_costs(graphs: Graphs) -> tuple[Ints, Floats]:
    """Trainable parameters (n,) and (n, 8) cost terms of the whole NAS-Bench-101 network.

    The terms: multiply-adds of 3x3 convolutions, of 1x1 convolutions and of input projections;
    values written by projections, 3x3, 1x1 and pooling vertices; values added or concatenated.
    """
    weights = np.full(len(graphs), 27 * 128 + 2 * 128 + 512 * _CLASSES + _CLASSES, np.int64)
    costs = np.zeros((len(graphs), 8))
    cell_input = 128
    for channels, resolution in _STACKS:
        for _ in range(_CELLS_PER_STACK):
            cell_weights, terms = _cell_costs(graphs, cell_input, channels)
            weights += cell_weights
            costs += terms * resolution**2
            cell_input = channels
    return weights, costs


def graph_features(graphs: Graphs) -> Floats:
    """(n, 47) counts, depths, path statistics, channel shares and logarithms of costs."""
    op, adjacency = graphs.labels[:, 1:-1], graphs.adjacency
    inner = op < 3
    channels = vertex_channels(graphs, 512)[:, 1:-1] / 512
    weights, costs = network_costs(graphs)
    counts = [(op == kind).sum(1) for kind in range(3)]
    shares = [(channels * (op == kind)).sum(1) for kind in range(3)]
    squares = [(channels**2 * (op == kind)).sum(1) for kind in range(3)]
    to_output = [(adjacency[:, 1:-1, -1] & (op == kind)).sum(1) for kind in range(3)]
    from_input = [(adjacency[:, 0, 1:-1] & (op == kind)).sum(1) for kind in range(3)]
    degrees = [adjacency[:, 1:-1].sum(2), adjacency[:, :, 1:-1].sum(1)]
    columns: list[npt.NDArray[np.generic]] = [inner.sum(1), adjacency.sum((1, 2)), *counts]
    columns += [*shares, *squares, *to_output, *from_input]
    columns += [adjacency[:, 0, -1], adjacency[:, :, -1].sum(1), adjacency[:, 0].sum(1)]
    columns += [degree.max(1) for degree in degrees]
    columns += [(degree > 1).sum(1) for degree in degrees]
    columns += [channels.sum(1), channels.max(1), np.where(inner, channels, 1).min(1)]
    columns += [np.log(weights), *np.log1p(costs).T, np.log(costs.sum(1) + 1e8)]
    return np.column_stack([*columns, _path_statistics(graphs)]).astype(np.float64)


def _path_statistics(graphs: Graphs) -> Floats:
    """(n, 8) longest paths in vertices, 3x3, any convolution and pooling; path counts and means."""
    label = graphs.labels
    weights = [label < 3, label == 0, label < 2, label == 2]
    longest = [longest_weighted(graphs, weight.astype(np.int64))[:, -1] for weight in weights]
    number = np.zeros(label.shape)
    number[:, 0] = 1
    sums = np.zeros((3, *label.shape))
    for v in range(1, VERTICES):
        into = graphs.adjacency[:, :v, v]
        number[:, v] = (number[:, :v] * into).sum(1)
        for index, weight in enumerate(weights[:3]):
            before = (sums[index, :, :v] * into).sum(1)
            sums[index, :, v] = before + number[:, v] * weight[:, v]
    paths = np.maximum(number[:, -1], 1)
    return np.column_stack([*longest, paths, *(sums[:, :, -1] / paths)])


def path_counts(graphs: Graphs) -> Floats:
    """(n, 40) number of input-output paths for every sequence of at most three operations."""
    one_hot = [graphs.labels[:, 1:-1] == kind for kind in range(3)]
    adjacency = graphs.adjacency.astype(np.float32)
    enter, leave, inner = adjacency[:, 0, 1:-1], adjacency[:, 1:-1, -1], adjacency[:, 1:-1, 1:-1]
    found: list[npt.NDArray[np.generic]] = [adjacency[:, 0, -1]]
    level = [enter * kind for kind in one_hot]
    for length in range(3):
        found += [(walk * leave).sum(1) for walk in level]
        if length < 2:
            moved = [np.einsum("ni,nij->nj", walk, inner) for walk in level]
            level = [walk * kind for walk in moved for kind in one_hot]
    return np.column_stack(found).astype(np.float64)


def table_features(graphs: Graphs) -> Floats:
    """(n, 143) features for tree ensembles: canonical adjacency, operations, graph, paths."""
    ordered = canonical(graphs)
    upper = np.triu_indices(VERTICES, 1)
    edges = ordered.adjacency[:, upper[0], upper[1]]
    depth, height = longest_from_input(ordered)[:, 1:-1], longest_to_output(ordered)[:, 1:-1]
    op = ordered.labels[:, 1:-1]
    one_hot = [op == kind for kind in range(3)]
    channels = vertex_channels(ordered, 512)[:, 1:-1]
    parts = [edges, *one_hot, depth, height, channels, graph_features(graphs), path_counts(graphs)]
    return np.column_stack(parts).astype(np.float64)
