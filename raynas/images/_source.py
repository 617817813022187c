"""What every collection of labelled images offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from search_spaces.errors import UserError

#: "search" is what a search may see, "validation" and "test" are for training a found cell.
Part = Literal["search", "validation", "test"]


class ImageError(UserError):
    """Images are missing or not what they should be; the message says what to do."""


@dataclass(frozen=True)
class Images:
    """Decoded images.

    Attributes:
        pixels: shape (n, channels, height, width), 0 to 255.
        labels: shape (n,), from 0.
    """

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]


class ImageSource(ABC):
    """A data set in three parts. Reading one part never opens the images of another.

    Attributes:
        name: the name by which `find_images` knows it.
        title: one line for consoles and reports.
        shape: channels, height and width of an image.
        classes: number of labels.
        mirrored: whether an image and its mirror image show the same thing.
        sizes: number of images of each part.
    """

    name: ClassVar[str]
    shape: ClassVar[tuple[int, int, int]]
    classes: ClassVar[int]
    mirrored: ClassVar[bool]
    sizes: ClassVar[dict[Part, int]]

    @property
    @abstractmethod
    def title(self) -> str:
        """One line for consoles and reports."""

    def files(self, part: Part) -> Sequence[Path]:  # noqa: ARG002
        """The files to open for a part; none if the images are from elsewhere.

        Raises:
            ImageError: if one is missing; it says which.
        """
        return ()

    @abstractmethod
    def read(self, part: Part) -> Images:
        """Decode one part, in its original order.

        Raises:
            ImageError: if a file is missing or broken.
        """
