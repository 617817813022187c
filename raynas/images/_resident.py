"""Images that stay on the device, and the batches made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from raynas.images._augmentation import Augmentation
from raynas.images._source import Images, ImageSource


@dataclass(frozen=True)
class Batch:
    """Normalised images (n, channels, height, width) in channels-last order, labels (n,)."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class ResidentImages:
    """Images as bytes on the device.

    Attributes:
        pixels: uint8 (n, height, width, channels).
        labels: int64 (n,).
        mean: per channel, of pixels from 0 to 255.
        deviation: standard deviation per channel.
    """

    pixels: Tensor
    labels: Tensor
    mean: Tensor
    deviation: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def pick(
        self, index: Tensor, augmentation: Augmentation | None = None, draws: Tensor | None = None
    ) -> Batch:
        """The images with these numbers (n,), augmented if draws (n, DRAWS) are given."""
        if augmentation is None or draws is None:
            return Batch(self._normalised(self.pixels[index]), self.labels[index])
        pixels = augmentation.crop(self.pixels, index, draws)
        images = augmentation.cut(self._normalised(pixels).permute(0, 2, 3, 1), draws)
        return Batch(images.permute(0, 3, 1, 2), self.labels[index])

    def in_order(self, size: int, count: int | None = None) -> InOrder:
        """Every image once, as it is, in batches that differ by one image at most.

        Batch statistics need batches of similar size, so there is no small one at the end.

        Args:
            size: largest size of a batch.
            count: only the first so many batches; None: all.
        """
        numbers = torch.arange(len(self), device=self.pixels.device)
        return InOrder(self, numbers.tensor_split(-(-len(self) // size))[:count])

    def _normalised(self, pixels: Tensor) -> Tensor:
        return ((pixels.float() - self.mean) / self.deviation).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class InOrder:
    """Batches that are made when they are asked for, as often as they are.

    Attributes:
        images: the images.
        indices: their numbers, one tensor per batch.
    """

    images: ResidentImages
    indices: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[Batch]:
        return (self.images.pick(index) for index in self.indices)


@dataclass(frozen=True)
class Pass:
    """One pass over the images in random order, in batches of equal size.

    All random numbers are drawn when the pass is made, on the CPU: they are the same on every
    device, and taking a batch waits for nothing.

    Attributes:
        images: the images.
        order: their numbers, (batches, size); the rest that fills no batch is left out.
        augmentation: how they vary; None: they do not.
        draws: the augmentation's random numbers, (batches, size, DRAWS).
    """

    images: ResidentImages
    order: Tensor
    augmentation: Augmentation | None = None
    draws: Tensor | None = None

    @staticmethod
    def draw(
        images: ResidentImages,
        size: int,
        generator: torch.Generator,
        augmentation: Augmentation | None = None,
    ) -> Pass:
        """Shuffle, and draw what the augmentation needs; the generator is one of the CPU."""
        batches = len(images) // size
        device = images.pixels.device
        order = torch.randperm(len(images), generator=generator)[: batches * size]
        order = order.view(batches, size).to(device)
        if augmentation is None:
            return Pass(images, order)
        height, width = images.pixels.shape[1:3]
        draws = augmentation.draw((batches, size), height, width, generator)
        return Pass(images, order, augmentation, draws.to(device))

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, step: int) -> Batch:
        draws = None if self.draws is None else self.draws[step]
        return self.images.pick(self.order[step], self.augmentation, draws)


@dataclass(frozen=True)
class SearchImages:
    """The two halves that a search sees.

    Attributes:
        source: where the images are from.
        train: for the network's weights.
        validation: for the architecture.
    """

    source: ImageSource
    train: ResidentImages
    validation: ResidentImages


def load_search_images(
    source: ImageSource,
    device: torch.device | str = "cpu",
    *,
    split_seed: int = 0,
    per_half: int | None = None,
    decoded: Images | None = None,
) -> SearchImages:
    """Read the search part and split it at random into two halves of equal size.

    Args:
        source: see `find_images`.
        device: where the images will stay.
        split_seed: which split.
        per_half: take only this many images of each half; None: all.
        decoded: the search part, where it has been read already.

    Raises:
        ImageError: if a file is missing or broken.
    """
    images = source.read("search") if decoded is None else decoded
    count = len(images.labels) // 2
    order = np.random.default_rng(split_seed).permutation(len(images.labels))
    train, validation = (np.sort(half[:per_half]) for half in (order[:count], order[count:]))
    statistics = pixel_statistics(images.pixels[train])
    halves = (resident(images, half, statistics, device) for half in (train, validation))
    return SearchImages(source, *halves)


def pixel_statistics(pixels: np.ndarray) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation per channel; a constant channel is only centred."""
    mean = pixels.mean((0, 2, 3), dtype=np.float64)
    deviation = pixels.std((0, 2, 3), dtype=np.float64)
    deviation[deviation == 0] = 1
    return torch.from_numpy(mean).float(), torch.from_numpy(deviation).float()


def resident(
    images: Images,
    index: np.ndarray | slice,
    statistics: tuple[Tensor, Tensor],
    device: torch.device | str,
) -> ResidentImages:
    """Put the images with some numbers on a device; statistics as of `pixel_statistics`."""
    pixels = np.ascontiguousarray(images.pixels[index].transpose(0, 2, 3, 1))
    labels = torch.from_numpy(images.labels[index].astype(np.int64))
    mean, deviation = (tensor.to(device) for tensor in statistics)
    return ResidentImages(torch.from_numpy(pixels).to(device), labels.to(device), mean, deviation)
