"""A cell of the supernet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from raynas.supernet.cell_passes import CellFunction
from raynas.supernet.operations import ConvNorm
from raynas.supernet.plan import cell_plan
from raynas.supernet.weights import ArchitectureWeights


class ChoiceBlock(nn.Module):
    """Parameters of one choice block; max-pooling has none.

    Args:
        channels: channels that go through the operations.
        momentum: see `Norm`.
        generator: source of the initial weights.
    """

    def __init__(self, channels: int, momentum: float, generator: torch.Generator) -> None:
        super().__init__()
        self.conv3x3 = ConvNorm(channels, channels, 3, momentum, generator)
        self.conv1x1 = ConvNorm(channels, channels, 1, momentum, generator)


class SupernetCell(nn.Module):
    """All operations and edges of a cell (Zela et al. 2020).

    Every block has its own projection of the cell's input, the output has one k times as wide.
    All are one convolution, whose output channels belong to blocks 1..k and then to the output.

    Args:
        inputs: channels of the cell's input.
        width: channels of each block; the output has k times as many.
        choices: for each of the k blocks whether it has a choice of parents.
        partial_channels: p; 1/p of a block's channels goes through its operations.
        momentum: see `Norm`.
        generator: source of the initial weights.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        choices: Sequence[bool],
        partial_channels: int,
        momentum: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.choices = tuple(choices)
        self.num_blocks = len(self.choices)
        self.width = width
        self.partial_channels = partial_channels
        self.projection = ConvNorm(inputs, 2 * self.num_blocks * width, 1, momentum, generator)
        self.blocks = nn.ModuleList(
            ChoiceBlock(width // partial_channels, momentum, generator)
            for _ in range(self.num_blocks)
        )

    def layers(self) -> list[ConvNorm]:
        """The projection, then the 3x3 and the 1x1 convolution of each block."""
        layers: list[ConvNorm] = [self.projection]
        for block in self.blocks:
            assert isinstance(block, ChoiceBlock)
            layers += [block.conv3x3, block.conv1x1]
        return layers

    def forward(self, x: Tensor, weights: ArchitectureWeights) -> Tensor:
        """The cell's output, (n, inputs, h, w) -> (n, k * width, h, w).

        Args:
            x: the cell's input.
            weights: those of this cell.
        """
        active = None if weights.active is None else weights.active[0]
        plan = cell_plan(self.choices, active)
        flat = torch.cat([tensor.reshape(-1) for tensor in weights.tensors])
        parameters = [p for layer in self.layers() for p in layer.triple()]
        x = x.contiguous(memory_format=torch.channels_last)
        result: Tensor = CellFunction.apply(x, flat, self, plan, *parameters)  # type: ignore[no-untyped-call]
        return result
