"""Which values of a cell several architectures have in common, and in which order to compute.

A value is a block's sum of inputs or its output. It is the same for two architectures if they
agree on everything that it is made of: the cell's input, operations, parents and their weights.
So in the first cell, whose input all architectures share, a value is computed once for all that
agree on its sub-graph; in later cells the inputs differ, and so do all values, but those that pass
the same operation with the same parameters go through it together.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import torch

from raynas.supernet.plan import UNWEIGHTED, cell_plan
from raynas.supernet.weights import ArchitectureWeights

#: A parent or an operation with its weight.
Term = tuple[int, float]


@dataclass(frozen=True)
class Paths:
    """What of a cell is computed for one architecture, with weights as numbers.

    Attributes:
        blocks: (block, its parents, its operations), in order; parent 0 is the cell's input.
        output: edges into the output; edge 0 comes from the cell's input.
    """

    blocks: tuple[tuple[int, tuple[Term, ...], tuple[Term, ...]], ...]
    output: tuple[Term, ...]


def paths_of(choices: tuple[bool, ...], weights: ArchitectureWeights) -> Paths:
    """The paths of weights whose zeros are marked (`ArchitectureWeights.active`)."""
    assert weights.active is not None
    plan = cell_plan(choices, weights.active[0])
    flat = torch.cat([tensor.reshape(-1) for tensor in weights.tensors]).tolist()

    def terms(pairs: Iterable[tuple[int, int]]) -> tuple[Term, ...]:
        return tuple((i, 1.0 if p == UNWEIGHTED else flat[p]) for i, p in pairs)

    blocks = ((b.block, terms(b.parents), terms(b.operations)) for b in plan.blocks)
    return Paths(tuple(blocks), terms(plan.output))


@dataclass(frozen=True)
class Sums:
    """Weighted sums that have the same parents: a run of rows of a block's stacked inputs.

    Attributes:
        terms: (parent, weight, row of the parent's values for each sum).
        count: how many sums.
    """

    terms: tuple[tuple[int, float, tuple[int, ...]], ...]
    count: int


@dataclass(frozen=True)
class BlockStep:
    """All values of one block.

    Attributes:
        block: its number from 0.
        projected: rows of the cell's inputs that are projected for it.
        sums: the inputs of its operations, one run after another.
        operations: for each column the rows of the sums that pass it.
        states: outputs, in runs with the same operations: (column, weight, row among the
            results of that column) for each term.
    """

    block: int
    projected: tuple[int, ...]
    sums: tuple[Sums, ...]
    operations: tuple[tuple[int, tuple[int, ...]], ...]
    states: tuple[tuple[tuple[int, float, tuple[int, ...]], ...], ...]


@dataclass(frozen=True)
class CellSteps:
    """All values of a cell for architectures with the same edges into the output.

    Attributes:
        blocks: in the order of computation.
        projected: rows of the cell's inputs that are projected for the output.
        output: (edge, weight, row of that value for each architecture).
    """

    blocks: tuple[BlockStep, ...]
    projected: tuple[int, ...]
    output: tuple[tuple[int, float, tuple[int, ...]], ...]


def cell_steps(paths: Sequence[Paths], inputs: Sequence[int]) -> CellSteps:
    """The steps of a cell.

    Args:
        paths: of architectures with the same output edges.
        inputs: for each of them the row of its cell's input; equal rows are shared.
    """
    rows: dict[tuple[int, int], int] = {}  # (architecture, block + 1) -> row of the block's values
    steps = []
    for block in sorted({b for p in paths for b, _, _ in p.blocks}):
        found = {
            i: (parents, operations)
            for i, p in enumerate(paths)
            for b, parents, operations in p.blocks
            if b == block
        }
        steps.append(_block_step(block, found, inputs, rows))
    wanted = _distinct(inputs) if paths[0].output[0][0] == 0 else ()
    output = tuple(
        (edge, weight, tuple(_row(i, edge, inputs, rows, wanted) for i in range(len(paths))))
        for edge, weight in paths[0].output
    )
    return CellSteps(tuple(steps), wanted, output)


def _block_step(
    block: int,
    found: dict[int, tuple[tuple[Term, ...], tuple[Term, ...]]],
    inputs: Sequence[int],
    rows: dict[tuple[int, int], int],
) -> BlockStep:
    projected = _distinct(inputs[i] for i, (parents, _) in found.items() if parents[0][0] == 0)
    sum_of = {
        i: tuple((j, w, _row(i, j, inputs, rows, projected)) for j, w in parents)
        for i, (parents, _) in found.items()
    }
    columns: dict[Hashable, set[int]] = {}
    for i, (_, operations) in found.items():
        columns.setdefault(sum_of[i], set()).update(column for column, _ in operations)
    # Sums that pass the same operations stand together, so that no operation has to gather them.
    order = sorted(set(sum_of.values()), key=lambda s: (sorted(columns[s]), _signature(s), s))
    place = {key: row for row, key in enumerate(order)}
    passing = {
        column: [row for row, key in enumerate(order) if column in columns[key]]
        for column in sorted(set().union(*columns.values()))
    }
    of_state = {
        i: (operations, tuple(passing[c].index(place[sum_of[i]]) for c, _ in operations))
        for i, (_, operations) in found.items()
    }
    states = sorted(set(of_state.values()))
    for i, state in of_state.items():
        rows[i, block + 1] = states.index(state)
    return BlockStep(
        block,
        projected,
        tuple(_sums(keys) for keys in _runs(order, _signature)),
        tuple((column, tuple(passed)) for column, passed in passing.items()),
        tuple(_state_terms(run) for run in _runs(states, lambda state: state[0])),
    )


def _signature(key: tuple[tuple[int, float, int], ...]) -> tuple[Term, ...]:
    return tuple((parent, weight) for parent, weight, _ in key)


def _sums(keys: Sequence[tuple[tuple[int, float, int], ...]]) -> Sums:
    terms = tuple(
        (parent, weight, tuple(key[position][2] for key in keys))
        for position, (parent, weight, _) in enumerate(keys[0])
    )
    return Sums(terms, len(keys))


def _state_terms(
    run: Sequence[tuple[tuple[Term, ...], tuple[int, ...]]],
) -> tuple[tuple[int, float, tuple[int, ...]], ...]:
    return tuple(
        (column, weight, tuple(rows[position] for _, rows in run))
        for position, (column, weight) in enumerate(run[0][0])
    )


def _row(
    architecture: int,
    parent: int,
    inputs: Sequence[int],
    rows: dict[tuple[int, int], int],
    projected: tuple[int, ...],
) -> int:
    if parent == 0:
        return projected.index(inputs[architecture])
    return rows[architecture, parent]


def _distinct(rows: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(rows)))


def _runs(items: Sequence, key) -> list[list]:  # type: ignore[no-untyped-def,type-arg]
    runs: list[list] = []  # type: ignore[type-arg]
    for item in items:
        if runs and key(runs[-1][0]) == key(item):
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs
