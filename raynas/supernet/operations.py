"""Operations of a choice block and the layers they are made of."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from search_spaces.cell import CONV1X1, CONV3X3, MAXPOOL3X3, OPERATIONS

#: Operations in the column order of the operation weights (Zela et al. 2020, their `PRIMITIVES`).
PRIMITIVES = (MAXPOOL3X3, CONV3X3, CONV1X1)

#: Column of each operation of a space's vector: `PRIMITIVES[COLUMN_OF[i]] == OPERATIONS[i]`.
COLUMN_OF = np.array([PRIMITIVES.index(name) for name in OPERATIONS])

#: The way back: `OPERATIONS[OPTION_OF[j]] == PRIMITIVES[j]`.
OPTION_OF = np.argsort(COLUMN_OF)

#: See `Norm.mode`.
StatisticsMode = Literal["train", "batch", "running"]


class Norm(nn.Module):
    """Batch normalisation whose statistics can be chosen.

    Args:
        channels: number of channels.
        momentum: weight of the newest batch in the running statistics (PyTorch's sense).
        affine: learn a scale and a shift per channel.

    Attributes:
        evaluation: what a module in evaluation mode uses, "running" (the default) or "batch".
    """

    eps = 1e-5
    weight: Tensor | None
    bias: Tensor | None
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, momentum: float, *, affine: bool = True) -> None:
        super().__init__()
        self.momentum = momentum
        self.evaluation: Literal["batch", "running"] = "running"
        self.register_parameter("weight", nn.Parameter(torch.ones(channels)) if affine else None)
        self.register_parameter("bias", nn.Parameter(torch.zeros(channels)) if affine else None)
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    @property
    def mode(self) -> StatisticsMode:
        """Which statistics are used now.

        - "train": those of the batch, and the running ones move;
        - "batch": those of the batch, nothing moves;
        - "running": the running ones.
        """
        return "train" if self.training else self.evaluation

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `x` (n, channels, h, w)."""
        kept = self.mode != "batch"
        return functional.batch_norm(
            x,
            self.running_mean if kept else None,
            self.running_var if kept else None,
            self.weight,
            self.bias,
            self.mode != "running",
            self.momentum,
            self.eps,
        )


class ConvNorm(nn.Module):
    """Convolution without bias, batch normalisation, ReLU; stride 1, the size is kept.

    Args:
        inputs: input channels.
        outputs: output channels.
        size: 1 or 3.
        momentum: see `Norm`.
        generator: source of the initial weights.
    """

    def __init__(
        self, inputs: int, outputs: int, size: int, momentum: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.weight = initial_weight((outputs, inputs, size, size), generator)
        self.norm = Norm(outputs, momentum)
        self.padding = size // 2

    def triple(self) -> tuple[Tensor, Tensor, Tensor]:
        """Weight, scale and shift."""
        assert self.norm.weight is not None and self.norm.bias is not None
        return self.weight, self.norm.weight, self.norm.bias

    def forward(self, x: Tensor) -> Tensor:
        """Compute in the precision of `x`, shape (n, inputs, h, w) -> (n, outputs, h, w)."""
        x = functional.conv2d(x, self.weight.to(x.dtype), padding=self.padding)
        return functional.relu(self.norm(x))


def initial_weight(shape: tuple[int, ...], generator: torch.Generator) -> nn.Parameter:
    """PyTorch's default initial weight of a convolution or linear layer, from a generator."""
    bound = 1 / math.sqrt(math.prod(shape[1:]))
    weight = torch.empty(shape).uniform_(-bound, bound, generator=generator)
    if weight.dim() == 4:
        weight = weight.contiguous(memory_format=torch.channels_last)
    return nn.Parameter(weight)
