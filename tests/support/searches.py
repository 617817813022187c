"""One-shot searches that take a fraction of a second."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, fields, replace
from functools import cache
from typing import Any

import numpy as np
import torch

from raynas.images import SearchImages, find_images, load_search_images
from raynas.oneshot import EpochRecord, Search, method_settings
from raynas.oneshot.darts import Darts
from search_spaces.spaces import load_space

TINY = {"channels": 4, "cells": 2, "epochs": 2, "batch_size": 16}
TINY_FOR = {"random_ws": {"candidates": 4, "candidate_batches": 1, "finalists": 2}}


@cache
def tiny_images(per_half: int = 48) -> SearchImages:
    """Some of scikit-learn's digits."""
    return load_search_images(find_images("digits"), per_half=per_half)


def tiny_search(
    method: str, *, space: str = "1", seed: int = 0, per_half: int = 48, **settings: Any
) -> Search:
    """A search of two epochs with three steps each; with 32 images per half they have two."""
    values = TINY | TINY_FOR.get(method, {}) | settings
    images = tiny_images(per_half)
    return Search(method, load_space(space), images, method_settings(method, **values), seed=seed)


def digest(value: Any) -> str:
    """A checksum of anything that a state may hold."""
    checksum = hashlib.sha256()
    _feed(checksum, value)
    return checksum.hexdigest()


def _feed(checksum: Any, value: Any) -> None:
    if isinstance(value, Mapping):
        for key in sorted(value, key=str):
            checksum.update(str(key).encode())
            _feed(checksum, value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            _feed(checksum, item)
    elif isinstance(value, torch.Tensor):
        _feed(checksum, value.detach().cpu().contiguous().numpy())
    elif isinstance(value, np.ndarray):
        checksum.update(f"{value.dtype} {value.shape}".encode() + value.tobytes())
    else:
        checksum.update(repr(value).encode())


def result(record: EpochRecord) -> str:
    """A checksum of what a record says, but for times and memory."""
    plain = replace(record, seconds=0.0, validation_seconds=0.0, peak_memory=0)
    assert len(fields(plain)) == 11
    return digest(list(astuple(plain)))


class Hungry(Darts):
    """Runs out of memory unless it has a whole GPU to itself."""

    name = "hungry"

    def start_epoch(self, epoch: int) -> None:
        import ray

        share = ray.get_runtime_context().get_assigned_resources().get("GPU", 0)
        if share < 1:
            raise torch.OutOfMemoryError(f"no memory on {share:g} of a GPU")


class Starving(Darts):
    """Runs out of memory always."""

    name = "starving"

    def start_epoch(self, epoch: int) -> None:
        raise torch.OutOfMemoryError("no memory at all")


class Broken(Darts):
    """Fails in its second epoch."""

    name = "broken"

    def start_epoch(self, epoch: int) -> None:
        if epoch == 1:
            raise RuntimeError("a fault of its own\nwith details")
