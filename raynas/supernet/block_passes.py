"""Forward and backward pass of a choice block's mixed operation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from raynas.supernet.layer_passes import LayerPass, Tape
from raynas.supernet.mixing import Mix
from raynas.supernet.operations import Norm
from raynas.supernet.plan import BlockPlan

_POOL = ([3, 3], [1, 1], [1, 1], [1, 1])  # size, stride, padding, dilation
_aten = torch.ops.aten


class BlockPass:
    """One forward and one backward pass of a choice block.

    With partial channels (Xu et al., "PC-DARTS", ICLR 2020) the first 1/p of the channels goes
    through the operations, the rest past them, and a shuffle with p groups follows.

    Args:
        plan: what of the block is computed.
        mix: the cell's weights.
        partial: p; 1 sends all channels through the operations.
        layers: parameters and norms of the cell: projection, then 3x3 and 1x1 of each block.
        learning: whether the parameters need a gradient.
    """

    def __init__(
        self,
        plan: BlockPlan,
        mix: Mix,
        partial: int,
        layers: Sequence[tuple[Sequence[Tensor], Norm]],
        *,
        learning: bool,
    ) -> None:
        self.plan, self.mix, self.partial = plan, mix, partial
        self.indices = {column: 2 * plan.block + column for column, _ in plan.operations if column}
        self.layers = {
            column: LayerPass(*layers[i], learning=learning) for column, i in self.indices.items()
        }

    def forward(self, total: Tensor, tape: Tape) -> Tensor:
        """The block's output from the sum of its inputs, both (n, width, h, w)."""
        part = _dense(total[:, : total.shape[1] // self.partial])
        results = []
        for column, position in self.plan.operations:
            if column:
                result = self.layers[column].forward(part, tape)
            else:
                result, where = _aten.max_pool2d_with_indices(part, *_POOL)
                tape.append(where)
            results.append((result, position))
        tape.append(part)
        mixed = self.mix.sum(results)
        if self.partial == 1:
            return mixed
        state = _regroup(total, self.partial)
        state[:, :: self.partial] = mixed
        return state

    def backward(self, d_state: Tensor, tape: Tape, d_parameters: list[Tensor | None]) -> Tensor:
        """Gradient of the sum of the inputs; the parameters' are entered into the list."""
        part = tape.pop()
        d_mixed = _dense(d_state[:, :: self.partial])
        d_part: Tensor | None = None
        for column, position in reversed(self.plan.operations):
            if column:
                d_result = self._layer(column, position, d_mixed, part, tape, d_parameters)
                d_part = d_result if d_part is None else d_part.add_(d_result)
                continue
            d_pooled = _aten.max_pool2d_with_indices_backward(
                d_mixed, part, *_POOL, False, tape.pop()
            )
            self.mix.record_product(position, d_pooled, part)
            if d_part is None:
                d_part = self.mix.product(d_pooled, position)
            else:
                self.mix.add(d_part, d_pooled, position)
        return self._past_operations(d_part, d_state)

    def _layer(
        self,
        column: int,
        position: int,
        d_mixed: Tensor,
        part: Tensor,
        tape: Tape,
        d_parameters: list[Tensor | None],
    ) -> Tensor:
        layer = self.layers[column]
        d_part, gradients, of_factor = layer.backward(d_mixed, self.mix[position], part, tape)
        if self.mix.differentiate:
            self.mix.record(position, of_factor.sum())
        first = 3 * self.indices[column]
        d_parameters[first : first + 3] = gradients
        return d_part

    def _past_operations(self, d_part: Tensor | None, d_state: Tensor) -> Tensor:
        channels = d_state.shape[1]
        if self.partial == 1:
            return torch.zeros_like(d_state) if d_part is None else d_part
        d_total = _regroup(d_state, channels // self.partial)
        d_total[:, : channels // self.partial] = 0 if d_part is None else d_part
        return d_total


def _regroup(x: Tensor, groups: int) -> Tensor:
    """A new tensor whose channel c * groups + g is channel g * (channels / groups) + c of `x`."""
    if x.device.type == "cpu" and x.dtype != torch.float32:
        return torch.native_channel_shuffle(x, groups)
    n, channels, height, width = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(-1, channels)
    # Half the time of any way to transpose the channels.
    picked = rows.index_select(1, _order(channels, groups, x.device))
    return picked.view(n, height, width, channels).permute(0, 3, 1, 2)


@lru_cache(maxsize=64)
def _order(channels: int, groups: int, device: torch.device) -> Tensor:
    numbers = torch.arange(channels, device=device)
    return numbers.view(groups, channels // groups).t().reshape(-1)


def _dense(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)
