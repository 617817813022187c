"""A supernet's forward pass for many architectures at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

import torch
from torch import Tensor, nn

from raynas.supernet.cell import SupernetCell
from raynas.supernet.network import REDUCTION_PADDING, Supernet
from raynas.supernet.shared.layers import Statistics, conv_norm, max_pool_3x3, reduce, shuffle
from raynas.supernet.shared.schedule import BlockStep, CellSteps, Paths, cell_steps, paths_of
from raynas.supernet.weights import ArchitectureWeights, has_choice

#: Bytes of one block's values that are computed together on a CPU, where what does not fit into
#: its cache is slow; and on a GPU, which wants large pieces.
GROUP_BYTES = {"cpu": 1 << 21, "cuda": 1 << 27}
#: Where little fits, little would be shared: up to so many architectures are computed together
#: beyond it, as long as their values are within so many bytes.
_SHARING, _SHARING_BYTES = 16, 1 << 24


class SharedEvaluator:
    """Logits of many architectures with the weights of one supernet.

    Args:
        network: the supernet; it is read only.
        group_bytes: of one block's values that are computed together; None: as fits the device.
    """

    def __init__(self, network: Supernet, group_bytes: int | None = None) -> None:
        self.network = network
        self.device = network.stem.weight.device
        self._bytes = group_bytes
        choices = range(network.num_blocks)
        self._choices = tuple(has_choice(network.space, block) for block in choices)

    def groups(
        self, weights: Sequence[ArchitectureWeights], images: Tensor
    ) -> Iterator[tuple[list[Paths], list[list[int]]]]:
        """Cut architectures into groups to compute together.

        Returns:
            For each group its different paths, and for each of them the positions of the
            architectures that have them.
        """
        members: dict[Paths, list[int]] = {}
        for position, each in enumerate(weights):
            members.setdefault(paths_of(self._choices, each), []).append(position)
        value = self.network.settings.channels * images[:, 0].numel() * images.element_size()
        size = self._size(value)
        ordered = sorted(members, key=lambda p: (p.output, _topology(p), p.blocks))
        for _, run in groupby(ordered, key=lambda p: p.output):
            same = list(run)
            for start in range(0, len(same), size):
                group = same[start : start + size]
                yield group, [members[paths] for paths in group]

    def _size(self, value: int) -> int:
        """How many architectures to compute together, if a block's value has so many bytes."""
        if self._bytes is not None:
            return max(1, self._bytes // value)
        fitting = GROUP_BYTES.get(self.device.type, GROUP_BYTES["cuda"]) // value
        return max(1, fitting, min(_SHARING, _SHARING_BYTES // value))

    @torch.no_grad()
    def logits(
        self,
        group: Sequence[Paths],
        statistics: str,
        batches: Iterable[Tensor],
        calibration: Callable[[], Iterable[Tensor]] = tuple,
    ) -> Iterator[Tensor]:
        """Logits (g, n, classes) of a group for each batch of images.

        Args:
            group: paths with the same edges into the output.
            statistics: one of `raynas.supernet.STATISTICS`.
            batches: images (n, channels, h, w).
            calibration: gives the batches to recalibrate with.
        """
        state = Statistics(statistics)
        every = range(len(group))
        steps = cell_steps(group, [0] * len(group)), cell_steps(group, every)
        if state.recording:
            for images in calibration():
                self._forward(images, steps, state)
            state.recording = False
        for images in batches:
            yield self._forward(images, steps, state)

    def _forward(
        self, images: Tensor, steps: tuple[CellSteps, CellSteps], statistics: Statistics
    ) -> Tensor:
        statistics.begin()
        network, settings = self.network, self.network.settings
        stem = network.stem
        x = images.permute(0, 2, 3, 1).contiguous()[None]
        x = conv_norm(x, stem.weight, stem.norm, slice(None), statistics)
        live: Tensor | None = None
        for index, cell in enumerate(network.cells):
            assert isinstance(cell, SupernetCell)
            if index in settings.reductions:
                x = reduce(x, REDUCTION_PADDING[settings.flavour])
            x, live = _Cell(cell, steps[min(index, 1)], statistics, live).forward(x)
        head = network.head
        weight = head.weight if live is None else head.weight[:, live]
        x = conv_norm(x.relu_(), weight, head.norm, slice(None), statistics, rectify=False)
        classifier: nn.Linear = head.classifier
        logits: Tensor = classifier(x.mean((2, 3), dtype=classifier.weight.dtype))
        return logits


class _Cell:
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

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The output of each architecture, and which channels of it there are."""
        states: dict[int, Tensor] = {}
        for step in self.steps.blocks:
            total = self._sums(x, step, states)
            states[step.block + 1] = self._operations(total, step)
        return self._output(x, states)

    def _project(self, x: Tensor, rows: tuple[int, ...], part: slice) -> Tensor:
        norm = self.cell.projection.norm
        return conv_norm(take(x, rows), self.projection[part], norm, part, self.statistics)

    def _sums(self, x: Tensor, step: BlockStep, states: dict[int, Tensor]) -> Tensor:
        values = dict(states)
        if step.projected:
            width = self.cell.width
            part = slice(step.block * width, (step.block + 1) * width)
            values[0] = self._project(x, step.projected, part)
        return _join([_weighted(sums.terms, values) for sums in step.sums])

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
        state = _join([_weighted(terms, results) for terms in step.states])
        if partial == 1:
            return state
        rest = self._past_operations(total[..., width:], step)
        return shuffle(torch.cat([state, rest], -1), partial)

    def _past_operations(self, rest: Tensor, step: BlockStep) -> Tensor:
        """The other channels of the sums, in the order of the states."""
        passed = dict(step.operations)
        rows = [passed[run[0][0]][row] for run in step.states for row in run[0][2]]
        return take(rest, tuple(rows))

    def _output(self, x: Tensor, states: dict[int, Tensor]) -> tuple[Tensor, Tensor]:
        size, width = self.cell.num_blocks, self.cell.width
        given = {edge: (weight, rows) for edge, weight, rows in self.steps.output}
        blocks = [edge for edge in given if edge]
        count = len(self.steps.output[0][2])
        kept = range(1, size + 1) if 0 in given else blocks
        live = torch.cat([torch.arange((v - 1) * width, v * width) for v in kept])
        shape = (count, *x.shape[1:-1], len(kept) * width)
        result = torch.empty(shape, dtype=x.dtype, device=x.device)
        if 0 in given:
            weight, rows = given[0]
            projected = self._project(x, self.steps.projected, slice(size * width, None))
            torch.mul(take(projected, rows), weight, out=result)
        for place, edge in enumerate(kept):
            if edge not in given:
                continue
            weight, rows = given[edge]
            target = result[..., place * width : (place + 1) * width]
            value = take(states[edge], rows)
            if 0 in given:
                target.add_(value, alpha=weight)
            else:
                torch.mul(value, weight, out=target)
        return result, live.to(x.device)


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


def _join(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def take(x: Tensor, rows: tuple[int, ...]) -> Tensor:
    """Rows of a stack; without a copy where they follow each other."""
    first = rows[0]
    if rows == tuple(range(first, first + len(rows))):
        return x[first : first + len(rows)]
    if len(set(rows)) == 1:
        return x[first : first + 1].expand(len(rows), *x.shape[1:])
    return x.index_select(0, torch.tensor(rows, device=x.device))


def _topology(paths: Paths) -> tuple[object, ...]:
    return tuple((block, parents) for block, parents, _ in paths.blocks)
