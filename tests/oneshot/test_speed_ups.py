"""The optimised passes change how fast a search is, not what it finds."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from raynas.images import SearchImages
from raynas.oneshot import Search
from raynas.supernet.weights import one_hot
from tests.support.plain_supernet import PlainSupernet, plain_method
from tests.support.searches import tiny_search


def _plainly(search: Search) -> Search:
    """The same search, every module and every gradient as one would write it down."""
    own = search.method
    plain = plain_method(type(own))(PlainSupernet(own.network), own.settings, torch.Generator())
    if own.alphas is not None:
        plain.alphas.load_state_dict(own.alphas.state_dict())
    plain.generator = own.generator
    search.method = plain
    return search


@pytest.mark.parametrize("name", ["darts", "darts2", "gdas", "pc_darts"])
def test_the_same_architecture_with_and_without(name: str) -> None:
    settings = {"space": "3", "epochs": 2, "channels": 4, "arch_learning_rate": 0.003}
    fast, plain = tiny_search(name, **settings), _plainly(tiny_search(name, **settings))
    found: list[list[tuple[int, ...]]] = []
    for search in (fast, plain):
        vectors = []
        for _ in range(2):
            search.method.start_epoch(search.epoch)
            search._steps()
            search.epoch += 1
            vectors.append(tuple(search.method.discretise().tolist()))
        found.append(vectors)
    assert found[0] == found[1]
    first = tiny_search(name, **settings).alphas()
    moved = {key: np.abs(values - first[key]).max() for key, values in fast.alphas().items()}
    assert max(moved.values()) > 0.01
    for key, values in fast.alphas().items():
        np.testing.assert_allclose(values, plain.alphas()[key], atol=1e-4)


class _PlainEvaluator:
    """What `random_ws` asks of an evaluator, with a plain network and statistics of each batch."""

    def __init__(self, network: PlainSupernet, images: SearchImages, batch_size: int) -> None:
        self.network, self.images, self.batch_size = network, images, batch_size

    def validation_batches(self) -> Any:
        return self.images.validation.in_order(self.batch_size, None)

    @torch.no_grad()
    def accuracies(self, vectors: Any, batches: Any) -> np.ndarray:
        before = copy.deepcopy(self.network.state_dict())
        found = []
        for vector in vectors:
            weights = one_hot(self.network.space, vector, skip=True)
            pairs = [(self.network(b.images, weights).argmax(1), b.labels) for b in batches]
            found.append(torch.cat([answer == labels for answer, labels in pairs]).double().mean())
        self.network.load_state_dict(before)
        return torch.stack(found).numpy()


def test_random_search_finds_the_same_architecture_with_and_without() -> None:
    """Training of sampled paths, tournaments and their winners."""
    settings = {"space": "3", "epochs": 3, "channels": 4, "statistics": "batch", "candidates": 20}
    settings |= {"candidate_batches": 2, "finalists": 5}
    fast, plain = (
        tiny_search("random_ws", **settings),
        _plainly(tiny_search("random_ws", **settings)),
    )
    network = plain.method.network
    judge = _PlainEvaluator(network, plain.images, plain.settings.batch_size)
    found: list[list[tuple[int, ...]]] = []
    for search, evaluator in ((fast, fast.evaluator), (plain, judge)):
        vectors = []
        for epoch in range(3):
            search.method.start_epoch(epoch)
            search._steps()
            search.method.end_epoch(epoch, evaluator)
            search.epoch += 1
            vectors.append(tuple(search.method.discretise().tolist()))
        found.append(vectors)
    assert found[0] == found[1]
    assert len(set(found[0])) > 1
    weights = [
        search.method.network.classifier.weight
        if search is plain
        else search.method.network.head.classifier.weight
        for search in (fast, plain)
    ]
    torch.testing.assert_close(*weights, atol=1e-3, rtol=0.01)
