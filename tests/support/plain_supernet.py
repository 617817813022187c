"""A plain eager supernet, the measure of equality and of speed for `raynas.supernet`.

It computes the network of NAS-Bench-1Shot1 the way one would write it down: one convolution per
edge from the cell's input, one module per operation, every weight multiplied where it stands, the
default memory format. Like the released program it executes no operation whose weight is known to
be zero, but all edges. It shares no code with the package, only the parameters' values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from raynas.images import Batch
from raynas.oneshot import GradientMethod, OneShotMethod
from raynas.oneshot.darts2 import Darts2
from raynas.supernet.network import Supernet
from raynas.supernet.weights import ArchitectureWeights


class PlainSupernet(nn.Module):
    """The network of a `Supernet`, with a copy of its parameters and statistics."""

    def __init__(self, original: Supernet) -> None:
        super().__init__()
        settings = original.settings
        self.partial = settings.partial_channels
        published = settings.flavour == "published"
        self.momentum = 0.997 if published else 0.003
        self.pool = nn.MaxPool2d(2, stride=2, padding=1 if published else 0)
        self.stem = self._conv_norm(original.stem.weight, original.stem.norm)
        self.cells = nn.ModuleList()
        for cell in original.cells:
            self.cells.append(_PlainCell(self, cell, original.num_blocks))
        self.reductions = settings.reductions
        head = original.head
        width, channels = head.weight.shape[:2]
        self.post = nn.Conv2d(channels, width, 1, bias=False)
        self.post.weight = nn.Parameter(head.weight.detach().clone().contiguous())
        self.post_norm = nn.BatchNorm2d(width, affine=False)
        self.post_norm.load_state_dict(head.norm.state_dict(), strict=False)
        self.classifier = nn.Linear(width, head.classifier.out_features)
        self.classifier.load_state_dict(head.classifier.state_dict())
        self.space, self.settings = original.space, settings

    def _conv_norm(self, weight: Tensor, norm: Any, part: slice = slice(None)) -> nn.Sequential:
        weight = weight.detach()[part].clone(memory_format=torch.contiguous_format)
        out, into, size = weight.shape[:3]
        conv = nn.Conv2d(into, out, size, padding=size // 2, bias=False)
        conv.weight = nn.Parameter(weight)
        batch_norm = nn.BatchNorm2d(out, momentum=self.momentum)
        batch_norm.weight = nn.Parameter(norm.weight.detach()[part].clone())
        batch_norm.bias = nn.Parameter(norm.bias.detach()[part].clone())
        batch_norm.running_mean = norm.running_mean[part].clone()
        batch_norm.running_var = norm.running_var[part].clone()
        return nn.Sequential(conv, batch_norm, nn.ReLU())

    def forward(self, images: Tensor, weights: ArchitectureWeights) -> Tensor:
        x = self.stem(images)
        for index, cell in enumerate(self.cells):
            if index in self.reductions:
                x = self.pool(x)
            per_cell = weights.operation.dim() == 3
            operation = weights.operation[index] if per_cell else weights.operation
            inputs = [row[index] if per_cell else row for row in weights.inputs]
            output = weights.output[index] if per_cell else weights.output
            x = cell(x, operation, self._all_inputs(inputs), output, _columns(weights, index))
        x = self.post_norm(self.post(torch.relu(x)))
        logits: Tensor = self.classifier(x.mean((2, 3)))
        return logits

    def _all_inputs(self, inputs: Sequence[Tensor]) -> list[Tensor | None]:
        rows = iter(inputs)
        chosen = [len(sets) > 1 for sets in self.space.parent_sets[:-1]]
        return [next(rows) if choice else None for choice in chosen]


class _PlainCell(nn.Module):
    def __init__(self, network: PlainSupernet, cell: Any, blocks: int) -> None:
        super().__init__()
        width = cell.width
        weight, norm = cell.projection.weight, cell.projection.norm
        self.projections = nn.ModuleList(
            network._conv_norm(weight, norm, slice(i * width, (i + 1) * width))
            for i in range(blocks)
        )
        self.output_projection = network._conv_norm(weight, norm, slice(blocks * width, None))
        self.blocks = nn.ModuleList(
            nn.ModuleList(
                [
                    nn.MaxPool2d(3, stride=1, padding=1),
                    network._conv_norm(block.conv3x3.weight, block.conv3x3.norm),
                    network._conv_norm(block.conv1x1.weight, block.conv1x1.norm),
                ]
            )
            for block in cell.blocks
        )
        self.partial = network.partial

    def forward(
        self,
        x: Tensor,
        operation: Tensor,
        inputs: Sequence[Tensor | None],
        output: Tensor,
        columns: Sequence[Sequence[int]],
    ) -> Tensor:
        states: list[Tensor] = []
        for i, operations in enumerate(self.blocks):
            parents = [self.projections[i](x), *states]
            row = inputs[i]
            if row is not None:
                parents = [row[j] * parent for j, parent in enumerate(parents)]
            total = sum(parents[1:], parents[0])
            chosen = {o: operations[o] for o in columns[i]}
            states.append(self._mixed(chosen, total, operation[i]))
        scaled = [output[j + 1] * state for j, state in enumerate(states)]
        return output[0] * self.output_projection(x) + torch.cat(scaled, 1)

    def _mixed(self, operations: Any, x: Tensor, row: Tensor) -> Tensor:
        if self.partial == 1:
            return sum((row[o] * op(x) for o, op in operations.items()), x.new_zeros(()))
        part = x.shape[1] // self.partial
        head, rest = x[:, :part], x[:, part:]
        mixed = sum((row[o] * op(head) for o, op in operations.items()), x.new_zeros(()))
        n, channels, height, width = x.shape
        joined = torch.cat([mixed, rest], 1)
        grouped = joined.view(n, self.partial, channels // self.partial, height, width)
        return grouped.transpose(1, 2).reshape(n, channels, height, width)


def _columns(weights: ArchitectureWeights, cell: int) -> Sequence[Sequence[int]]:
    """The operations of each block that are executed."""
    if weights.active is None:
        return [range(weights.operation.shape[-1])] * weights.operation.shape[-2]
    return weights.active[cell if len(weights.active) > 1 else 0].operation


def plain_method(kind: type[OneShotMethod]) -> type[OneShotMethod]:
    """The same method without what spares a backward pass: gradients come from `backward()`."""
    if not issubclass(kind, GradientMethod) or issubclass(kind, Darts2):
        return kind  # second order asks autograd for single gradients in the released code, too

    class Plain(kind):  # type: ignore[misc, valid-type]
        def alpha_gradient(self, batch: Batch) -> list[Tensor]:
            self.network.zero_grad()
            self.alpha_optimizer.zero_grad()
            self.loss(batch).backward()
            return [tensor.grad for tensor in self.alphas.tensors()]

    return Plain
