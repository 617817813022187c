"""Steps that never look at the device's values, shown where there are no values.

Tensors on the "meta" device have shapes only: reading one on the host is an error. All code for
devices other than the CPU runs on them.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from raynas.images import Batch, Pass
from raynas.oneshot import method_info, method_names, method_settings
from raynas.supernet import Supernet, SupernetSettings
from search_spaces.spaces import load_space
from tests.support.searches import TINY, tiny_images, tiny_search
from tests.support.supernets import generator


def _on_meta(name: str, **settings: object):
    values = method_settings(name, **TINY | {"cells": 1}, **settings)
    kind = method_info(name).load()
    shape = SupernetSettings(4, 1, image_channels=1, **kind.network_options(values))
    network = Supernet(load_space("3"), shape, generator()).to("meta")
    method = kind(network, values, generator())
    method.start_epoch(0)
    return method


@pytest.mark.parametrize(
    ("name", "precision"), [*((name, "float32") for name in method_names()), ("darts", "bf16")]
)
def test_no_step_reads_the_device(name: str, precision: str) -> None:
    method = _on_meta(name, precision=precision)
    images = tiny_images()
    train, validation = (
        replace(half, **{k: getattr(half, k).to("meta") for k in vars(half)})
        for half in (images.train, images.validation)
    )
    augmentation = tiny_search("darts", cutout_probability=0.5).augmentation
    batches = Pass.draw(train, 16, generator(), augmentation)
    for step in range(2):
        batch = batches[step]
        method.architecture_step(batch, Pass.draw(validation, 16, generator())[step])
        loss, right = method.weight_step(batch)
    assert loss.device.type == right.device.type == "meta"


def test_reading_would_be_noticed() -> None:
    method = _on_meta("darts")
    batch = Batch(torch.zeros(16, 1, 8, 8, device="meta"), torch.zeros(16, device="meta").long())
    loss, _ = method.weight_step(batch)
    with pytest.raises(RuntimeError, match="meta"):
        loss.item()
