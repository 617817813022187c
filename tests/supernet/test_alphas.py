from __future__ import annotations

import numpy as np
import pytest
import torch

from raynas.supernet import Alphas, one_hot
from search_spaces.spaces import load_space
from tests.support.supernets import generator, spread_alphas, vectors

SHAPES = {
    1: [(4, 3), (1, 5), (1, 3), (1, 4)],
    2: [(4, 3), (1, 5), (1, 2), (1, 3), (1, 4)],
    3: [(5, 3), (1, 6), (1, 2), (1, 3), (1, 4), (1, 5)],
}


@pytest.mark.parametrize(("name", "count"), [(1, 24), (2, 26), (3, 35)])
def test_shapes_and_initial_values(name: int, count: int) -> None:
    alphas = Alphas(load_space(name), generator())
    assert [tuple(tensor.shape) for tensor in alphas.tensors()] == SHAPES[name]
    assert alphas.numel() == count
    assert all(tensor.is_leaf and tensor.requires_grad for tensor in alphas.tensors())
    values = torch.cat([tensor.detach().reshape(-1) for tensor in alphas.tensors()])
    assert 0.5e-3 < values.std().item() < 1.5e-3


def test_initial_values_come_from_the_generator_alone() -> None:
    space = load_space(3)
    one, other = Alphas(space, generator(1)), Alphas(space, generator(2))
    torch.randn(3)
    again = Alphas(space, generator(1))
    assert torch.equal(one.operation, again.operation)
    assert not torch.equal(one.operation, other.operation)


@pytest.mark.parametrize("name", [1, 2, 3])
def test_rows_of_the_relaxation_sum_to_one(name: int) -> None:
    weights = spread_alphas(load_space(name)).softmax()
    for tensor in weights.tensors:
        assert torch.allclose(tensor.sum(-1), torch.ones(()))
    assert weights.output.dim() == 1


@pytest.mark.parametrize("name", [1, 2, 3])
def test_discretisation_inverts_one_hot(name: int) -> None:
    space = load_space(name)
    alphas = Alphas(space, generator())
    for vector in vectors(space, 30):
        weights = one_hot(space, vector)
        with torch.no_grad():
            for alpha, value in zip(alphas.tensors(), weights.tensors, strict=True):
                alpha.copy_(value)
        assert alphas.discretise(space).tolist() == vector.tolist()


def test_discretisation_takes_the_largest_weights() -> None:
    space = load_space(3)
    alphas = spread_alphas(space)
    cell = space.decode(alphas.discretise(space))
    for vertex, row in [(i + 2, row[0]) for i, row in enumerate(alphas.inputs)] + [
        (6, alphas.output[0])
    ]:
        weights = row.softmax(0).tolist()
        chosen = cell.matrix[:vertex, vertex].astype(bool)
        assert min(np.array(weights)[chosen]) > max(np.array(weights)[~chosen])


@pytest.mark.parametrize("name", [1, 2, 3])
def test_equal_weights_prefer_the_lowest_index(name: int) -> None:
    space = load_space(name)
    alphas = Alphas(space, generator())
    with torch.no_grad():
        for tensor in alphas.tensors():
            tensor.zero_()
    vector = alphas.discretise(space)
    assert vector[space.num_blocks :].tolist() == [0] * (space.num_blocks + 1)
    assert space.decode(vector).ops[1:-1] == ("maxpool3x3",) * space.num_blocks


def test_state_round_trip() -> None:
    space = load_space(2)
    alphas, other = spread_alphas(space, 1), spread_alphas(space, 2)
    leaves = other.tensors()
    other.load_state_dict(alphas.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(alphas.tensors(), leaves, strict=True))
    assert other.operation.requires_grad
    with pytest.raises(ValueError, match="not the parameters of this space"):
        other.load_state_dict(spread_alphas(load_space(1)).state_dict())
