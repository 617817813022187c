"""Small supernets and architectures for tests."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from raynas.supernet import Alphas, ArchitectureWeights, Supernet, SupernetSettings
from raynas.supernet.operations import Norm
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space

SMALL = SupernetSettings(channels=8, cells=3)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small_supernet(
    space: NASBench1Shot1Space, settings: SupernetSettings = SMALL, seed: int = 0
) -> Supernet:
    """A supernet whose scales, shifts and running statistics are not the initial ones."""
    source = generator(seed)
    supernet = Supernet(space, settings, source)
    with torch.no_grad():
        for norm in (module for module in supernet.modules() if isinstance(module, Norm)):
            norm.running_mean.normal_(0, 0.1, generator=source)
            norm.running_var.uniform_(0.5, 1.5, generator=source)
            if norm.weight is not None and norm.bias is not None:
                norm.weight.uniform_(0.5, 1.5, generator=source)
                norm.bias.normal_(0, 0.1, generator=source)
    return supernet


def images(count: int = 8, size: int = 8, seed: int = 1) -> Tensor:
    return torch.randn(count, 3, size, size, generator=generator(seed))


def labels(count: int = 8, seed: int = 2) -> Tensor:
    return torch.randint(10, (count,), generator=generator(seed))


def spread_alphas(space: NASBench1Shot1Space, seed: int = 3) -> Alphas:
    """Architecture parameters as far apart as after a search."""
    alphas = Alphas(space, generator(seed))
    with torch.no_grad():
        for tensor in alphas.tensors():
            tensor.mul_(1000)
    return alphas


def vectors(space: NASBench1Shot1Space, count: int, seed: int = 4) -> np.ndarray:
    """Different unique cells of the space."""
    return space.sample_unique(np.random.default_rng(seed), count)


def per_cell(weights: list[ArchitectureWeights]) -> ArchitectureWeights:
    """Other weights in every cell."""
    operation, output, *inputs = (
        torch.stack(tensors) for tensors in zip(*(w.tensors for w in weights), strict=True)
    )
    active = [w.active[0] for w in weights if w.active is not None]
    return ArchitectureWeights(operation, tuple(inputs), output, tuple(active) or None)
