"""The weight-sharing network of NAS-Bench-1Shot1, for any of its three spaces."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from raynas.supernet.cell import SupernetCell
from raynas.supernet.operations import ConvNorm, Norm, initial_weight
from raynas.supernet.weights import ArchitectureWeights, has_choice
from search_spaces.errors import UserError, unknown_name
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space

#: Weight of the newest batch in the running statistics. The released network hands TensorFlow's
#: 0.997 to PyTorch, where it means the opposite: the statistics are those of the last batch.
BATCH_NORM_MOMENTUM = {"corrected": 0.003, "published": 0.997}

#: Padding of the pooling between stacks: 32 -> 16 -> 8 pixels, as in NAS-Bench-101, or, as in
#: the released network, 32 -> 17 -> 9.
REDUCTION_PADDING = {"corrected": 0, "published": 1}

#: Statistics with which a sub-network is evaluated if nothing else is asked for.
EVALUATION_STATISTICS = {"corrected": "batch", "published": "running"}

FLAVOURS = tuple(sorted(BATCH_NORM_MOMENTUM))

#: Momentum of the last normalisation, PyTorch's default in both flavours.
HEAD_MOMENTUM = 0.1


@dataclass(frozen=True)
class SupernetSettings:
    """Size and flavour of a supernet; the defaults are those of Zela et al. 2020.

    Attributes:
        channels: width of the first stack; it doubles from stack to stack.
        cells: number of cells; pooling and doubling come after one and two thirds of them.
        classes: number of classes.
        flavour: "corrected", or "published" for batch normalisation and pooling as released.
        partial_channels: p; only 1/p of the channels goes through the operations (Xu et al.,
            "PC-DARTS", ICLR 2020, use 4).
        image_channels: channels of the images.
    """

    channels: int = 16
    cells: int = 9
    classes: int = 10
    flavour: str = "corrected"
    partial_channels: int = 1
    image_channels: int = 3

    def __post_init__(self) -> None:
        if self.flavour not in FLAVOURS:
            raise unknown_name("flavour", self.flavour, list(FLAVOURS))
        for name in ("channels", "cells", "classes", "partial_channels", "image_channels"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}, needs at least 1", exit_code=2)
        if self.channels % self.partial_channels:
            raise UserError(
                f"{self.channels} channels cannot be divided by {self.partial_channels} (partial "
                "channels); use a multiple",
                exit_code=2,
            )

    @property
    def reductions(self) -> tuple[int, ...]:
        """Cells before which the image is halved and the width doubled."""
        return tuple(sorted({self.cells // 3, 2 * self.cells // 3} - {0}))


class Head(nn.Module):
    """What follows the last cell: ReLU, 1x1 convolution, normalisation, mean, classifier.

    Args:
        inputs: channels of the last cell's output.
        width: output channels of the convolution.
        classes: number of classes.
        generator: source of the initial weights.
    """

    def __init__(self, inputs: int, width: int, classes: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = initial_weight((width, inputs, 1, 1), generator)
        self.norm = Norm(width, HEAD_MOMENTUM, affine=False)
        self.classifier = initial_linear(width, classes, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Logits in the precision of the parameters, (n, inputs, h, w) -> (n, classes)."""
        x = self.norm(functional.conv2d(functional.relu(x), self.weight.to(x.dtype)))
        logits: Tensor = self.classifier(x.mean((2, 3), dtype=self.classifier.weight.dtype))
        return logits


class Supernet(nn.Module):
    """All architectures of a space with one set of weights.

    With 16 channels and 9 cells it has 1,101,402 trainable weights for 4 blocks and 1,509,594
    for 5; with a quarter of the channels in the operations 492,570 and 748,554.

    Args:
        space: space 1, 2 or 3.
        settings: size and flavour.
        generator: a CPU generator, source of the initial weights.
    """

    def __init__(
        self, space: NASBench1Shot1Space, settings: SupernetSettings, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.space, self.settings = space, settings
        self.num_blocks = space.num_blocks
        momentum = BATCH_NORM_MOMENTUM[settings.flavour]
        channels = width = settings.channels
        self.stem = ConvNorm(settings.image_channels, channels, 3, momentum, generator)
        choices = [has_choice(space, block) for block in range(space.num_blocks)]
        self.cells = nn.ModuleList()
        for index in range(settings.cells):
            width *= 2 if index in settings.reductions else 1
            partial = settings.partial_channels
            cell = SupernetCell(channels, width, choices, partial, momentum, generator)
            self.cells.append(cell)
            channels = space.num_blocks * width
        self.head = Head(channels, width, settings.classes, generator)

    def forward(self, images: Tensor, weights: ArchitectureWeights) -> Tensor:
        """Logits of shape (n, classes) in float32.

        The precision of the images is that of all activations; parameters stay in theirs.

        Args:
            images: (n, image channels, h, w), on the device of the network and of the weights.
            weights: the architecture or the mixture of architectures to compute.
        """
        x = self.stem(images.contiguous(memory_format=torch.channels_last))
        padding = REDUCTION_PADDING[self.settings.flavour]
        for index, cell in enumerate(self.cells):
            if index in self.settings.reductions:
                x = functional.max_pool2d(x, 2, stride=2, padding=padding)
            x = cell(x, weights.cell(index))
        logits: Tensor = self.head(x)
        return logits


def initial_linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """A linear layer with PyTorch's default initial values, from a generator."""
    layer = nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-(inputs**-0.5), inputs**-0.5, generator=generator)
    return layer
