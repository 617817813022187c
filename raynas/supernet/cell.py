from __future__ import annotations
import torch
from torch import Tensor, nn
import torch.nn.functional as F
from raynas.supernet.operations import ConvNorm


class Block(nn.Module):
    def __init__(self, c, momentum, g):
        super().__init__()
        self.conv3x3 = ConvNorm(c, c, 3, momentum, g)
        self.conv1x1 = ConvNorm(c, c, 1, momentum, g)

    def forward(self, x, row):
        return row[0] * F.max_pool2d(x, 3, 1, 1) + row[1] * self.conv3x3(x) + row[2] * self.conv1x1(x)


class SupernetCell(nn.Module):
    def __init__(self, cin, width, choice, momentum, g):
        super().__init__()
        k = len(choice)
        self.choice = choice
        self.width = width
        self.projection = ConvNorm(cin, 2 * k * width, 1, momentum, g)
        self.blocks = nn.ModuleList(Block(width, momentum, g) for _ in range(k))

    def forward(self, x, w):
        k, c = len(self.blocks), self.width
        t = self.projection(x)
        rows = iter(w.inputs)
        states = []
        for i, b in enumerate(self.blocks):
            ps = [t[:, i * c : (i + 1) * c], *states]
            if self.choice[i]:
                r = next(rows)
                ps = [r[j] * p for j, p in enumerate(ps)]
            states.append(b(sum(ps[1:], ps[0]), w.operation[i]))
        return w.output[0] * t[:, k * c :] + torch.cat(
            [w.output[j + 1] * s for j, s in enumerate(states)], 1
        )
