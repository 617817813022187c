"""Labelled images: where they come from, and batches of them on a device.

The names that need torch are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from raynas.images._find import find_images
from raynas.images._source import ImageError, Images, ImageSource, Part

if TYPE_CHECKING:
    from raynas.images._augmentation import Augmentation
    from raynas.images._resident import (
        Batch,
        InOrder,
        Pass,
        ResidentImages,
        SearchImages,
        load_search_images,
    )
    from raynas.images._training import TrainingImages, load_training_images

__all__ = [
    "Augmentation",
    "Batch",
    "ImageError",
    "ImageSource",
    "Images",
    "InOrder",
    "Part",
    "Pass",
    "ResidentImages",
    "SearchImages",
    "TrainingImages",
    "find_images",
    "load_search_images",
    "load_training_images",
]


_MODULES = {
    "Augmentation": "_augmentation",
    "TrainingImages": "_training",
    "load_training_images": "_training",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _MODULES.get(name, "_resident")
    return getattr(import_module(f"{__name__}.{module}"), name)
