"""Crop, mirror and cutout for a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

#: Random numbers per image: row and column of the crop, mirrored or not, row and column of the
#: centre of the cut, cut or not.
DRAWS = 6


@dataclass(frozen=True)
class Augmentation:
    """How training images vary.

    Attributes:
        padding: the image is cropped from a frame this much larger on each side, in pixels. The
            frame is black.
        mirror: swap left and right of half of the images.
        cutout_length: side of the square that is set to the mean colour (DeVries and Taylor
            2017), in pixels. Its centre is anywhere, so it may reach beyond the border.
        cutout_probability: share of the images that have such a square.
    """

    padding: int
    mirror: bool
    cutout_length: int = 0
    cutout_probability: float = 0.0

    def draw(
        self, shape: tuple[int, ...], height: int, width: int, generator: torch.Generator
    ) -> Tensor:
        """Random numbers for `shape` many images, int64 of shape (*shape, DRAWS).

        The same number of them is drawn whatever the settings are, so that one setting does not
        disturb what another one does.
        """
        frame = 2 * self.padding + 1
        uniform = torch.rand((*shape, DRAWS), generator=generator)
        limits = torch.tensor([frame, frame, 2, height, width, 1])
        draws = (uniform * limits).long()
        draws[..., :2] -= self.padding
        draws[..., 2] *= self.mirror
        draws[..., 5] = uniform[..., 5] < self.cutout_probability
        return draws

    def crop(self, images: Tensor, index: Tensor, draws: Tensor) -> Tensor:
        """Pick, shift and mirror images in one gather.

        Args:
            images: all images, (N, height, width, channels).
            index: which of them, (n,).
            draws: see `draw`, (n, DRAWS).

        Returns:
            The crops, (n, height, width, channels).
        """
        height, width = images.shape[1:3]
        top, left, mirror = draws[:, :3, None].unbind(1)
        rows = torch.arange(height, device=images.device) + top
        columns = torch.arange(width, device=images.device) + left
        columns = torch.where(mirror == 1, columns.flip(1), columns)
        inside = _between(rows, height)[:, :, None] & _between(columns, width)[:, None, :]
        rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
        picked = images[index[:, None, None], rows[:, :, None], columns[:, None, :]]
        return picked * inside[..., None]

    def cut(self, images: Tensor, draws: Tensor) -> Tensor:
        """Set the squares to 0, the mean of normalised images (n, height, width, channels)."""
        if self.cutout_length == 0 or self.cutout_probability == 0:
            return images
        rows, columns = self._square(images, draws[:, 3], 1), self._square(images, draws[:, 4], 2)
        cut = rows[:, :, None] & columns[:, None, :] & (draws[:, 5] == 1)[:, None, None]
        return images.masked_fill(cut[..., None], 0.0)

    def _square(self, images: Tensor, centre: Tensor, axis: int) -> Tensor:
        """Which rows or columns belong to the square, (n, height or width)."""
        positions = torch.arange(images.shape[axis], device=images.device)
        start = centre[:, None] - self.cutout_length // 2
        return (positions >= start) & (positions < start + self.cutout_length)


def _between(positions: Tensor, end: int) -> Tensor:
    return (positions >= 0) & (positions < end)
