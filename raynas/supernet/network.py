from __future__ import annotations
import torch
from dataclasses import dataclass
from torch import Tensor, nn
import torch.nn.functional as F
from raynas.supernet.operations import ConvNorm, Norm, initial_weight
from raynas.supernet.cell import SupernetCell
from raynas.supernet.weights import has_choice


@dataclass(frozen=True)
class SupernetSettings:
    channels: int = 16
    cells: int = 9
    classes: int = 10
    flavour: str = "corrected"
    partial_channels: int = 1
    image_channels: int = 3


class Head(nn.Module):
    def __init__(self, cin, width, classes, g):
        super().__init__()
        self.weight = initial_weight((width, cin, 1, 1), g)
        self.norm = Norm(width, 0.1, affine=False)
        self.classifier = nn.Linear(width, classes)

    def forward(self, x):
        x = self.norm(F.conv2d(F.relu(x), self.weight.to(x.dtype)))
        return self.classifier(x.to(self.classifier.weight.dtype).mean((2, 3)))


class Supernet(nn.Module):
    def __init__(self, space, settings, generator):
        super().__init__()
        g = generator
        self.space, self.settings = space, settings
        self.num_blocks = k = space.num_blocks
        m = 0.997 if settings.flavour == "published" else 0.003
        self.stem = ConvNorm(3, settings.channels, 3, m, g)
        n = settings.cells
        self.reductions = {n // 3, 2 * n // 3} - {0}
        choice = [has_choice(space, b) for b in range(k)]
        c, w = settings.channels, settings.channels
        self.cells = nn.ModuleList()
        for i in range(n):
            if i in self.reductions:
                w *= 2
            self.cells.append(SupernetCell(c, w, choice, settings.partial_channels, m, g))
            c = k * w
        self.head = Head(c, w, settings.classes, g)

    def forward(self, images, weights):
        x = images.contiguous(memory_format=torch.channels_last)
        x = self.stem(x)
        for i, cell in enumerate(self.cells):
            if i in self.reductions:
                x = F.max_pool2d(x, 2, 2)
            x = cell(x, weights.cell(i))
        return self.head(x)
