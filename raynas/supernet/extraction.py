"""One architecture of a supernet as a network of its own, with the same weights."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from raynas.supernet.cell import SupernetCell
from raynas.supernet.network import REDUCTION_PADDING, Supernet
from raynas.supernet.operations import PRIMITIVES, ConvNorm, Norm
from raynas.supernet.weights import active_paths
from search_spaces.cell import MAXPOOL3X3
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.space import Vectors


class SubNetwork(nn.Module):
    """A stand-alone network made of PyTorch's layers; see `extract`.

    Args:
        supernet: where the weights are copied from.
        vector: an architecture of its space.
    """

    def __init__(self, supernet: Supernet, vector: Sequence[int] | Vectors) -> None:
        super().__init__()
        settings = supernet.settings
        self.reductions = settings.reductions
        self.pool = nn.MaxPool2d(2, stride=2, padding=REDUCTION_PADDING[settings.flavour])
        self.stem = _layer(supernet.stem)
        live = torch.arange(settings.channels)
        self.cells = nn.ModuleList()
        for cell in supernet.cells:
            assert isinstance(cell, SupernetCell)
            extracted = SubCell(cell, supernet.space, vector, live)
            self.cells.append(extracted)
            live = extracted.live
        head = supernet.head
        self.post = nn.Sequential(
            nn.ReLU(), _convolution(head.weight.detach()[:, live]), _batch_norm(head.norm)
        )
        self.classifier = deepcopy(head.classifier)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of shape (n, classes)."""
        x = self.stem(images)
        for index, cell in enumerate(self.cells):
            x = cell(self.pool(x) if index in self.reductions else x)
        logits: Tensor = self.classifier(self.post(x).mean((2, 3)))
        return logits


class SubCell(nn.Module):
    """The selected operations and edges of a cell.

    Args:
        cell: where the weights are copied from.
        space: its space.
        vector: an architecture of the space.
        live: which channels of the supernet's cell input exist here.

    Attributes:
        live: which channels of the supernet's cell output exist here.
    """

    def __init__(
        self,
        cell: SupernetCell,
        space: NASBench1Shot1Space,
        vector: Sequence[int] | Vectors,
        live: Tensor,
    ) -> None:
        super().__init__()
        matrix = space.decode(vector).matrix
        size, width = cell.num_blocks, cell.width
        operations = active_paths(space, vector).operation
        self.partial = cell.partial_channels
        self.parents = [[j for j in range(v) if matrix[j, v]] for v in range(size + 2)]
        self.used = [v for v in range(1, size + 1) if _reaches_output(matrix, v)]
        self.operations = nn.ModuleDict()
        self.projections = nn.ModuleDict()
        for v in [*self.used, size + 1]:
            if v <= size:
                block = cell.blocks[v - 1]
                self.operations[str(v)] = _operation(block, operations[v - 1][0])
            if 0 in self.parents[v]:
                channels = slice((v - 1) * width, v * width if v <= size else None)
                self.projections[str(v)] = _layer(cell.projection, channels, live)
        blocks = range(1, size + 1) if 0 in self.parents[-1] else self.parents[-1]
        self.live = torch.cat([torch.arange((v - 1) * width, v * width) for v in blocks])

    def forward(self, x: Tensor) -> Tensor:
        """The live channels of the cell's output."""
        values: dict[int, Tensor] = {}
        for v in self.used:
            total = self._sum(v, x, values)
            part = total.shape[1] // self.partial
            mixed = self.operations[str(v)](total[:, :part])
            joined = torch.cat([mixed, total[:, part:]], 1)
            values[v] = nn.functional.channel_shuffle(joined, self.partial)
        parents = self.parents[-1]
        if 0 not in parents:
            return torch.cat([values[v] for v in parents], 1)
        projected: Tensor = self.projections[str(len(self.parents) - 1)](x)
        absent = torch.zeros_like(projected[:, : projected.shape[1] // (len(self.parents) - 2)])
        return projected + torch.cat(
            [values[v] if v in parents else absent for v in range(1, len(self.parents) - 1)], 1
        )

    def _sum(self, v: int, x: Tensor, values: dict[int, Tensor]) -> Tensor:
        terms = [values[j] if j else self.projections[str(v)](x) for j in self.parents[v]]
        return torch.stack(terms).sum(0)


def extract(supernet: Supernet, vector: Sequence[int] | Vectors) -> SubNetwork:
    """The sub-network of an architecture, with copies of the shared weights and statistics.

    It holds the selected paths only, and shares no code with the supernet's forward pass.
    """
    device = supernet.stem.weight.device
    return SubNetwork(supernet, vector).to(device).train(supernet.training)


def _reaches_output(matrix: Vectors, vertex: int) -> bool:
    last = len(matrix) - 1
    return vertex == last or any(
        _reaches_output(matrix, child)
        for child in range(vertex + 1, last + 1)
        if matrix[vertex, child]
    )


def _operation(block: nn.Module, column: int) -> nn.Module:
    if PRIMITIVES[column] == MAXPOOL3X3:
        return nn.MaxPool2d(3, stride=1, padding=1)
    layer = getattr(block, {1: "conv3x3", 2: "conv1x1"}[column])
    return _layer(layer)


def _layer(
    layer: ConvNorm, outputs: slice = slice(None), inputs: Tensor | None = None
) -> nn.Sequential:
    weight = layer.weight.detach()[outputs]
    weight = weight if inputs is None else weight[:, inputs]
    return nn.Sequential(_convolution(weight), _batch_norm(layer.norm, outputs), nn.ReLU())


def _convolution(weight: Tensor) -> nn.Conv2d:
    outputs, inputs, size, _ = weight.shape
    padding = size // 2
    convolution = nn.Conv2d(inputs, outputs, size, padding=padding, bias=False, device="meta")
    convolution.weight = nn.Parameter(weight.clone())
    return convolution


def _batch_norm(norm: Norm, channels: slice = slice(None)) -> nn.BatchNorm2d:
    state = {name: tensor.detach()[channels].clone() for name, tensor in norm.state_dict().items()}
    batch_norm = nn.BatchNorm2d(
        len(state["running_mean"]), norm.eps, norm.momentum, affine=norm.weight is not None
    )
    batch_norm.load_state_dict(state, strict=False)  # it counts its batches, `Norm` does not
    return batch_norm
