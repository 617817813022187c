"""A graph neural network that predicts every quantity of a cell at once.

Two sweeps of message passing over the cell: from the input to the output, then back, each vertex
after all those it depends on, so that one sweep carries information along any path.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from search_spaces.surrogate.features import graph_features, vertex_channels
from search_spaces.surrogate.graphs import PADDING_LABEL, VERTICES, Graphs

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Network inputs: adjacency (n, 7, 7), vertices (n, 7, f) and graph features (n, g)."""

    adjacency: Floats
    vertices: Floats
    graph: Floats

    def batch(self, index: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """The cells at `index` as tensors."""
        parts = (self.adjacency[index], self.vertices[index], self.graph[index])
        adjacency, vertices, graph = (torch.from_numpy(part) for part in parts)
        return adjacency, vertices, graph


def encode(graphs: Graphs) -> Encoded:
    """The inputs of the network for `graphs`."""
    one_hot = graphs.labels[:, :, None] == np.arange(PADDING_LABEL)
    share = vertex_channels(graphs, 512)[:, :, None] / 512
    degrees = [graphs.adjacency.sum(axis)[:, :, None] / 3 for axis in (1, 2)]
    vertices = np.concatenate([one_hot, share, *degrees], axis=2)
    return Encoded(
        graphs.adjacency.astype(np.float32),
        vertices.astype(np.float32),
        graph_features(graphs).astype(np.float32),
    )


class _Update(nn.Module):
    """New state of a vertex: a residual perceptron on its features plus the messages."""

    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        self.features = nn.Linear(features, width)
        self.messages = nn.Linear(width, width, bias=False)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width)
        )

    def forward(self, own: Tensor, arriving: Tensor) -> Tensor:
        state: Tensor = own + self.messages(arriving)
        updated: Tensor = state + self.perceptron(state)
        return updated


class CellNetwork(nn.Module):
    """Maps encoded cells to `heads` numbers each.

    Args:
        width: size of a vertex' state.
        vertex_features: features per vertex.
        graph_features: features per cell.
        heads: number of outputs.
    """

    def __init__(self, width: int, vertex_features: int, graph_features: int, heads: int) -> None:
        super().__init__()
        self.forth = _Update(width, vertex_features)
        self.back = _Update(width, vertex_features + width)
        self.read_out = nn.Sequential(
            nn.Linear(3 * width + graph_features, 2 * width),
            nn.SiLU(),
            nn.Linear(2 * width, 2 * width),
            nn.SiLU(),
            nn.Linear(2 * width, heads),
        )

    def forward(self, adjacency: Tensor, vertices: Tensor, graph: Tensor) -> Tensor:
        """(b, 7, 7), (b, 7, f), (b, g) -> (b, heads)."""
        own = self.forth.features(vertices)
        states = [self.forth(own[:, 0], torch.zeros_like(own[:, 0]))]
        for v in range(1, VERTICES):
            arriving = torch.bmm(adjacency[:, None, :v, v], torch.stack(states, 1))[:, 0]
            states.append(self.forth(own[:, v], arriving))
        first = torch.stack(states, 1)
        own = self.back.features(torch.cat([vertices, first], 2))
        back = [self.back(own[:, -1], torch.zeros_like(own[:, -1]))]
        for v in range(VERTICES - 2, -1, -1):
            later = torch.stack(back[::-1], 1)
            arriving = torch.bmm(adjacency[:, v : v + 1, v + 1 :], later)[:, 0]
            back.append(self.back(own[:, v], arriving))
        present = vertices[:, :, :PADDING_LABEL].sum(2, keepdim=True)
        total = (torch.stack(back[::-1], 1) * present).sum(1) / VERTICES
        summary: Tensor = self.read_out(torch.cat([first[:, -1], back[-1], total, graph], 1))
        return summary
