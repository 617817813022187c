"""The optimised passes change how fast a search is, not what it finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from raynas.oneshot import Search
from tests.support.plain_supernet import PlainSupernet, plain_method
from tests.support.searches import tiny_search


def _plainly(search: Search) -> Search:
    """The same search, every module and every gradient as one would write it down."""
    own = search.method
    plain = plain_method(type(own))(PlainSupernet(own.network), own.settings, torch.Generator())
    plain.alphas.load_state_dict(own.alphas.state_dict())
    plain.generator = own.generator
    search.method = plain
    return search


@pytest.mark.parametrize("name", ["darts", "darts2", "gdas", "pc_darts"])
def test_the_same_architecture_with_and_without(name: str) -> None:
    settings = {"space": "3", "epochs": 3, "channels": 4, "arch_learning_rate": 0.003}
    fast, plain = tiny_search(name, **settings), _plainly(tiny_search(name, **settings))
    found: list[list[tuple[int, ...]]] = []
    for search in (fast, plain):
        vectors = []
        for _ in range(3):
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
