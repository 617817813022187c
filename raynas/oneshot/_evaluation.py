"""How good architectures are with the shared weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from raynas.images import Batch, SearchImages
from raynas.oneshot._settings import SearchSettings, cast
from raynas.supernet.network import Supernet
from raynas.supernet.operations import Norm, StatisticsMode
from raynas.supernet.weights import ArchitectureWeights, one_hot
from search_spaces.space import Vectors


class Evaluator:
    """Measures a supernet on the validation half; leaves it as it is.

    Args:
        network: the supernet.
        images: both halves; the training half serves for calibration.
        settings: statistics, batch size and precision are read.
    """

    def __init__(self, network: Supernet, images: SearchImages, settings: SearchSettings) -> None:
        self.network = network
        self.images = images
        self.settings = settings
        self.device = images.validation.pixels.device

    def validation_batches(self, count: int | None = None) -> list[Batch]:
        """The first so many batches of the validation half; None: all of it."""
        return list(islice(self.images.validation.in_order(self.settings.batch_size), count))

    def accuracies(self, vectors: Vectors, batches: Iterable[Batch]) -> npt.NDArray[np.float64]:
        """Share of right answers of discrete architectures, shape (n, d) -> (n,)."""
        batches = list(batches)
        shares = [
            self.accuracy(
                one_hot(self.network.space, vector, skip=True, device=self.device), batches
            )
            for vector in vectors
        ]
        found: npt.NDArray[np.float64] = torch.stack(shares).cpu().numpy()
        return found

    @torch.no_grad()
    def accuracy(self, weights: ArchitectureWeights, batches: Iterable[Batch]) -> Tensor:
        """Share of right answers with any weights, a scalar on the device."""
        right = torch.zeros((), dtype=torch.int64, device=self.device)
        count = 0
        with self._statistics(weights):
            for batch in batches:
                right += (self._logits(batch, weights).argmax(1) == batch.labels).sum()
                count += len(batch.labels)
        return right.double() / count

    def _logits(self, batch: Batch, weights: ArchitectureWeights) -> Tensor:
        logits: Tensor = self.network(cast(batch.images, self.settings.precision), weights)
        return logits

    @contextmanager
    def _statistics(self, weights: ArchitectureWeights) -> Iterator[None]:
        """Normalise as the settings say, for a while."""
        mode = self.settings.statistics
        if mode != "recalibrated":
            with _normalising(self.network, mode):
                yield
            return
        calibration = islice(
            self.images.train.in_order(self.settings.batch_size), self.settings.calibration_batches
        )
        with _kept_statistics(self.network) as norms:
            for number, batch in enumerate(calibration, start=1):
                for norm in norms:
                    norm.momentum = 1 / number  # the mean of all batches so far
                self._logits(batch, weights)
            with _normalising(self.network, "running"):
                yield


def _norms(network: torch.nn.Module) -> list[Norm]:
    return [module for module in network.modules() if isinstance(module, Norm)]


@contextmanager
def _normalising(network: torch.nn.Module, mode: StatisticsMode) -> Iterator[None]:
    norms = _norms(network)
    before = [norm.mode for norm in norms]
    for norm in norms:
        norm.mode = mode
    try:
        yield
    finally:
        for norm, kept in zip(norms, before, strict=True):
            norm.mode = kept


@contextmanager
def _kept_statistics(network: torch.nn.Module) -> Iterator[list[Norm]]:
    """Afterwards running statistics and momentum are what they were."""
    norms = _norms(network)
    before = [(n.momentum, n.running_mean.clone(), n.running_var.clone()) for n in norms]
    try:
        yield norms
    finally:
        for norm, (momentum, mean, variance) in zip(norms, before, strict=True):
            norm.momentum = momentum
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
