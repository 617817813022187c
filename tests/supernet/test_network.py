from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from raynas.supernet import ArchitectureWeights, Supernet, SupernetSettings, one_hot
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from tests.support.plain_supernet import PlainSupernet
from tests.support.supernets import (
    SMALL,
    generator,
    images,
    labels,
    per_cell,
    small_supernet,
    spread_alphas,
    vectors,
)


@pytest.mark.parametrize(
    ("name", "partial", "count"),
    [(1, 1, 1_101_402), (2, 1, 1_101_402), (3, 1, 1_509_594), (2, 4, 492_570), (3, 4, 748_554)],
)
def test_trainable_weights(name: int, partial: int, count: int) -> None:
    settings = SupernetSettings(partial_channels=partial)
    supernet = Supernet(load_space(name), settings, generator())
    assert sum(parameter.numel() for parameter in supernet.parameters()) == count


def test_weights_come_from_the_generator_alone() -> None:
    space = load_space(1)
    before = torch.get_rng_state()
    states = [Supernet(space, SMALL, generator(seed)).state_dict() for seed in (1, 1, 2)]
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["stem.weight"], states[2]["stem.weight"])
    fan_in = 8 * 4  # of the second cell's projection
    weight = states[0]["cells.1.projection.weight"]
    assert 0.9 * fan_in**-0.5 < weight.abs().max().item() <= fan_in**-0.5


@pytest.mark.parametrize(
    ("flavour", "sizes", "momentum"),
    [("corrected", [32, 16, 8], 0.003), ("published", [32, 17, 9], 0.997)],
)
def test_flavours(flavour: str, sizes: list[int], momentum: float) -> None:
    supernet = small_supernet(load_space(1), replace(SMALL, flavour=flavour))
    seen: list[int] = []
    for cell in supernet.cells:
        cell.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[-1]))
    before = supernet.stem.norm.running_mean.clone()
    x = images(4, 32)
    supernet(x, spread_alphas(supernet.space).softmax())
    assert seen == sizes
    batch = functional.conv2d(x, supernet.stem.weight, padding=1).mean((0, 2, 3))
    expected = torch.lerp(before, batch, momentum)
    assert torch.allclose(supernet.stem.norm.running_mean, expected, atol=1e-6)


def test_momentum_of_the_last_normalisation_is_the_default_in_both_flavours() -> None:
    for flavour in ("corrected", "published"):
        supernet = small_supernet(load_space(1), replace(SMALL, flavour=flavour))
        assert supernet.head.norm.momentum == nn.BatchNorm2d(1).momentum
        assert supernet.head.norm.weight is None


