"""Forward and backward pass of convolution, batch normalisation and ReLU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from raynas.supernet.mixing import Scalar
from raynas.supernet.operations import StatisticsMode

#: Saved tensors; the backward pass pops what the forward pass pushed.
Tape = list[Any]

_aten = torch.ops.aten


class Statistics(Protocol):
    """What a pass reads of a `Norm`."""

    momentum: float
    running_mean: Tensor
    running_var: Tensor

    @property
    def mode(self) -> StatisticsMode:
        """See `Norm.mode`."""

    @property
    def eps(self) -> float:
        """Added to variances."""


class LayerPass:
    """One forward and one backward pass of a `ConvNorm`.

    Args:
        parameters: weight, scale and shift.
        norm: running statistics and how to use them.
        parts: ranges of output channels to compute; None computes all.
        learning: whether the parameters need a gradient.
    """

    def __init__(
        self,
        parameters: Sequence[Tensor],
        norm: Statistics,
        parts: Sequence[slice] | None = None,
        *,
        learning: bool,
    ) -> None:
        self.norm, self.parts, self.learning = norm, parts, learning
        self.shapes = [parameter.shape for parameter in parameters]
        self.weight, self.scale, self.shift = (self._take(p.detach()) for p in parameters)
        self.padding = self.weight.shape[-1] // 2

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        """The result; what the backward pass needs is pushed on the tape."""
        norm, self.mode = self.norm, self.norm.mode
        convolved = functional.conv2d(x, self.weight.to(x.dtype), padding=self.padding)
        statistics = [self._take(s) for s in (norm.running_mean, norm.running_var)]
        given = [None, None] if self.mode == "batch" else statistics
        use_batch = self.mode != "running"
        result, mean, inverse = _aten.native_batch_norm(
            convolved, self.scale, self.shift, *given, use_batch, norm.momentum, norm.eps
        )
        if self.mode == "train" and self.parts is not None:
            self._write(norm.running_mean, statistics[0])
            self._write(norm.running_var, statistics[1])
        # In the other modes the backward pass needs no running statistics, and they may change.
        tape += statistics if self.mode == "running" else [None, None]
        rectified: Tensor = result.relu_()
        tape += [convolved, mean, inverse, rectified]
        return rectified

    def backward(
        self, gradient: Tensor, factor: Scalar, x: Tensor, tape: Tape, *, overwrite: bool = False
    ) -> tuple[Tensor, list[Tensor | None], Tensor]:
        """Gradients of x, of the parameters, and, per channel, of the factor.

        Args:
            gradient: of factor * result.
            factor: a number, or one per channel.
            x: input of the forward pass.
            tape: as the forward pass left it.
            overwrite: whether `gradient` may be overwritten.
        """
        result, inverse, mean, convolved, variance, average = (tape.pop() for _ in range(6))
        masked = gradient if overwrite else torch.empty_like(gradient)
        _aten.threshold_backward.grad_input(gradient, result, 0, grad_input=masked)
        d_convolved, d_scale, d_shift = _aten.native_batch_norm_backward(
            masked,
            convolved,
            self.scale * factor,
            average,
            variance,
            mean,
            inverse,
            self.mode != "running",
            self.norm.eps,
            [True, True, True],
        )
        d_x, d_weight = self._convolution_backward(d_convolved, x)
        of_factor = self.scale * d_scale + self.shift * d_shift
        if d_weight is None:
            return d_x, [None, None, None], of_factor
        gradients = [d_weight.to(self.weight.dtype), d_scale * factor, d_shift * factor]
        return d_x, [*map(self._put, gradients, self.shapes)], of_factor

    def _convolution_backward(self, gradient: Tensor, x: Tensor) -> tuple[Tensor, Tensor | None]:
        padding = [self.padding, self.padding]
        ones, zeros, wanted = [1, 1], [0, 0], [True, self.learning, False]
        weight = self.weight.to(x.dtype)
        d_x, d_weight, _ = _aten.convolution_backward(
            gradient, x, weight, None, ones, padding, ones, False, zeros, 1, wanted
        )
        return d_x, d_weight

    # Parts ------------------------------------------------------------------------------------

    def _take(self, tensor: Tensor) -> Tensor:
        if self.parts is None:
            return tensor
        return torch.cat([tensor[part] for part in self.parts])

    def _put(self, gradient: Tensor, shape: torch.Size) -> Tensor:
        if self.parts is None:
            return gradient
        whole = gradient.new_zeros(shape)
        self._write(whole, gradient)
        return whole

    def _write(self, whole: Tensor, taken: Tensor) -> None:
        start = 0
        for part in self.parts or ():
            stop = start + part.stop - part.start
            whole[part] = taken[start:stop]
            start = stop
