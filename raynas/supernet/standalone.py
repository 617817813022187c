"""The network of NAS-Bench-101, in which a found cell is trained from scratch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from raynas.supernet.network import initial_linear
from raynas.supernet.operations import ConvNorm
from search_spaces.cell import CONV1X1, CONV3X3, Cell, vertex_channels
from search_spaces.errors import UserError

#: TensorFlow's 0.997 in PyTorch's sense (Ying et al. 2019).
MOMENTUM = 0.003

_SIZES = {CONV3X3: 3, CONV1X1: 1}


class NASBench101Cell(nn.Module):
    """A cell whose channels are divided among the blocks that feed the output.

    Args:
        cell: a pruned cell.
        inputs: channels of its input.
        outputs: channels of its output.
        generator: source of the initial weights.
        momentum: see `Norm`.
    """

    def __init__(
        self,
        cell: Cell,
        inputs: int,
        outputs: int,
        generator: torch.Generator,
        momentum: float = MOMENTUM,
    ) -> None:
        super().__init__()
        self.channels = vertex_channels(cell.matrix, inputs, outputs)
        self.output = cell.num_vertices - 1
        self.parents = [[int(j) for j in column.nonzero()[0]] for column in cell.matrix.T]
        self.projections = nn.ModuleDict()
        self.operations = nn.ModuleDict()
        for v in range(1, cell.num_vertices):
            width = self.channels[v]
            if 0 in self.parents[v]:
                self.projections[str(v)] = ConvNorm(inputs, width, 1, momentum, generator)
            if cell.ops[v] in _SIZES:
                size = _SIZES[cell.ops[v]]
                self.operations[str(v)] = ConvNorm(width, width, size, momentum, generator)
            elif v != self.output:
                self.operations[str(v)] = nn.MaxPool2d(3, stride=1, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h, w)."""
        values: dict[int, Tensor] = {}
        for v in range(1, self.output):
            terms = [values[j][:, : self.channels[v]] for j in self.parents[v] if j]
            values[v] = self.operations[str(v)](self._with_projection(v, x, terms))
        feeding = [values[j] for j in self.parents[self.output] if j]
        return self._with_projection(self.output, x, [torch.cat(feeding, 1)] if feeding else [])

    def _with_projection(self, v: int, x: Tensor, terms: list[Tensor]) -> Tensor:
        if 0 in self.parents[v]:
            terms = [*terms, self.projections[str(v)](x)]
        return terms[0] if len(terms) == 1 else torch.stack(terms).sum(0)


class NASBench101Network(nn.Module):
    """Stem, three stacks of cells with pooling and doubled width between them, classifier.

    Ying et al., "NAS-Bench-101", ICML 2019, section 2. With the default size the number of
    parameters is `Cell.parameter_count`.

    Args:
        cell: the cell; loose ends are pruned.
        generator: a CPU generator, source of the initial weights.
        channels: width of the stem and of the first stack.
        stacks: number of stacks.
        cells: cells per stack.
        classes: number of classes.
        image_channels: channels of the images.
        momentum: weight of the newest batch in the running statistics.

    Raises:
        DisconnectedCellError: if no path leads from the cell's input to its output.
        UserError: if the channels are too few for every vertex of the cell to get one.
    """

    def __init__(
        self,
        cell: Cell,
        generator: torch.Generator,
        *,
        channels: int = 128,
        stacks: int = 3,
        cells: int = 3,
        classes: int = 10,
        image_channels: int = 3,
        momentum: float = MOMENTUM,
    ) -> None:
        super().__init__()
        pruned = cell.prune()
        _check_width(pruned, channels)
        self.stem = ConvNorm(image_channels, channels, 3, momentum, generator)
        self.stacks = nn.ModuleList()
        inputs = channels
        for stack in range(stacks):
            width = channels * 2**stack
            widths = [inputs, *[width] * (cells - 1)]
            self.stacks.append(
                nn.Sequential(
                    *(NASBench101Cell(pruned, w, width, generator, momentum) for w in widths)
                )
            )
            inputs = width
        self.classifier = initial_linear(inputs, classes, generator)

    def forward(self, images: Tensor) -> Tensor:
        """Logits in the precision of the parameters, (n, channels, h, w) -> (n, classes)."""
        x = self.stem(images.contiguous(memory_format=torch.channels_last))
        for index, stack in enumerate(self.stacks):
            x = stack(functional.max_pool2d(x, 2, ceil_mode=True) if index else x)
        logits: Tensor = self.classifier(x.mean((2, 3), dtype=self.classifier.weight.dtype))
        return logits


def _check_width(cell: Cell, channels: int) -> None:
    """The blocks that feed the output share its channels; later stacks are wider."""
    least = max(1, int(cell.matrix[1:-1, -1].sum()))
    if channels < least:
        raise UserError(
            f"channels = {channels}: too few for cell {cell.module_hash}, whose output is made of "
            f"{least} blocks with at least one channel each; give at least --channels {least}",
            exit_code=2,
        )
