"""Validation accuracies of many discrete architectures with the weights of one search."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from raynas.images import Batch, ResidentImages
from raynas.oneshot._settings import cast
from raynas.oneshot.search import Search
from raynas.supernet.rules import rule_weights
from raynas.supernet.shared import SharedEvaluator
from raynas.supernet.statistics import evaluation
from raynas.supernet.weights import ArchitectureWeights
from search_spaces.space import Vectors


class Scorer:
    """Scores architectures on the validation half of a search's images.

    Args:
        search: whose weights, images and settings to use; it is left as it is.
        limit: score on this many images of the validation half, drawn at random; None: all.
        seed: of that draw.
    """

    def __init__(self, search: Search, limit: int | None = None, seed: int = 0) -> None:
        self.search = search
        self.softmaxed = search.method.alphas is not None
        half = _subset(search.images.validation, limit, seed)
        size = search.settings.batch_size
        self._batches = [self._cast(batch) for batch in half.in_order(size)]
        self._count = len(half)

    def accuracies(
        self, vectors: Vectors, rule: str, statistics: str, *, shared: bool = True
    ) -> npt.NDArray[np.float64]:
        """Shares of right answers, (n, d) -> (n,).

        Args:
            vectors: architectures of the search's space.
            rule: one of `raynas.supernet.rules.RULES`.
            statistics: one of `raynas.supernet.STATISTICS`.
            shared: compute what architectures have in common once; else one after another.
        """
        weights = [
            rule_weights(self.search.space, v, rule, softmaxed=self.softmaxed) for v in vectors
        ]
        right = (self._shared if shared else self._one_by_one)(weights, statistics)
        found: npt.NDArray[np.float64] = right.double().cpu().numpy() / self._count
        return found

    def _shared(self, weights: list[ArchitectureWeights], statistics: str) -> Tensor:
        evaluator = SharedEvaluator(self.search.method.network)
        images = [batch.images for batch in self._batches]
        right = torch.zeros(len(weights), dtype=torch.int64)
        for group, members in evaluator.groups(weights, images[0]):
            answers = evaluator.logits(group, statistics, images, self._calibration)
            totals = sum(
                (logits.argmax(2) == batch.labels).sum(1)
                for logits, batch in zip(answers, self._batches, strict=True)
            )
            assert isinstance(totals, Tensor)
            for total, positions in zip(totals.tolist(), members, strict=True):
                right[positions] = total
        return right

    @torch.no_grad()
    def _one_by_one(self, weights: list[ArchitectureWeights], statistics: str) -> Tensor:
        network = self.search.method.network
        right = []
        for each in weights:
            each = each.to(self.search.method.device)
            with evaluation(network, statistics, each, self._calibration()):
                answers = [network(batch.images, each).argmax(1) for batch in self._batches]
            pairs = zip(answers, self._batches, strict=True)
            right.append(torch.stack([(a == b.labels).sum() for a, b in pairs]).sum())
        return torch.stack(right)

    def _calibration(self) -> list[Tensor]:
        settings = self.search.settings
        train = self.search.images.train
        batches = train.in_order(settings.batch_size, settings.calibration_batches)
        return [cast(batch.images, settings.precision) for batch in batches]

    def _cast(self, batch: Batch) -> Batch:
        return Batch(cast(batch.images, self.search.settings.precision), batch.labels)


def _subset(images: ResidentImages, limit: int | None, seed: int) -> ResidentImages:
    if limit is None or limit >= len(images):
        return images
    drawn = np.random.default_rng(seed).permutation(len(images))[:limit]
    index = torch.from_numpy(np.sort(drawn)).to(images.pixels.device)
    return ResidentImages(images.pixels[index], images.labels[index], images.mean, images.deviation)
