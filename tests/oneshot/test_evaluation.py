from __future__ import annotations

import numpy as np
import pytest
import torch

from raynas.supernet.operations import Norm
from raynas.supernet.statistics import evaluation
from raynas.supernet.weights import one_hot
from tests.support.searches import digest, tiny_search

VECTOR = np.array([0, 1, 0, 2, 0, 0, 1, 3, 5], np.uint8)


def logits(search, mode: str) -> torch.Tensor:
    """Of the first validation batch, through the network alone."""
    (batch, *_) = search.evaluator.validation_batches()
    with torch.no_grad(), evaluation(search.method.network, mode):
        return search.method.network(batch.images, one_hot(search.space, VECTOR))


def captured(search) -> torch.Tensor:
    """The same logits as the evaluator sees them."""
    seen = []
    hook = search.method.network.register_forward_hook(lambda *call: seen.append(call[2]))
    search.evaluate(VECTOR[None], batches=1)
    hook.remove()
    return seen[-1]


@pytest.mark.parametrize("statistics", ["batch", "running"])
def test_statistics_are_those_of_the_settings(statistics: str) -> None:
    search = tiny_search("darts", statistics=statistics)
    search.advance()
    found = captured(search)
    assert torch.allclose(found, logits(search, statistics), atol=1e-5)
    other = {"batch": "running", "running": "batch"}[statistics]
    assert not torch.allclose(found, logits(search, other), atol=1e-2)


def test_statistics_follow_the_flavour_unless_they_are_set() -> None:
    assert tiny_search("darts").evaluator.statistics == "batch"
    assert tiny_search("darts", flavour="published").evaluator.statistics == "running"
    both = {"flavour": "published", "statistics": "recalibrated"}
    assert tiny_search("darts", **both).evaluator.statistics == "recalibrated"


def test_recalibration_on_the_evaluated_images_gives_batch_statistics() -> None:
    """Calibrated on the one batch that is evaluated, but for the variance's n/(n - 1)."""
    search = tiny_search("darts", statistics="recalibrated", calibration_batches=1, batch_size=48)
    search.evaluator.images = type(search.images)(
        search.images.source, search.images.validation, search.images.validation
    )
    found = captured(search)
    assert torch.allclose(found, logits(search, "batch"), atol=0.02)
    assert not torch.allclose(found, logits(search, "running"), atol=0.1)


def test_recalibration_averages_batches_and_leaves_the_network_alone() -> None:
    search = tiny_search("darts", statistics="recalibrated", calibration_batches=3)
    search.advance()
    before = digest(search.method.network.state_dict())
    momenta = [m.momentum for m in search.method.network.modules() if isinstance(m, Norm)]
    seen = watch_means(search)
    search.evaluate(VECTOR[None], batches=1)
    for means in seen:
        average = torch.stack([batch for batch, _ in means[:3]]).mean(0)
        assert torch.allclose(means[3][1], average, atol=1e-5)
    assert digest(search.method.network.state_dict()) == before
    assert [m.momentum for m in search.method.network.modules() if isinstance(m, Norm)] == momenta


def watch_means(search) -> list[list[tuple[torch.Tensor, torch.Tensor]]]:
    """Mean of the input and running mean, at each call, of the layers that are called."""
    network = search.method.network
    norms = [network.head.norm, network.stem.norm]
    seen = [[] for _ in norms]
    for norm, means in zip(norms, seen, strict=True):
        norm.register_forward_hook(
            lambda module, inputs, _, means=means: means.append(
                (inputs[0].mean((0, 2, 3)), module.running_mean.clone())
            )
        )
    return seen
