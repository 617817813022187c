"""Forward and backward pass of a cell, written out for speed.

Most of a supernet's time outside the convolutions goes into reading and writing whole activations.
Automatic differentiation of the cell as one would write it down multiplies each of them by a
weight, cuts the projections into slices whose gradients are padded with zeros, and sums gradients
one at a time. Here
- weights are applied while sums are accumulated;
- gradients are accumulated in place, those of the projections in one buffer;
- the weight of an operation or of a projected edge is not multiplied into a gradient at all: the
  backward pass of batch normalisation is linear in its scale, which takes the factor along;
- the gradient of such a weight w in w * relu(scale * normalised + shift) is the sum over channels
  of scale * (gradient of scale) + shift * (gradient of shift), both at w = 1: no activation is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from raynas.supernet.operations import Norm
from raynas.supernet.plan import UNWEIGHTED, BlockPlan, CellPlan

Scalar = float | Tensor
_aten = torch.ops.aten


class Mix:
    """The architecture weights of a cell as factors, and their gradients.

    On the CPU factors are Python numbers; elsewhere they stay tensors, so that nothing waits for
    the device.
    """

    def __init__(self, flat: Tensor, *, differentiate: bool) -> None:
        detached = flat.detach()
        on_host = flat.device.type == "cpu"
        self.factors: list[Scalar] = detached.tolist() if on_host else list(detached.unbind())
        self.differentiate = differentiate
        self._gradients = dict[int, Tensor]()
        self._like = detached

    def __getitem__(self, position: int) -> Scalar:
        return 1.0 if position == UNWEIGHTED else self.factors[position]

    def product(self, x: Tensor, position: int) -> Tensor:
        """A new tensor: factor times `x`."""
        return x * self[position]

    def add(self, total: Tensor, x: Tensor, position: int) -> None:
        """Add factor times `x` to `total` in place."""
        factor = self[position]
        if isinstance(factor, Tensor):
            total.addcmul_(x, factor.to(x.dtype))
        else:
            total.add_(x, alpha=factor)

    def record(self, position: int, gradient: Tensor) -> None:
        """Set the gradient of one weight."""
        if position != UNWEIGHTED:
            self._gradients[position] = gradient

    def record_product(self, position: int, a: Tensor, b: Tensor) -> None:
        """Set the gradient of one weight to the sum of a * b, if it is wanted."""
        if self.differentiate and position != UNWEIGHTED:
            self._gradients[position] = _inner(a, b)

    def gradient(self) -> Tensor | None:
        """The gradient of the flat vector; zero where nothing was recorded."""
        if not self.differentiate:
            return None
        zero = self._like.new_zeros(())
        return torch.stack([self._gradients.get(i, zero) for i in range(len(self._like))])


def _inner(a: Tensor, b: Tensor) -> Tensor:
    if a.dtype == torch.float32 and a.stride() == b.stride() and a.is_contiguous(
        memory_format=torch.channels_last
    ):
        return torch.dot(a.permute(0, 2, 3, 1).reshape(-1), b.permute(0, 2, 3, 1).reshape(-1))
    return (a * b).sum(dtype=torch.float32)


class Layer:
    """Convolution, batch normalisation and ReLU, with the backward pass at hand.

    Args:
        parameters: weight, scale and shift.
        norm: running statistics and how to use them.
        parts: ranges of output channels to compute; None computes all.
    """

    def __init__(
        self,
        parameters: Sequence[Tensor],
        norm: Norm,
        parts: Sequence[slice] | None = None,
    ) -> None:
        self.norm, self.parts = norm, parts
        self.shapes = [parameter.shape for parameter in parameters]
        self.weight, self.scale, self.shift = (self._take(p.detach()) for p in parameters)
        self.padding = self.weight.shape[-1] // 2

    def _take(self, tensor: Tensor) -> Tensor:
        if self.parts is None:
            return tensor
        return torch.cat([tensor[part] for part in self.parts])

    def _put(self, gradient: Tensor, shape: torch.Size) -> Tensor:
        if self.parts is None:
            return gradient
        full = gradient.new_zeros(shape)
        self._write(full, gradient)
        return full

    def _write(self, full: Tensor, taken: Tensor) -> None:
        start = 0
        for part in self.parts or ():
            stop = start + part.stop - part.start
            full[part] = taken[start:stop]
            start = stop

    def forward(self, x: Tensor, tape: list[Tensor]) -> Tensor:
        """The result; what the backward pass needs is pushed on the tape."""
        norm = self.norm
        self.weight = self.weight.to(x.dtype)
        convolved = F.conv2d(x, self.weight, padding=self.padding)
        statistics = [self._take(s) for s in (norm.running_mean, norm.running_var)]
        kept: list[Tensor | None] = [None, None] if norm.mode == "batch" else [*statistics]
        result, mean, inverse = torch.native_batch_norm(
            convolved, self.scale, self.shift, *kept, norm.mode != "running", norm.momentum, norm.eps
        )
        if norm.mode == "train" and self.parts is not None:
            self._write(norm.running_mean, statistics[0])
            self._write(norm.running_var, statistics[1])
        result.relu_()
        tape += [convolved, mean, inverse, *statistics, result]
        return result

    def backward(
        self, gradient: Tensor, factor: Scalar | Tensor, x: Tensor, tape: list[Tensor]
    ) -> tuple[Tensor, list[Tensor], tuple[Tensor, Tensor]]:
        """Gradients of x, of the parameters, and of scale and shift without the factor.

        Args:
            gradient: of factor * result; overwritten.
            factor: a number, or one per channel.
            x: input of the forward pass.
            tape: as the forward pass left it.
        """
        result, variance, average, inverse, mean, convolved = (tape.pop() for _ in range(6))
        masked = _aten.threshold_backward(gradient, result, 0)
        del result
        d_convolved, d_scale, d_shift = _aten.native_batch_norm_backward(
            masked,
            convolved,
            self.scale * factor,
            average,
            variance,
            mean,
            inverse,
            self.norm.mode != "running",
            self.norm.eps,
            [True, True, True],
        )
        del masked, convolved
        pad = [self.padding] * 2
        d_x, d_weight, _ = _aten.convolution_backward(
            d_convolved,
            x,
            self.weight.to(x.dtype),
            None,
            [1, 1],
            pad,
            [1, 1],
            False,
            [0, 0],
            1,
            [True, True, False],
        )
        d_parameters = [d_weight.to(self.scale.dtype), d_scale * factor, d_shift * factor]
        full = [self._put(d, shape) for d, shape in zip(d_parameters, self.shapes, strict=True)]
        return d_x, full, (d_scale, d_shift)
