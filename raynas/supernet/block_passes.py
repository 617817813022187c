"""Forward and backward pass of a choice block's mixed operation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from raynas.supernet.layer_passes import LayerPass, Tape
from raynas.supernet.mixing import Mix
from raynas.supernet.narrow_passes import PairPass, is_narrow, max_pool, max_pool_backward
from raynas.supernet.operations import Norm
from raynas.supernet.plan import BlockPlan


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
        self.positions = dict(plan.operations)
        self.indices = {column: 2 * plan.block + column for column in self.positions if column}
        given = {column: layers[i] for column, i in self.indices.items()}
        self.pair: PairPass | None = None
        self.layers: dict[int, LayerPass] = {}
        if len(given) == 2 and is_narrow(given[1][0][0]):
            self.pair = PairPass([given[1], given[2]], learning=learning)
        else:
            self.layers = {c: LayerPass(*layer, learning=learning) for c, layer in given.items()}

    def forward(self, total: Tensor, tape: Tape) -> Tensor:
        """The block's output from the sum of its inputs, both (n, width, h, w)."""
        part = _dense(total[:, : total.shape[1] // self.partial])
        results = {}
        if 0 in self.positions:
            results[0], where = max_pool(part)
            tape.append(where)
        if self.pair is not None:
            results[1], results[2] = self.pair.forward(part, tape)
        for column, layer in self.layers.items():
            results[column] = layer.forward(part, tape)
        tape.append(part)
        mixed = self.mix.sum([(results[column], p) for column, p in self.plan.operations])
        if self.partial == 1:
            return mixed
        state = _regroup(total, self.partial)
        state[:, :: self.partial] = mixed
        return state

    def backward(self, d_state: Tensor, tape: Tape, d_parameters: list[Tensor | None]) -> Tensor:
        """Gradient of the sum of the inputs; the parameters' are entered into the list."""
        part = tape.pop()
        d_mixed = _dense(d_state[:, :: self.partial])
        d_part = self._through_convolutions(d_mixed, part, tape, d_parameters)
        if 0 in self.positions:
            position = self.positions[0]
            d_pooled = max_pool_backward(d_mixed, part, tape.pop())
            self.mix.record_product(position, d_pooled, part)
            if d_part is None:
                d_part = self.mix.product(d_pooled, position)
            else:
                self.mix.add(d_part, d_pooled, position)
        return self._past_operations(d_part, d_state)

    def _through_convolutions(
        self, d_mixed: Tensor, part: Tensor, tape: Tape, d_parameters: list[Tensor | None]
    ) -> Tensor | None:
        if self.pair is not None:
            positions = self.positions[1], self.positions[2]
            d_part, gradients = self.pair.backward(d_mixed, positions, self.mix, part, tape)
            for column, own in zip((1, 2), gradients, strict=True):
                self._enter(column, own, d_parameters)
            return d_part
        total: Tensor | None = None
        for column in reversed(self.layers):
            position = self.positions[column]
            d_part, own, of_factor = self.layers[column].backward(
                d_mixed, self.mix[position], part, tape
            )
            if self.mix.differentiate:
                self.mix.record(position, of_factor.sum())
            self._enter(column, own, d_parameters)
            total = d_part if total is None else total.add_(d_part)
        return total

    def _enter(
        self, column: int, gradients: list[Tensor | None], d_parameters: list[Tensor | None]
    ) -> None:
        first = 3 * self.indices[column]
        d_parameters[first : first + 3] = gradients

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
