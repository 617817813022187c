"""What a search makes of its settings before it starts."""

from __future__ import annotations

import numpy as np
import torch

from raynas.images import Augmentation, ImageSource, SearchImages
from raynas.oneshot._base import OneShotMethod
from raynas.oneshot._settings import SearchSettings
from raynas.supernet.network import SupernetSettings
from search_spaces.errors import UserError


def network_settings(
    kind: type[OneShotMethod], settings: SearchSettings, source: ImageSource
) -> SupernetSettings:
    """The supernet that fits the method and the images."""
    return SupernetSettings(
        channels=settings.channels,
        cells=settings.cells,
        flavour=settings.flavour,
        classes=source.classes,
        image_channels=source.shape[0],
        **kind.network_options(settings),
    )


def augmentation(settings: SearchSettings, source: ImageSource) -> Augmentation:
    """How training images vary.

    Raises:
        UserError: a length does not fit the size of the images.
    """
    side = min(source.shape[1:])
    length = side // 2 if settings.cutout_length is None else settings.cutout_length
    padding = side // 8 if settings.crop_padding is None else settings.crop_padding
    for name, value in (("cutout_length", length), ("crop_padding", padding)):
        if not 0 <= value <= side:
            raise UserError(
                f"{name} = {value}: must be in 0..{side}, the side of the images", exit_code=2
            )
    return Augmentation(padding, source.mirrored, length, settings.cutout_probability)


def check_batch_size(settings: SearchSettings, images: SearchImages) -> None:
    """Refuse batches that no half can fill.

    Raises:
        UserError: it says how many images there are.
    """
    least = min(len(images.train), len(images.validation))
    if settings.batch_size > least:
        raise UserError(
            f"batch_size = {settings.batch_size}: there are only {least} images in each half of "
            f"{images.source.title}",
            exit_code=2,
        )


def sequence(seed: int) -> np.random.SeedSequence:
    """The root of a search's random streams.

    Raises:
        UserError: the seed is negative.
    """
    if seed < 0:
        raise UserError(f"seed = {seed}: must not be negative", exit_code=2)
    return np.random.SeedSequence(seed)


def generators(seed: np.random.SeedSequence, count: int) -> list[torch.Generator]:
    """Independent CPU generators; the sequence itself is not changed."""
    children = np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key).spawn(count)
    states = [int(child.generate_state(1, np.uint64)[0] >> np.uint64(1)) for child in children]
    return [torch.Generator().manual_seed(state) for state in states]
