from __future__ import annotations

import numpy as np
import pytest
import torch

from raynas.supernet import PRIMITIVES, one_hot
from raynas.supernet.operations import COLUMN_OF, OPTION_OF
from raynas.supernet.plan import UNWEIGHTED, cell_plan
from raynas.supernet.weights import active_paths
from search_spaces.cell import OPERATIONS
from search_spaces.spaces import load_space
from tests.support.supernets import per_cell, spread_alphas, vectors


def test_columns_and_options_name_the_same_operations() -> None:
    assert [PRIMITIVES[column] for column in COLUMN_OF] == list(OPERATIONS)
    assert [OPERATIONS[option] for option in OPTION_OF] == list(PRIMITIVES)


@pytest.mark.parametrize("name", [1, 2, 3])
def test_one_hot_weights_are_the_cell(name: int) -> None:
    space = load_space(name)
    for vector in space.sample(np.random.default_rng(name), 50):
        weights, cell = one_hot(space, vector), space.decode(vector)
        assert all(set(tensor.unique().tolist()) <= {0.0, 1.0} for tensor in weights.tensors)
        assert [PRIMITIVES[c] for c in weights.operation.argmax(1)] == list(cell.ops[1:-1])
        assert weights.operation.sum(1).tolist() == [1.0] * space.num_blocks
        # Column j of the output row is the edge from block j, the last block's included.
        assert weights.output.tolist() == cell.matrix[:-1, -1].tolist()
        rows = iter(weights.inputs)
        for block, sets in enumerate(space.parent_sets[:-1]):
            if len(sets) > 1:
                assert next(rows).tolist() == cell.matrix[: block + 1, block + 1].tolist()
        assert next(rows, None) is None


def test_the_last_blocks_edge_to_the_output_can_be_selected() -> None:
    # The released correlation study lost it in spaces 1 and 2.
    for name in (1, 2, 3):
        space = load_space(name)
        sample = space.sample(np.random.default_rng(0), 40)
        found = [one_hot(space, vector).output[-1].item() for vector in sample]
        assert set(found) == {0.0, 1.0}


@pytest.mark.parametrize("name", [1, 2, 3])
def test_nonzero_entries_are_the_active_paths(name: int) -> None:
    space = load_space(name)
    for vector in vectors(space, 5):
        assert one_hot(space, vector).active is None
        known = one_hot(space, vector, skip=True).active
        assert known == (active_paths(space, vector),)
        assert one_hot(space, vector).skipping_zeros().active == known


def test_nonzero_entries_of_every_cell() -> None:
    space = load_space(3)
    weights = [one_hot(space, vector, skip=True) for vector in vectors(space, 3)]
    together = per_cell(weights)
    assert per_cell([one_hot(space, v) for v in vectors(space, 3)]).skipping_zeros().active == (
        together.active
    )
    for index, single in enumerate(weights):
        cell = together.cell(index)
        assert cell.active == single.active
        assert all(torch.equal(a, b) for a, b in zip(cell.tensors, single.tensors, strict=True))


def test_softmax_weights_skip_nothing() -> None:
    space = load_space(2)
    weights = spread_alphas(space).softmax()
    choices = tuple(len(sets) > 1 for sets in space.parent_sets[:-1])
    skipping = weights.skipping_zeros().active
    assert skipping is not None
    complete, computed = cell_plan(choices, None), cell_plan(choices, skipping[0])
    assert (computed.blocks, computed.output) == (complete.blocks, complete.output)


def test_plan_leaves_out_what_does_not_reach_the_output() -> None:
    space = load_space(3)
    choices = tuple(len(sets) > 1 for sets in space.parent_sets[:-1])
    for vector in space.sample(np.random.default_rng(0), 100):
        plan = cell_plan(choices, active_paths(space, vector))
        assert len(plan.blocks) == space.decode(vector).prune().num_vertices - 2


def test_positions_point_into_the_flat_weights() -> None:
    space = load_space(1)
    choices = tuple(len(sets) > 1 for sets in space.parent_sets[:-1])
    plan = cell_plan(choices, None)
    assert plan.blocks[0].parents == ((0, UNWEIGHTED),)
    assert plan.blocks[1].parents == ((0, UNWEIGHTED), (1, UNWEIGHTED))
    used = [p for block in plan.blocks for _, p in (*block.operations, *block.parents)]
    used += [position for _, position in plan.output]
    assert sorted(p for p in used if p != UNWEIGHTED) == list(range(24))


def test_detached_weights_keep_everything_else() -> None:
    space = load_space(3)
    alphas = spread_alphas(space)
    weights = alphas.softmax().skipping_zeros()
    detached = weights.detach()
    assert weights.operation.requires_grad
    assert not any(tensor.requires_grad for tensor in detached.tensors)
    assert detached.active == weights.active
