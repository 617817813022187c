"""Seconds per epoch of whole searches: `python -m tests.performance.search_epoch`.

An epoch is `Search.advance(1)`: drawing, augmenting and casting the batches, capturing the step on
a GPU, the steps, and the validation of the end. The images are noise of CIFAR-10's shape, which
takes as long; the second epoch counts, the first is shown beside it. `random_ws` looks at one
candidate only.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, ClassVar

import numpy as np
import torch

from raynas.images import Images, ImageSource, Part, SearchImages, load_search_images
from raynas.oneshot import EpochRecord, Search, method_names, method_settings
from raynas.supernet import keep_freed_memory
from search_spaces.spaces import load_space

PAPER = {"channels": 16, "cells": 9, "batch_size": 96}
#: Steps per epoch of the paper: 25,000 images in each half.
STEPS = 261


class Noise(ImageSource):
    """Random pixels of CIFAR-10's shape."""

    name, shape, classes, mirrored = "noise", (3, 32, 32), 10, True
    sizes: ClassVar[dict[Part, int]] = {}

    def __init__(self, images: int) -> None:
        self._images = images

    @property
    def title(self) -> str:
        """See `ImageSource.title`."""
        return "noise"

    def read(self, part: Part) -> Images:
        """See `ImageSource.read`."""
        rng = np.random.default_rng(0)
        pixels = rng.integers(256, size=(self._images, *self.shape), dtype=np.uint8)
        return Images(pixels, rng.integers(self.classes, size=self._images, dtype=np.uint8))


def noise(steps: int, batch_size: int, device: str) -> SearchImages:
    """So many batches of noise in each half, on a device."""
    return load_search_images(Noise(2 * steps * batch_size), device)


def epochs(
    name: str, size: Mapping[str, int], precision: str, device: str, steps: int
) -> list[EpochRecord]:
    """The records of the first two epochs of a search."""
    rounds = {"candidates": 1, "finalists": 1} if name == "random_ws" else {}
    settings = method_settings(name, epochs=2, precision=precision, **size, **rounds)
    images = noise(steps, size["batch_size"], device)
    return Search(name, load_space("3"), images, settings).advance(2)


def rows(
    names: Sequence[str], size: Mapping[str, int], device: str, steps: int
) -> list[dict[str, Any]]:
    """Method, precision, seconds of both epochs, of the second's validation, and peak memory."""
    found: list[dict[str, Any]] = []
    for name, precision in product(names, ("float32", "bf16")):
        first, second = epochs(name, size, precision, device, steps)
        found.append(
            {
                "method": name,
                "precision": precision,
                "steps": steps,
                "first epoch, s": first.seconds,
                "second epoch, s": second.seconds,
                "validation, s": second.validation_seconds,
                "peak memory, MiB": (second.peak_memory or 0) / 2**20,
            }
        )
    return found


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", default=",".join(method_names()))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=STEPS)
    for option, value in PAPER.items():
        parser.add_argument(f"--{option.replace('_', '-')}", type=int, default=value)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.device == "cpu":
        keep_freed_memory()
    size = {option: getattr(arguments, option) for option in PAPER}
    began = time.perf_counter()
    table = rows(arguments.methods.split(","), size, arguments.device, arguments.steps)
    print(f"space 3, {size}, {arguments.device}, {time.perf_counter() - began:.0f} s in all\n")
    print("| " + " | ".join(table[0]) + " |\n" + "|---" * len(table[0]) + "|")
    for row in table:
        cells = (f"{v:.2f}" if isinstance(v, float) else str(v) for v in row.values())
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
