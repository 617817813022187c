"""One cell of a supernet for many architectures at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from raynas.supernet.cell import SupernetCell
from raynas.supernet.shared.layers import Statistics, conv_norm, max_pool_3x3, shuffle
from raynas.supernet.shared.schedule import BlockStep, CellSteps


class SharedCell:
    """One cell for a group.

    Args:
        cell: whose parameters to use.
        steps: what to compute.
        statistics: how to normalise.
        live: which channels of the cell's input there are; None: all.
    """

    def __init__(
        self, cell: SupernetCell, steps: CellSteps, statistics: Statistics, live: Tensor | None
    ) -> None:
        self.cell, self.steps, self.statistics = cell, steps, statistics
        self.layers = cell.layers()
        weight = cell.projection.weight
        self.projection = weight if live is None else weight[:, live]
        self._values: dict[int, Tensor] = {}  # of the edges into the output

    def compute(self, x: Tensor) -> SharedCell:
        """Compute all that leads to the output from the cell's inputs (rows, n, h, w, inputs)."""
        self._values = {}
        for step in self.steps.blocks:
            total = self._sums(x, step, self._values)
            self._values[step.block + 1] = self._operations(total, step)
        if self.steps.output[0][0] == 0:
            part = slice(self.cell.num_blocks * self.cell.width, None)
            self._values[0] = self._project(x, self.steps.projected, part)
        return self

    def output(self, members: slice) -> tuple[Tensor, Tensor]:
        """The outputs of some of the group, and which channels of them there are."""
        width = self.cell.width
        terms = {edge: (weight, rows[members]) for edge, weight, rows in self.steps.output}
        kept = range(1, self.cell.num_blocks + 1) if 0 in terms else sorted(terms)
        given = {e: (w, take(self._values[e], rows)) for e, (w, rows) in terms.items()}
        some = next(value for _, value in given.values())
        result = some.new_empty((*some.shape[:-1], len(kept) * width))
        if 0 in given:
            weight, value = given.pop(0)
            torch.mul(value, weight, out=result)
        for place, edge in enumerate(kept):
            if edge not in given:
                continue
            weight, value = given[edge]
            target = result[..., place * width : (place + 1) * width]
            if 0 in terms:
                target.add_(value, alpha=weight)
            else:
                torch.mul(value, weight, out=target)
        live = torch.cat([torch.arange((v - 1) * width, v * width) for v in kept])
        return result, live.to(result.device)

    def _project(self, x: Tensor, rows: tuple[int, ...], part: slice) -> Tensor:
        norm = self.cell.projection.norm
        return conv_norm(take(x, rows), self.projection[part], norm, part, self.statistics)

    def _sums(self, x: Tensor, step: BlockStep, states: dict[int, Tensor]) -> Tensor:
        values = dict(states)
        if step.projected:
            width = self.cell.width
            part = slice(step.block * width, (step.block + 1) * width)
            values[0] = self._project(x, step.projected, part)
        return join([_weighted(sums.terms, values) for sums in step.sums])

    def _operations(self, total: Tensor, step: BlockStep) -> Tensor:
        partial = self.cell.partial_channels
        width = total.shape[-1] // partial
        part = total[..., :width].contiguous()
        results = {}
        for column, rows in step.operations:
            x = take(part, rows)
            if column == 0:
                results[column] = max_pool_3x3(x)
            else:
                layer = self.layers[2 * step.block + column]
                results[column] = conv_norm(
                    x, layer.weight, layer.norm, slice(None), self.statistics
                )
        state = join([_weighted(terms, results) for terms in step.states])
        if partial == 1:
            return state
        rest = self._past_operations(total[..., width:], step)
        return shuffle(torch.cat([state, rest], -1), partial)

    def _past_operations(self, rest: Tensor, step: BlockStep) -> Tensor:
        """The other channels of the sums, in the order of the states."""
        passed = dict(step.operations)
        rows = [passed[run[0][0]][row] for run in step.states for row in run[0][2]]
        return take(rest, tuple(rows))


def _weighted(
    terms: Sequence[tuple[int, float, tuple[int, ...]]], values: dict[int, Tensor]
) -> Tensor:
    """Weighted sums; never to be changed in place, as a single one is its term itself."""
    parent, weight, rows = terms[0]
    total = take(values[parent], rows)
    if len(terms) == 1:
        return total if weight == 1 else total * weight
    parent, second, rows = terms[1]
    other = take(values[parent], rows)
    total = torch.add(total if weight == 1 else total * weight, other, alpha=second)
    for parent, weight, rows in terms[2:]:
        total.add_(take(values[parent], rows), alpha=weight)
    return total


def join(parts: Sequence[Tensor]) -> Tensor:
    """Stacks as one, without a copy if there is only one."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def take(x: Tensor, rows: tuple[int, ...]) -> Tensor:
    """Rows of a stack; without a copy where they follow each other."""
    first = rows[0]
    if rows == tuple(range(first, first + len(rows))):
        return x[first : first + len(rows)]
    if len(set(rows)) == 1:
        return x[first : first + 1].expand(len(rows), *x.shape[1:])
    return x.index_select(0, torch.tensor(rows, device=x.device))
