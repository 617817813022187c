"""Forward and backward pass of a cell, written out for speed.

Most of a supernet's time outside the convolutions goes into reading and writing whole activations.
Automatic differentiation of the cell as one would write it down multiplies each of them by a
weight, cuts the projections into slices whose gradients are padded with zeros, and sums gradients
one at a time; and it computes the gradient of the parameters when only that of the architecture is
wanted. Here
- weights are applied while sums are accumulated;
- gradients are accumulated in place, those of the projections are joined, not padded;
- parameters that need no gradient (`requires_grad_(False)`) cost no backward pass;
- the weight of an operation or of a projected edge is not multiplied into a gradient at all: the
  backward pass of batch normalisation is linear in its scale, which takes the factor along;
- the gradient of such a weight w in w * relu(scale * normalised + shift) is the sum over channels
  of scale * (gradient of scale) + shift * (gradient of shift), both at w = 1: no activation is
  read for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from raynas.supernet.block_passes import BlockPass
from raynas.supernet.layer_passes import LayerPass, Tape
from raynas.supernet.mixing import Mix
from raynas.supernet.plan import BlockPlan, CellPlan

if TYPE_CHECKING:
    from raynas.supernet.cell import SupernetCell


class CellFunction(torch.autograd.Function):
    """The output of a cell from its input, differentiable once; see the module's text."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, flat: Tensor, cell: SupernetCell, plan: CellPlan, *parameters: Tensor
    ) -> Tensor:
        """Compute the cell.

        Args:
            ctx: of autograd.
            x: (n, inputs, h, w), channels last.
            flat: the architecture weights in the order of `cell_plan`.
            cell: whose shape and running statistics to use.
            plan: what to compute.
            parameters: weight, scale and shift of the projections and of each layer.
        """
        mix = Mix(flat, x.dtype, differentiate=ctx.needs_input_grad[1])
        tape: Tape = []
        run = CellPass(cell, plan, mix, parameters, learning=any(ctx.needs_input_grad[4:]))
        result = run.forward(x, tape)
        ctx.run = run
        ctx.save_for_backward(x, *tape)
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, of the weights and of the parameters."""
        x, *tape = ctx.saved_tensors
        d_x, d_parameters = ctx.run.backward(gradient, x, tape)
        return (d_x, ctx.run.mix.gradient(), None, None, *d_parameters)


class CellPass:
    """One forward and one backward pass of a cell.

    Arguments as in `CellFunction.forward`; `learning`: whether parameters need a gradient.
    """

    def __init__(
        self,
        cell: SupernetCell,
        plan: CellPlan,
        mix: Mix,
        parameters: Sequence[Tensor],
        *,
        learning: bool,
    ) -> None:
        self.plan, self.mix = plan, mix
        self.width, self.size = cell.width, cell.num_blocks
        self.count = len(parameters)
        layers = [
            (parameters[3 * i : 3 * i + 3], layer.norm) for i, layer in enumerate(cell.layers())
        ]
        self.projection = LayerPass(*layers[0], self._parts(), learning=learning)
        self.blocks = [
            BlockPass(block, mix, cell.partial_channels, layers, learning=learning)
            for block in plan.blocks
        ]

    def _parts(self) -> list[slice] | None:
        if len(self.plan.projections) == self.size + 1:
            return None
        starts = [target * self.width for target in self.plan.projections]
        channels = map(self._channels, self.plan.projections)
        return [slice(start, start + n) for start, n in zip(starts, channels, strict=True)]

    def _channels(self, target: int) -> int:
        return self.width * (1 if target < self.size else self.size)

    def _projected(self, t: Tensor, target: int) -> Tensor:
        """The channels of `t` that were projected for a block or, if k, for the output."""
        start = self.plan.projections.index(target) * self.width
        return t[:, start : start + self._channels(target)]

    # Forward ----------------------------------------------------------------------------------

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        """The cell's output; what the backward pass needs is pushed on the tape."""
        t = self.projection.forward(x, tape)
        states: dict[int, Tensor] = {}
        for block in self.blocks:
            number = block.plan.block
            terms = [
                (states[parent] if parent else self._projected(t, number), position)
                for parent, position in block.plan.parents
            ]
            states[number + 1] = block.forward(self.mix.sum(terms), tape)
        tape += [states.get(edge) for edge in range(1, self.size + 1)]
        return self._output(x, t, states)

    def _output(self, x: Tensor, t: Tensor, states: Mapping[int, Tensor]) -> Tensor:
        terms = dict(self.plan.output)
        pieces = [
            self.mix.product(states[edge], terms[edge]) if edge in terms else _zeros(x, self.width)
            for edge in range(1, self.size + 1)
        ]
        result = torch.cat(pieces, 1)
        if 0 in terms:
            self.mix.add(result, self._projected(t, self.size), terms[0])
        return result

    # Backward ---------------------------------------------------------------------------------

    def backward(
        self, gradient: Tensor, x: Tensor, tape: Tape
    ) -> tuple[Tensor, list[Tensor | None]]:
        """Gradients of x and of the parameters; those of the weights are left in `mix`."""
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        states = dict(enumerate(tape[-self.size :], start=1))
        del tape[-self.size :]
        d_states = self._from_output(gradient, states)
        d_projected = {self.size: gradient}
        d_parameters: list[Tensor | None] = [None] * self.count
        for block in reversed(self.blocks):
            d_total = block.backward(d_states.pop(block.plan.block + 1), tape, d_parameters)
            d_projected[block.plan.block] = d_total
            self._to_parents(block.plan, d_total, states, d_states)
        d_t = torch.cat([d_projected[target] for target in self.plan.projections], 1)
        factors = self._projection_factors()
        d_x, of_projection, of_factors = self.projection.backward(
            d_t, factors, x, tape, overwrite=True
        )
        d_parameters[:3] = of_projection
        self._record_projections(of_factors)
        return d_x, d_parameters

    def _from_output(self, gradient: Tensor, states: Mapping[int, Tensor]) -> dict[int, Tensor]:
        d_states = {}
        for edge, position in self.plan.output:
            if edge:
                part = gradient[:, (edge - 1) * self.width : edge * self.width]
                part = part.contiguous(memory_format=torch.channels_last)
                d_states[edge] = self.mix.product(part, position)
                self.mix.record_product(position, part, states[edge])
        return d_states

    def _to_parents(
        self,
        plan: BlockPlan,
        d_total: Tensor,
        states: Mapping[int, Tensor],
        d_states: dict[int, Tensor],
    ) -> None:
        for parent, position in plan.parents:
            if parent == 0:
                continue
            self.mix.record_product(position, d_total, states[parent])
            if parent in d_states:
                self.mix.add(d_states[parent], d_total, position)
            else:
                d_states[parent] = self.mix.product(d_total, position)

    def _projection_positions(self) -> list[int]:
        """For each projection the position of its edge's weight."""
        edges = {block.block: dict(block.parents) for block in self.plan.blocks}
        edges[self.size] = dict(self.plan.output)
        return [edges[target][0] for target in self.plan.projections]

    def _projection_factors(self) -> Tensor:
        ones = self.projection.scale.new_ones
        pairs = zip(self.plan.projections, self._projection_positions(), strict=True)
        return torch.cat(
            [ones(self._channels(target)) * self.mix[position] for target, position in pairs]
        )

    def _record_projections(self, of_factors: Tensor) -> None:
        if not self.mix.differentiate:
            return
        widths = [self._channels(target) for target in self.plan.projections]
        parts = torch.split_with_sizes(of_factors, widths)
        for position, part in zip(self._projection_positions(), parts, strict=True):
            self.mix.record(position, part.sum())


def _zeros(x: Tensor, channels: int) -> Tensor:
    """Zeros for another number of channels, channels last."""
    shape = (len(x), channels, *x.shape[2:])
    zeros = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    return zeros.zero_()
