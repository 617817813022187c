"""Architecture weights as factors of sums of activations, and their gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from raynas.supernet.plan import UNWEIGHTED

#: A number on the host, or a tensor on the device.
Scalar = float | Tensor


class Mix:
    """The architecture weights of one cell in one forward and backward pass.

    On the CPU factors are Python numbers; elsewhere they stay tensors, so that nothing waits for
    the device.

    Args:
        flat: the weights in the order of `cell_plan`.
        dtype: precision of the activations.
        differentiate: whether gradients of the weights are wanted.
    """

    def __init__(self, flat: Tensor, dtype: torch.dtype, *, differentiate: bool) -> None:
        self.differentiate = differentiate
        self._flat = flat.detach()
        self._exact: Sequence[Scalar]
        self._rounded: Sequence[Scalar]
        if flat.device.type == "cpu":
            self._exact = self._rounded = self._flat.tolist()
        else:
            self._exact = self._flat.unbind()
            self._rounded = self._flat.to(dtype).unbind()
        self._gradients = dict[int, Tensor]()

    def __getitem__(self, position: int) -> Scalar:
        """The weight as a factor of parameters."""
        return 1.0 if position == UNWEIGHTED else self._exact[position]

    def _of_activations(self, position: int) -> Scalar:
        return 1.0 if position == UNWEIGHTED else self._rounded[position]

    def sum(self, terms: Sequence[tuple[Tensor, int]]) -> Tensor:
        """The weighted sum of pairs (tensor, position); not to be changed in place."""
        (first, position), *others = terms
        if not others and position == UNWEIGHTED:
            return first.contiguous(memory_format=torch.channels_last)
        total = self.product(first, position)
        for x, position in others:
            self.add(total, x, position)
        return total

    def product(self, x: Tensor, position: int) -> Tensor:
        """A new tensor without gaps: factor times `x`."""
        return x * self._of_activations(position)

    def add(self, total: Tensor, x: Tensor, position: int) -> None:
        """Add factor times `x` to `total` in place."""
        factor = self._of_activations(position)
        if isinstance(factor, Tensor):
            total.addcmul_(x, factor)
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
        """The gradient of all weights; zero where nothing was recorded."""
        if not self.differentiate:
            return None
        zero = self._flat.new_zeros(())
        recorded = (self._gradients.get(i, zero) for i in range(len(self._flat)))
        return torch.stack([gradient.to(zero.dtype) for gradient in recorded])


def _inner(a: Tensor, b: Tensor) -> Tensor:
    """The sum of a * b in at least float32; bfloat16 has no fast inner product on the CPU."""
    dtype = torch.promote_types(a.dtype, torch.float32)
    rows = [x.permute(0, 2, 3, 1).reshape(-1).to(dtype) for x in (a, b)]
    return torch.dot(*rows)
