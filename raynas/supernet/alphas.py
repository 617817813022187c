"""Architecture parameters of the gradient-based methods."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from raynas.supernet.operations import OPTION_OF, PRIMITIVES
from raynas.supernet.weights import ArchitectureWeights, has_choice
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.space import Vectors

#: Standard deviation of the initial values (Liu et al. 2019, as in Zela et al. 2020).
INITIAL_SCALE = 1e-3


class Alphas:
    """Architecture parameters, shared by all cells: leaf tensors, not part of the network.

    24, 26 and 35 numbers in spaces 1, 2 and 3 (Zela et al. 2020).

    Args:
        space: space 1, 2 or 3.
        generator: a CPU generator, source of the initial values.
        device: where the parameters live.

    Attributes:
        operation: one row per block, columns in the order of `PRIMITIVES`, shape (k, 3).
        output: edges into the output, shape (1, k + 1); column 0 is the cell's input.
        inputs: for each block with a choice of parents, shape (1, parents).
    """

    def __init__(
        self,
        space: NASBench1Shot1Space,
        generator: torch.Generator,
        device: torch.device | str = "cpu",
    ) -> None:
        blocks = space.num_blocks
        shapes = [(blocks, len(PRIMITIVES)), (1, blocks + 1)]
        shapes += [(1, block + 1) for block in range(blocks) if has_choice(space, block)]
        tensors = [INITIAL_SCALE * torch.randn(shape, generator=generator) for shape in shapes]
        leaves = [tensor.to(device).requires_grad_() for tensor in tensors]
        self.operation, self.output = leaves[:2]
        self.inputs = tuple(leaves[2:])

    def tensors(self) -> list[Tensor]:
        """Operation, output, inputs."""
        return [self.operation, self.output, *self.inputs]

    def numel(self) -> int:
        """Number of architecture parameters."""
        return sum(tensor.numel() for tensor in self.tensors())

    def softmax(self) -> ArchitectureWeights:
        """The continuous relaxation: a softmax over each row, differentiable."""
        return ArchitectureWeights(
            self.operation.softmax(-1),
            tuple(row.softmax(-1)[0] for row in self.inputs),
            self.output.softmax(-1)[0],
        )

    def discretise(self, space: NASBench1Shot1Space) -> Vectors:
        """The architecture that the parameters favour, shape (d,).

        Each block takes the operation with the largest weight, each block and the output the
        required number of parents with the largest weights; the edge from the cell's input
        competes with those from the blocks. Among equals the lowest index wins.
        """
        operation, output, *inputs = (t.detach().cpu().numpy() for t in self.tensors())
        rows = iter(inputs)
        parents = [
            next(rows)[0] if has_choice(space, block) else np.zeros(block + 1)
            for block in range(space.num_blocks)
        ]
        chosen = [
            sets.index(_largest(row, len(sets[0])))
            for sets, row in zip(space.parent_sets, [*parents, output[0]], strict=True)
        ]
        return np.array([*OPTION_OF[operation.argmax(1)], *chosen], np.uint8)

    def state_dict(self) -> dict[str, Tensor]:
        """Copies of all parameters by name."""
        return {name: tensor.detach().clone() for name, tensor in self._named().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take the values of another `state_dict`.

        Raises:
            ValueError: if names or shapes differ.
        """
        own = {name: tuple(tensor.shape) for name, tensor in self._named().items()}
        given = {name: tuple(tensor.shape) for name, tensor in state.items()}
        if own != given:
            raise ValueError(f"these are not the parameters of this space: {given}, need {own}")
        with torch.no_grad():
            for name, tensor in self._named().items():
                tensor.copy_(state[name])

    def _named(self) -> dict[str, Tensor]:
        inputs = {f"inputs.{index}": row for index, row in enumerate(self.inputs)}
        return {"operation": self.operation, "output": self.output, **inputs}


def _largest(row: np.ndarray, count: int) -> tuple[int, ...]:
    return tuple(sorted(np.argsort(-row, kind="stable")[:count].tolist()))
