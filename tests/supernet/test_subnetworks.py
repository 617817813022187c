from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from raynas.supernet import Supernet, evaluation, extract, one_hot
from raynas.supernet.weights import active_paths
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.spaces import load_space
from tests.support.supernets import SMALL, images, labels, per_cell, small_supernet, vectors

VARIANTS = [
    SMALL,
    replace(SMALL, partial_channels=4),
    replace(SMALL, flavour="published"),
]


@pytest.mark.parametrize("name", [1, 2, 3])
@pytest.mark.parametrize("settings", VARIANTS, ids=["corrected", "partial", "published"])
@pytest.mark.parametrize("statistics", ["batch", "running"])
@torch.no_grad()
def test_one_hot_weights_give_the_extracted_network(
    name: int, settings: object, statistics: str
) -> None:
    space = load_space(name)
    supernet = small_supernet(space, settings)  # type: ignore[arg-type]
    for vector in _varied(space):
        alone = extract(supernet, vector).train(statistics == "batch")
        with evaluation(supernet, statistics):
            for skip in (False, True):
                logits = supernet(images(), one_hot(space, vector, skip=skip))
                assert torch.allclose(logits, alone(images()), atol=1e-5)


def test_every_architecture_gives_another_network() -> None:
    # An operation that is only mixed in, or an edge that is lost, would make some equal.
    space = load_space(1)
    supernet = small_supernet(space).eval()
    with torch.no_grad():
        logits = [supernet(images(), one_hot(space, v)) for v in vectors(space, 30)]
    rounded = {tuple(np.round(each.numpy().ravel(), 4)) for each in logits}
    assert len(rounded) == len(logits)


def _varied(space: NASBench1Shot1Space) -> np.ndarray:
    """A small sample that has a loose end, an input-output edge, and the last block's edge."""
    candidates = space.sample(np.random.default_rng(7), 6)
    paths = [active_paths(space, vector) for vector in candidates]
    assert any(0 in p.output for p in paths)
    assert any(space.num_blocks in p.output for p in paths)
    sizes = [space.decode(v).prune().num_vertices for v in candidates]
    assert min(sizes) < space.num_blocks + 2
    return candidates


def _gradients(supernet: Supernet, vector: np.ndarray, skip: bool) -> dict[str, Tensor]:
    supernet.zero_grad(set_to_none=True)
    weights = one_hot(supernet.space, vector, skip=skip)
    functional.cross_entropy(supernet(images(), weights), labels()).backward()
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for name, p in supernet.named_parameters()
    }


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("name", [1, 2, 3])
def test_unselected_paths_get_exactly_zero_gradient(name: int, skip: bool) -> None:
    space = load_space(name)
    supernet = small_supernet(space)
    size = space.num_blocks
    for vector in _varied(space):
        gradients = _gradients(supernet, vector, skip)
        cell = space.decode(vector)
        paths = active_paths(space, vector)
        used = [v for v in range(1, size + 1) if _path(cell.matrix, v)]
        for index in range(len(supernet.cells)):
            width = supernet.cells[index].width
            for v in range(1, size + 1):
                for column, layer in ((1, "conv3x3"), (2, "conv1x1")):
                    selected = v in used and column in paths.operation[v - 1]
                    gradient = gradients[f"cells.{index}.blocks.{v - 1}.{layer}.weight"]
                    assert bool((gradient != 0).any()) == selected
            projection = gradients[f"cells.{index}.projection.weight"]
            for v in range(1, size + 2):
                part = projection[(v - 1) * width : v * width if v <= size else None]
                selected = bool(cell.matrix[0, v]) and (v in used or v == size + 1)
                assert bool((part != 0).any()) == selected


@pytest.mark.parametrize("partial", [1, 4])
@pytest.mark.parametrize("name", [1, 2, 3])
def test_skipping_changes_no_gradient(name: int, partial: int) -> None:
    space = load_space(name)
    supernet = small_supernet(space, replace(SMALL, partial_channels=partial)).double()
    for vector in _varied(space)[:3]:
        full, skipped = (_in_double(supernet, vector, skip) for skip in (False, True))
        for tensor_name, gradient in full.items():
            assert torch.allclose(gradient, skipped[tensor_name], atol=1e-10), tensor_name


def _in_double(supernet: Supernet, vector: np.ndarray, skip: bool) -> dict[str, Tensor]:
    supernet.zero_grad(set_to_none=True)
    weights = one_hot(supernet.space, vector, skip=skip)
    doubled = weights._mapped([tensor.double() for tensor in weights.tensors])
    functional.cross_entropy(supernet(images().double(), doubled), labels()).backward()
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for name, p in supernet.named_parameters()
    }


def _path(matrix: np.ndarray, vertex: int) -> bool:
    reach = np.linalg.matrix_power(matrix.astype(int) + np.eye(len(matrix), dtype=int), 9)
    return bool(reach[vertex, -1])


def test_skipped_operations_keep_their_statistics() -> None:
    space = load_space(3)
    vector = vectors(space, 1)[0]
    column = active_paths(space, vector).operation[0][0]
    supernet = small_supernet(space)
    before = {name: tensor.clone() for name, tensor in supernet.named_buffers()}
    supernet(images(), one_hot(space, vector, skip=True))
    moved = {n for n, tensor in supernet.named_buffers() if not torch.equal(tensor, before[n])}
    supernet(images(), one_hot(space, vector))
    for other, layer in ((1, "conv3x3"), (2, "conv1x1")):
        if other != column:
            assert f"cells.0.blocks.0.{layer}.norm.running_mean" not in moved
    assert "cells.0.projection.norm.running_mean" in moved


def test_statistics_of_skipped_projections_do_not_move() -> None:
    space = load_space(3)
    supernet = small_supernet(space)
    vector = next(v for v in vectors(space, 20) if 0 not in active_paths(space, v).output)
    cell = supernet.cells[0]
    mean, variance = (
        getattr(cell.projection.norm, f"running_{n}").clone() for n in ("mean", "var")
    )
    supernet(images(), one_hot(space, vector, skip=True))
    output = slice(space.num_blocks * cell.width, None)
    norm = cell.projection.norm
    assert torch.equal(norm.running_mean[output], mean[output])
    assert torch.equal(norm.running_var[output], variance[output])
    assert not torch.equal(norm.running_mean, mean)
    assert not torch.equal(norm.running_var, variance)


def test_another_architecture_in_every_cell() -> None:
    space = load_space(2)
    supernet = small_supernet(space).eval()
    chosen = vectors(space, 3)
    with torch.no_grad():
        logits = [
            supernet(images(), per_cell([one_hot(space, v, skip=skip) for v in chosen]))
            for skip in (False, True)
        ]
        first = supernet(images(), one_hot(space, chosen[0]))
    assert torch.allclose(logits[0], logits[1], atol=1e-5)
    assert not torch.allclose(logits[0], first, atol=1e-3)
