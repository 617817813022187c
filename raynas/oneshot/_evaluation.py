"""How good architectures are with the shared weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from raynas.images import Batch, InOrder, SearchImages
from raynas.oneshot._settings import SearchSettings, cast
from raynas.supernet.network import EVALUATION_STATISTICS, Supernet
from raynas.supernet.statistics import evaluation
from raynas.supernet.weights import ArchitectureWeights, one_hot
from search_spaces.space import Vectors

#: Something that can be iterated again and again.
Batches = InOrder | Sequence[Batch]


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
        self.statistics = settings.statistics or EVALUATION_STATISTICS[settings.flavour]

    def validation_batches(self, count: int | None = None) -> InOrder:
        """The first so many batches of the validation half; None: all of it."""
        return self.images.validation.in_order(self.settings.batch_size, count)

    def accuracies(self, vectors: Vectors, batches: Batches) -> npt.NDArray[np.float64]:
        """Share of right answers of discrete architectures, shape (n, d) -> (n,)."""
        space = self.network.space
        shares = [
            self.accuracy(one_hot(space, vector, skip=True, device=self.device), batches)
            for vector in vectors
        ]
        found: npt.NDArray[np.float64] = torch.stack(shares).cpu().numpy()
        return found

    @torch.no_grad()
    def accuracy(self, weights: ArchitectureWeights, batches: Batches) -> Tensor:
        """Share of right answers with any weights, a scalar on the device."""
        right = torch.zeros((), dtype=torch.int64, device=self.device)
        count = 0
        with evaluation(self.network, self.statistics, weights, self._calibration()):
            for batch in batches:
                logits = self.network(cast(batch.images, self.settings.precision), weights)
                right += (logits.argmax(1) == batch.labels).sum()
                count += len(batch.labels)
        return right.double() / count

    def _calibration(self) -> Iterator[Tensor]:
        """Images for statistics that belong to the evaluated weights."""
        settings = self.settings
        batches = self.images.train.in_order(settings.batch_size, settings.calibration_batches)
        return (cast(batch.images, settings.precision) for batch in batches)
