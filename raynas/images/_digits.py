"""The images that every installation has: scikit-learn's handwritten digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from raynas.images._source import Images, ImageSource, Part

_LIMITS: dict[Part, tuple[int, int]] = {
    "search": (0, 1200),
    "validation": (1200, 1497),
    "test": (1497, 1797),
}


@dataclass(frozen=True)
class Digits(ImageSource):
    """1,797 real 8x8 images in one channel (UCI optical recognition of handwritten digits).

    The parts are consecutive, in about the proportions of CIFAR-10, so most of the writers of one
    part are absent from the others.
    """

    name: ClassVar[str] = "digits"
    shape: ClassVar[tuple[int, int, int]] = (1, 8, 8)
    classes: ClassVar[int] = 10
    mirrored: ClassVar[bool] = False  # a mirrored digit is no digit
    sizes: ClassVar[dict[Part, int]] = {part: end - start for part, (start, end) in _LIMITS.items()}

    @property
    def title(self) -> str:
        """One line for consoles and reports."""
        return "scikit-learn digits (8x8, 1 channel)"

    def read(self, part: Part) -> Images:
        """Scale the 17 grey levels to 0..255; see `ImageSource.read`."""
        from sklearn.datasets import load_digits

        start, end = _LIMITS[part]
        digits = load_digits()
        levels = digits.images[start:end, None]
        return Images(
            np.round(levels * (255 / 16)).astype(np.uint8),
            digits.target[start:end].astype(np.uint8),
        )