@pytest.mark.parametrize(
    ("cells", "reductions"), [(1, ()), (2, (1,)), (3, (1, 2)), (9, (3, 6)), (20, (6, 13))]
)
def test_depth(cells: int, reductions: tuple[int, ...]) -> None:
    settings = SupernetSettings(channels=2, cells=cells)
    assert settings.reductions == reductions
    space = load_space(3)
    logits = Supernet(space, settings, generator())(images(), spread_alphas(space).softmax())
    assert logits.shape == (8, 10)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flavour": "original"}, "valid are: corrected, published"),
        ({"cells": 0}, "cells is 0"),
        ({"channels": 6, "partial_channels": 4}, "6 channels"),
    ],
)
def test_settings_that_cannot_be(change: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        SupernetSettings(**change)  # type: ignore[arg-type]
    assert caught.value.exit_code == 2


# Against the plain network -------------------------------------------------------------------


def _by_part(supernet: Supernet, plain: PlainSupernet, name: str) -> list[tuple[Tensor, Tensor]]:
    """Pairs of the same parameter, statistic ("running_mean", ...) or gradient ("grad")."""

    def of(tensor: Tensor) -> Tensor:
        gradient = tensor.grad if name == "grad" else tensor
        return torch.zeros_like(tensor) if gradient is None else gradient

    def layer(original: nn.Module, sequence: nn.Module) -> list[tuple[Tensor, Tensor]]:
        convolution, norm = sequence[0], sequence[1]  # type: ignore[index]
        if name.startswith("running"):
            return [(getattr(original.norm, name), getattr(norm, name))]
        pairs = [(original.weight, convolution.weight), (original.norm.weight, norm.weight)]
        pairs.append((original.norm.bias, norm.bias))
        return [(of(a), of(b)) for a, b in pairs]

    pairs = layer(supernet.stem, plain.stem)
    for cell, other in zip(supernet.cells, plain.cells, strict=True):
        projections = [*other.projections, other.output_projection]
        apart = [layer(cell.projection, projection) for projection in projections]
        joined = [torch.cat([pair[1] for pair in same]) for same in zip(*apart, strict=True)]
        pairs += [(apart[0][i][0], whole) for i, whole in enumerate(joined)]
        for block, operations in zip(cell.blocks, other.blocks, strict=True):
            pairs += layer(block.conv3x3, operations[1]) + layer(block.conv1x1, operations[2])
    return pairs


def _compare(supernet: Supernet, weights: ArchitectureWeights, alphas: list[Tensor]) -> None:
    plain = PlainSupernet(supernet).double().train(supernet.training)
    supernet = supernet.double()
    doubled = weights._mapped([tensor.double() for tensor in weights.tensors])
    gradients = []
    for network in (supernet, plain):
        logits = network(images().double(), doubled)
        loss = functional.cross_entropy(logits, labels())
        parameters = [p for p in network.parameters() if p.requires_grad]
        results = torch.autograd.grad(
            loss, [*alphas, *parameters], retain_graph=True, allow_unused=True
        )
        gradients.append((logits, results[: len(alphas)]))
        for parameter, gradient in zip(parameters, results[len(alphas) :], strict=True):
            parameter.grad = gradient
    assert torch.allclose(gradients[0][0], gradients[1][0], atol=1e-10)
    for ours, theirs in zip(gradients[0][1], gradients[1][1], strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-12)
    for kind in ("grad", "running_mean", "running_var"):
        for ours, theirs in _by_part(supernet, plain, kind):
            assert torch.allclose(ours, theirs, atol=1e-10), kind


@pytest.mark.parametrize("partial", [1, 4])
@pytest.mark.parametrize("name", [1, 2, 3])
@pytest.mark.parametrize("training", [True, False])
def test_values_gradients_and_statistics_are_those_of_the_plain_network(
    name: int, partial: int, training: bool
) -> None:
    space = load_space(name)
    supernet = small_supernet(space, replace(SMALL, partial_channels=partial)).train(training)
    alphas = spread_alphas(space)
    _compare(supernet, alphas.softmax(), alphas.tensors())


def test_weights_of_any_sign_that_differ_between_cells() -> None:
    space = load_space(2)
    supernet = small_supernet(space, replace(SMALL, flavour="published"))
    alphas = [spread_alphas(space, seed) for seed in range(3)]
    tensors = [tensor for each in alphas for tensor in each.tensors()]
    weights = per_cell(
        [
            ArchitectureWeights(a.operation, tuple(row[0] for row in a.inputs), a.output[0])
            for a in alphas
        ]
    )
    assert any((tensor < 0).any() for tensor in tensors)
    _compare(supernet, weights, tensors)


def test_zero_weights_have_gradients_too() -> None:
    space = load_space(3)
    weights = one_hot(space, vectors(space, 1)[0])
    for tensor in weights.tensors:
        tensor.requires_grad_()
    _compare(small_supernet(space), weights, weights.tensors)


# Precision and execution ------------------------------------------------------------------------


def test_single_precision_agrees_with_double() -> None:
    space = load_space(3)
    supernet, weights = small_supernet(space), spread_alphas(space).softmax().detach()
    exact = copy.deepcopy(supernet).double()
    doubled = weights._mapped([tensor.double() for tensor in weights.tensors])
    difference = supernet(images(), weights) - exact(images().double(), doubled)
    assert difference.abs().max() < 1e-5


def test_reduced_precision_keeps_parameters_and_gradients_in_single() -> None:
    space = load_space(3)
    supernet, alphas = small_supernet(space), spread_alphas(space)
    single = supernet(images(), alphas.softmax())
    reduced = supernet(images().bfloat16(), alphas.softmax())
    assert reduced.dtype == torch.float32
    assert 0 < (single - reduced).abs().max() < 0.3 * single.abs().max()
    reduced.sum().backward()
    tensors = [*supernet.parameters(), *alphas.tensors()]
    assert all(t.grad is not None and t.grad.dtype == torch.float32 for t in tensors)


def test_frozen_parameters_do_not_change_the_architecture_gradient() -> None:
    space = load_space(3)
    supernet, alphas = small_supernet(space), spread_alphas(space)
    gradients = []
    for learning in (True, False):
        supernet.requires_grad_(learning)
        loss = functional.cross_entropy(supernet(images(), alphas.softmax()), labels())
        gradients.append(torch.autograd.grad(loss, alphas.tensors()))
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))
    assert all(parameter.grad is None for parameter in supernet.parameters())


@pytest.mark.parametrize("name", [1, 2, 3])
def test_every_architecture_parameter_gets_a_gradient(name: int) -> None:
    space = load_space(name)
    supernet, alphas = small_supernet(space), spread_alphas(space)
    functional.cross_entropy(supernet(images(), alphas.softmax()), labels()).backward()
    for tensor in alphas.tensors():
        assert tensor.grad is not None
        assert (tensor.grad != 0).all()


def test_two_passes_before_the_backward_pass() -> None:
    space = load_space(3)
    weights = spread_alphas(space).softmax().detach()
    supernet = small_supernet(space)
    first = supernet(images(seed=5), weights).sum()
    (first + supernet(images(seed=6), weights).sum()).backward()
    together = [p.grad.clone() for p in supernet.parameters() if p.grad is not None]
    supernet.zero_grad()
    for seed in (5, 6):
        supernet(images(seed=seed), weights).sum().backward()
    apart = [p.grad for p in supernet.parameters() if p.grad is not None]
    assert len(together) == len(apart) > 0
    for a, b in zip(together, apart, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)


def test_state_round_trip(tmp_path: object) -> None:
    space = load_space(2)
    one, other = small_supernet(space, seed=1), small_supernet(space, seed=2)
    weights = spread_alphas(space).softmax().detach()
    one(images(), weights)
    path = f"{tmp_path}/supernet.pt"
    torch.save(one.state_dict(), path)
    other.load_state_dict(torch.load(path, weights_only=True))
    for training in (True, False):
        one.train(training), other.train(training)
        assert torch.equal(one(images(), weights), other(images(), weights))
