"""Explicit architecture weights: what continuous, sampled and discrete architectures share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from raynas.supernet.operations import COLUMN_OF, PRIMITIVES
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.space import Vectors


@dataclass(frozen=True)
class ActivePaths:
    """The entries of one cell's weights that are not zero, as the host knows them.

    Attributes:
        operation: for each block the columns of its operations.
        inputs: for each block with a choice of parents, its parents.
        output: the edges into the output; 0 is the cell's input, j is block j.
    """

    operation: tuple[tuple[int, ...], ...]
    inputs: tuple[tuple[int, ...], ...]
    output: tuple[int, ...]


@dataclass(frozen=True)
class ArchitectureWeights:
    """The weights of one forward pass, equal in all cells or given for each.

    Attributes:
        operation: weights of the operations in the order of `PRIMITIVES`, shape (k, 3) or
            (cells, k, 3).
        inputs: for each block with a choice of parents, in block order, the weights of its
            parents, shape (parents,) or (cells, parents). Blocks without a choice are absent:
            their inputs are summed as they are.
        output: weights of the edges into the output, shape (k + 1,) or (cells, k + 1); index 0
            is the edge from the cell's input, index j the edge from block j.
        active: which entries are not zero: one for all cells, or one per cell. What is not
            active is not computed. None: everything is computed, whatever its weight.
    """

    operation: Tensor
    inputs: tuple[Tensor, ...]
    output: Tensor
    active: tuple[ActivePaths, ...] | None = None

    @property
    def tensors(self) -> list[Tensor]:
        """Operation, output, inputs: the order in which alphas are stored."""
        return [self.operation, self.output, *self.inputs]

    def cell(self, index: int) -> ArchitectureWeights:
        """The weights of one cell, without the dimension of the cells."""
        active = self.active
        return ArchitectureWeights(
            self.operation[index] if self.operation.dim() == 3 else self.operation,
            tuple(row[index] if row.dim() == 2 else row for row in self.inputs),
            self.output[index] if self.output.dim() == 2 else self.output,
            None if active is None else (active[index if len(active) > 1 else 0],),
        )

    def detach(self) -> ArchitectureWeights:
        """The same values without gradient."""
        return self._mapped([t.detach() for t in self.tensors])

    def to(self, device: torch.device | str) -> ArchitectureWeights:
        """The same weights on a device."""
        return self._mapped([on_device(t, device) for t in self.tensors])

    def _mapped(self, tensors: Sequence[Tensor]) -> ArchitectureWeights:
        operation, output, *inputs = tensors
        return replace(self, operation=operation, output=output, inputs=tuple(inputs))

    def skipping_zeros(self) -> ArchitectureWeights:
        """The same weights, but what has weight zero will not be computed.

        It reads the weights, so on a GPU it waits for the device. An operation that is skipped
        does not move its running statistics, and its parameters get no gradient.
        """
        flat = torch.cat([t.detach().reshape(-1) for t in self.tensors]).cpu().numpy()
        parts = np.split(flat, np.cumsum([t.numel() for t in self.tensors])[:-1])
        operation, output, *inputs = (
            part.reshape(tensor.shape) for part, tensor in zip(parts, self.tensors, strict=True)
        )
        cells = max([len(operation)] if operation.ndim == 3 else [1])
        cells = max([cells, *(len(row) for row in [output, *inputs] if row.ndim == 2)])
        active = []
        for index in range(cells):
            ops = operation[index] if operation.ndim == 3 else operation
            rows = [row[index] if row.ndim == 2 else row for row in [output, *inputs]]
            active.append(
                ActivePaths(
                    tuple(_nonzero(row) for row in ops),
                    tuple(_nonzero(row) for row in rows[1:]),
                    _nonzero(rows[0]),
                )
            )
        return replace(self, active=tuple(active))


def on_device(tensor: Tensor, device: torch.device | str) -> Tensor:
    """A tensor of the host on a device, without waiting for what the device is doing.

    Only this direction is safe: CUDA copies ordinary memory of the host before it returns.
    """
    return tensor.to(device, non_blocking=tensor.device.type == "cpu")


def _nonzero(row: np.ndarray) -> tuple[int, ...]:
    return tuple(np.flatnonzero(row).tolist())


def one_hot(
    space: NASBench1Shot1Space,
    vector: Sequence[int] | Vectors,
    *,
    skip: bool = False,
    device: torch.device | str | None = None,
) -> ArchitectureWeights:
    """Weights 0 and 1 of a discrete architecture.

    Operations, parents and edges into the output are as in the vector, for every block and every
    cell; nothing is normalised afterwards.

    Args:
        space: space 1, 2 or 3.
        vector: an architecture of the space, shape (d,).
        skip: do not compute what is not selected; see `ArchitectureWeights.active`.
        device: where to put the weights.
    """
    paths = active_paths(space, vector)
    blocks = space.num_blocks
    operation = torch.zeros(blocks, len(PRIMITIVES))
    for block, columns in enumerate(paths.operation):
        operation[block, list(columns)] = 1
    widths = [block + 1 for block in range(blocks) if has_choice(space, block)]
    inputs = tuple(
        torch.zeros(width).index_fill_(0, torch.tensor(parents), 1)
        for width, parents in zip(widths, paths.inputs, strict=True)
    )
    output = torch.zeros(blocks + 1).index_fill_(0, torch.tensor(paths.output), 1)
    weights = ArchitectureWeights(operation, inputs, output, (paths,) if skip else None)
    return weights if device is None else weights.to(device)


def active_paths(space: NASBench1Shot1Space, vector: Sequence[int] | Vectors) -> ActivePaths:
    """The operations and edges that an architecture selects."""
    checked = space.vectors(space.numbers(np.asarray(vector)[None]))[0]
    blocks = space.num_blocks
    sets = [
        options[choice] for options, choice in zip(space.parent_sets, checked[blocks:], strict=True)
    ]
    return ActivePaths(
        tuple((int(COLUMN_OF[option]),) for option in checked[:blocks]),
        tuple(sets[block] for block in range(blocks) if has_choice(space, block)),
        sets[-1],
    )


def has_choice(space: NASBench1Shot1Space, block: int) -> bool:
    """Whether the block (0 is the first) can choose among several sets of parents."""
    return len(space.parent_sets[block]) > 1
