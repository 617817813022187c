"""Images for training a found cell from scratch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from raynas.images._resident import ResidentImages, pixel_statistics, resident
from raynas.images._source import ImageSource, Part


@dataclass(frozen=True)
class TrainingImages:
    """What a training sees, as NAS-Bench-101 divides it (Ying et al. 2019).

    Attributes:
        source: where the images are from.
        train: on the device, for the weights: the part that searches may see.
    """

    source: ImageSource
    train: ResidentImages

    @cached_property
    def validation(self) -> ResidentImages:
        """Read when it is first asked for; normalised as the training images are."""
        return self._part("validation")

    @cached_property
    def test(self) -> ResidentImages:
        """Read when it is first asked for, which is after the last epoch."""
        return self._part("test")

    def _part(self, part: Part) -> ResidentImages:
        train = self.train
        images = self.source.read(part)
        return resident(images, slice(None), (train.mean, train.deviation), train.pixels.device)


def load_training_images(
    source: ImageSource, device: torch.device | str = "cpu", *, count: int | None = None
) -> TrainingImages:
    """Read the training images of a source.

    Args:
        source: see `find_images`.
        device: where the images will stay.
        count: only the first so many; None: all.

    Raises:
        ImageError: if a file is missing or broken.
    """
    images = source.read("search")
    statistics = pixel_statistics(images.pixels[:count])
    return TrainingImages(source, resident(images, slice(count), statistics, device))
