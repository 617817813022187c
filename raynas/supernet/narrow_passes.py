"""Passes for activations of fewer channels than the processor's vectors are long.

In memory the channels of a pixel lie side by side, and pooling and batch normalisation work on so
many of them at once; with 4 channels (a quarter of 16, as in PC-DARTS) they go one number at a
time. Here images stand side by side, and the two convolutions of a block are one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from raynas.supernet.layer_passes import LayerPass, Tape
from raynas.supernet.mixing import Mix
from raynas.supernet.operations import Norm, StatisticsMode

#: From so many channels on there is nothing to gain.
ENOUGH_CHANNELS = 8
_SIDE_BY_SIDE = 32
_POOL = ([3, 3], [1, 1], [1, 1], [1, 1])  # size, stride, padding, dilation
_aten = torch.ops.aten


def is_narrow(x: Tensor) -> bool:
    """Whether the passes of this module are faster for (n, channels, h, w)."""
    return x.device.type == "cpu" and x.shape[1] < ENOUGH_CHANNELS


def max_pool(x: Tensor) -> tuple[Tensor, Tensor]:
    """3x3 max-pooling that keeps the size; the result, and where in the image each value was.

    Args:
        x: (n, channels, h, w), channels last.
    """
    images = math.gcd(len(x), _SIDE_BY_SIDE // x.shape[1]) if is_narrow(x) else 1
    if images == 1:
        result, where = _aten.max_pool2d_with_indices(x, *_POOL)
        return result, where
    result, where = _aten.max_pool2d_with_indices(_side_by_side(x, images), *_POOL)
    return _apart(result, images), _apart(where, images)


def max_pool_backward(gradient: Tensor, x: Tensor, where: Tensor) -> Tensor:
    """The gradient of x from that of the result of `max_pool`."""
    found: Tensor = _aten.max_pool2d_with_indices_backward(gradient, x, *_POOL, False, where)
    return found


def _side_by_side(x: Tensor, images: int) -> Tensor:
    """Some images as the channels of one, (n, c, h, w) -> (n / images, images * c, h, w)."""
    n, channels, height, width = x.shape
    split = x.permute(0, 2, 3, 1).view(n // images, images, height, width, channels)
    joined = split.permute(0, 2, 3, 1, 4).reshape(-1, height, width, images * channels)
    return joined.permute(0, 3, 1, 2)


def _apart(x: Tensor, images: int) -> Tensor:
    """The way back."""
    n, channels, height, width = x.shape
    split = x.permute(0, 2, 3, 1).view(n, height, width, images, channels // images)
    apart = split.permute(0, 3, 1, 2, 4).reshape(-1, height, width, channels // images)
    return apart.permute(0, 3, 1, 2)


@dataclass
class _Statistics:
    """Those of several norms, one after the other; see `Norm`."""

    mode: StatisticsMode
    momentum: float
    eps: float
    running_mean: Tensor
    running_var: Tensor


class PairPass:
    """The 3x3 and the 1x1 convolution of a block as one 3x3 convolution of twice the channels.

    The 1x1 convolution is the centre of a 3x3 one that is zero elsewhere.

    Args:
        layers: parameters and norm of the 3x3 and of the 1x1 convolution.
        learning: whether the parameters need a gradient.
    """

    def __init__(self, layers: Sequence[tuple[Sequence[Tensor], Norm]], *, learning: bool) -> None:
        (large, first), (small, second) = layers
        self.norms, self.channels = (first, second), len(large[0])
        weight = torch.cat([large[0].detach(), functional.pad(small[0].detach(), (1, 1, 1, 1))])
        parameters = [
            weight.contiguous(memory_format=torch.channels_last),
            *(torch.cat([large[i].detach(), small[i].detach()]) for i in (1, 2)),
        ]
        self.statistics = _Statistics(
            first.mode,
            first.momentum,
            first.eps,
            *(
                torch.cat([getattr(norm, name) for norm in self.norms])
                for name in ("running_mean", "running_var")
            ),
        )
        self.layer = LayerPass(parameters, self.statistics, learning=learning)

    def forward(self, x: Tensor, tape: Tape) -> list[Tensor]:
        """The results of the 3x3 and of the 1x1 convolution."""
        result = self.layer.forward(x, tape)
        if self.statistics.mode == "train":
            for i, norm in enumerate(self.norms):
                norm.running_mean.copy_(self._half(self.statistics.running_mean, i))
                norm.running_var.copy_(self._half(self.statistics.running_var, i))
        return [result[:, : self.channels], result[:, self.channels :]]

    def backward(
        self, gradient: Tensor, positions: Sequence[int], mix: Mix, x: Tensor, tape: Tape
    ) -> tuple[Tensor, list[list[Tensor | None]]]:
        """Gradients of x, and of the parameters of either convolution; the factors' go to `mix`.

        Args:
            gradient: of the sum of both results, each times its factor.
            positions: of the factors in `mix`.
            mix: the cell's weights.
            x: input of the forward pass.
            tape: as the forward pass left it.
        """
        ones = self.layer.scale.new_ones(self.channels)
        factor = torch.cat([ones * mix[position] for position in positions])
        both = torch.cat([gradient, gradient], 1)
        d_x, gradients, of_factor = self.layer.backward(both, factor, x, tape, overwrite=True)
        if mix.differentiate:
            for i, position in enumerate(positions):
                mix.record(position, self._half(of_factor, i).sum())
        halves = [[None if g is None else self._half(g, i) for g in gradients] for i in (0, 1)]
        if halves[1][0] is not None:
            halves[1][0] = halves[1][0][:, :, 1:2, 1:2]
        return d_x, halves

    def _half(self, tensor: Tensor, i: int) -> Tensor:
        return tensor[i * self.channels : (i + 1) * self.channels]
