from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from raynas.supernet import NASBench101Network
from search_spaces.cell import CONV1X1, CONV3X3, MAXPOOL3X3, Cell, DisconnectedCellError
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from tests.support.supernets import generator, images, labels


def _chain(*operations: str) -> Cell:
    size = len(operations) + 2
    return Cell(np.eye(size, k=1, dtype=int), ["input", *operations, "output"])


def _edges(size: int, edges: list[tuple[int, int]], operations: list[str]) -> Cell:
    matrix = np.zeros((size, size), int)
    for start, end in edges:
        matrix[start, end] = 1
    return Cell(matrix, ["input", *operations, "output"])


#: NAS-Bench-101's parameter counts; Google's program prints the Inception-like one.
GOLDEN = [
    (_chain(), 882_570),
    (_chain(CONV3X3), 10_177_674),
    (_edges(3, [(0, 1), (1, 2), (0, 2)], [CONV3X3]), 11_051_402),
    (_chain(CONV1X1), 1_920_138),
    (_chain(MAXPOOL3X3), 882_570),
    (
        _edges(
            7,
            [(0, 1), (0, 2), (0, 3), (0, 5), (1, 6), (2, 6), (3, 4), (4, 6), (5, 6)],
            [CONV1X1, CONV3X3, CONV3X3, CONV3X3, MAXPOOL3X3],
        ),
        2_694_282,
    ),
    (
        _edges(
            7,
            [(0, 1), (0, 4), (0, 5), (1, 2), (2, 3), (2, 6), (3, 4), (4, 5), (5, 6)],
            [CONV3X3, MAXPOOL3X3, CONV3X3, CONV3X3, CONV1X1],
        ),
        8_555_530,
    ),
]


def _count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("cell", "count"), GOLDEN, ids=[f"cell{i}" for i in range(len(GOLDEN))])
def test_golden_parameter_counts(cell: Cell, count: int) -> None:
    assert _count(NASBench101Network(cell, generator())) == count == cell.parameter_count()


@pytest.mark.parametrize("name", [1, 2, 3])
def test_parameter_counts_of_a_sample(name: int) -> None:
    space = load_space(name)
    for vector in space.sample(np.random.default_rng(name), 4):
        cell = space.decode(vector)
        assert _count(NASBench101Network(cell, generator())) == cell.parameter_count()


def test_forward_and_backward_on_cifar_sized_images() -> None:
    network = NASBench101Network(GOLDEN[-1][0], generator(), channels=8)
    sizes: list[int] = []
    for stack in network.stacks:
        stack.register_forward_hook(lambda _, __, output: sizes.append(output.shape[-1]))
    logits = network(images(4, 32))
    assert logits.shape == (4, 10)
    assert sizes == [32, 16, 8]
    functional.cross_entropy(logits, labels(4)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@torch.no_grad()
@pytest.mark.parametrize("name", [1, 2, 3])
def test_every_kind_of_cell_computes(name: int) -> None:
    space = load_space(name)
    for vector in space.sample_unique(np.random.default_rng(0), 8):
        network = NASBench101Network(space.decode(vector), generator(), channels=7, cells=1)
        assert torch.isfinite(network(images(4, 16))).all()


@torch.no_grad()
def test_values_of_a_cell_written_out() -> None:
    cell = _edges(4, [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (0, 3)], [CONV3X3, MAXPOOL3X3])
    network = NASBench101Network(cell, generator(), channels=5, stacks=1, cells=1)
    module = network.stacks[0][0]  # type: ignore[index]
    assert module.channels == [5, 3, 2, 5]  # the first block takes the remainder
    x = torch.randn(4, 5, 6, 6, generator=generator(1))
    first = module.operations["1"](module.projections["1"](x))
    second = functional.max_pool2d(first[:, :2] + module.projections["2"](x), 3, 1, 1)
    expected = torch.cat([first, second], 1) + module.projections["3"](x)
    assert torch.allclose(module(x), expected, atol=1e-6)


def test_a_cell_without_a_path_is_refused() -> None:
    with pytest.raises(DisconnectedCellError):
        NASBench101Network(_edges(3, [(0, 1)], [CONV1X1]), generator())


def test_too_few_channels_are_refused_with_the_least_that_work() -> None:
    cell = _edges(4, [(0, 1), (0, 2), (1, 3), (2, 3)], [CONV1X1, CONV3X3])
    with pytest.raises(UserError, match=r"channels = 1: .* give at least --channels 2") as caught:
        NASBench101Network(cell, generator(), channels=1)
    assert caught.value.exit_code == 2
    assert NASBench101Network(cell, generator(), channels=2)
