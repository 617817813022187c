"""Which statistics batch normalisation uses when a sub-network is evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from raynas.supernet.operations import Norm
from raynas.supernet.weights import ArchitectureWeights
from search_spaces.errors import unknown_name

#: The choices: of each evaluated batch; the running ones of the training; the mean over batches
#: of training images that the sub-network itself has seen.
STATISTICS = ("batch", "recalibrated", "running")


@contextmanager
def evaluation(
    network: nn.Module,
    statistics: str,
    weights: ArchitectureWeights | None = None,
    batches: Iterable[Tensor] = (),
) -> Iterator[None]:
    """Put a supernet into evaluation; afterwards its mode and statistics are as before.

    Args:
        network: the supernet.
        statistics: one of `STATISTICS`. The running statistics belong to whatever was trained
            last, not to the sub-network that is evaluated; the other two do.
        weights: the architecture to recalibrate for.
        batches: images to recalibrate with, at least one batch.

    Raises:
        UserError: if there is no such choice.
        ValueError: if weights or batches are missing for a recalibration.
    """
    if statistics not in STATISTICS:
        raise unknown_name("batch statistics", statistics, list(STATISTICS))
    norms = [module for module in network.modules() if isinstance(module, Norm)]
    training = network.training
    saved = [(norm.running_mean.clone(), norm.running_var.clone()) for norm in norms]
    try:
        if statistics == "recalibrated":
            _recalibrate(network, norms, weights, batches)
        network.eval()
        for norm in norms:
            norm.evaluation = "batch" if statistics == "batch" else "running"
        yield
    finally:
        network.train(training)
        for norm, (mean, variance) in zip(norms, saved, strict=True):
            norm.evaluation = "running"
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)


@torch.no_grad()
def _recalibrate(
    network: nn.Module,
    norms: list[Norm],
    weights: ArchitectureWeights | None,
    batches: Iterable[Tensor],
) -> None:
    if weights is None:
        raise ValueError("recalibrated statistics need the architecture's weights")
    momenta = [norm.momentum for norm in norms]
    network.train()
    count = 0
    try:
        for images in batches:
            count += 1
            for norm in norms:
                norm.momentum = 1 / count  # the mean over all batches so far
            network(images, weights)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
    if count == 0:
        raise ValueError("recalibrated statistics need at least one batch of images")
