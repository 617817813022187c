"""Which operations and edges of a cell are computed, and where their weights stand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from raynas.supernet.operations import PRIMITIVES
from raynas.supernet.weights import ActivePaths

#: Position of a term that has no weight of its own.
UNWEIGHTED = -1

Term = tuple[int, int]


@dataclass(frozen=True)
class BlockPlan:
    """What of one choice block is computed.

    Attributes:
        block: number of the block; 0 is the first.
        parents: pairs (parent, position of the weight); parent 0 is the cell's input.
        operations: pairs (column, position of the weight).
    """

    block: int
    parents: tuple[Term, ...]
    operations: tuple[Term, ...]


@dataclass(frozen=True)
class CellPlan:
    """What of a cell is computed. Positions are those of the flat vector of weights.

    Attributes:
        blocks: the computed blocks in their order.
        output: pairs (edge, position of the weight); edge 0 comes from the cell's input.
        projections: which projections of the cell's input are computed: i for block i, k for
            the output.
        complete: whether everything is computed.
    """

    blocks: tuple[BlockPlan, ...]
    output: tuple[Term, ...]
    projections: tuple[int, ...]
    complete: bool


@lru_cache(maxsize=4096)
def cell_plan(choices: tuple[bool, ...], active: ActivePaths | None) -> CellPlan:
    """The plan of a cell.

    The flat vector holds the operation weights row by row, then the output's, then the inputs'.

    Args:
        choices: for each block whether it has a choice of parents.
        active: what is not zero; None computes everything. Blocks from which no active path
            leads to the output are left out, too.
    """
    size = len(choices)
    first_output = size * len(PRIMITIVES)
    lengths = [block + 1 if choice else 0 for block, choice in enumerate(choices)]
    starts = list(accumulate(lengths, initial=first_output + size + 1))
    output = range(size + 1) if active is None else active.output
    rows = iter(active.inputs if active is not None else ())
    parents: list[list[Term]] = []
    for block, choice in enumerate(choices):
        chosen = next(rows) if choice and active is not None else range(block + 1)
        start = starts[block]
        parents.append([(j, start + j if choice else UNWEIGHTED) for j in chosen])
    needed = {edge for edge in output if edge}
    for block in reversed(range(size)):
        if block + 1 in needed:
            needed |= {parent for parent, _ in parents[block] if parent}
    blocks = []
    for block in range(size):
        if block + 1 not in needed:
            continue
        columns = range(len(PRIMITIVES)) if active is None else active.operation[block]
        terms = tuple((column, block * len(PRIMITIVES) + column) for column in columns)
        blocks.append(BlockPlan(block, tuple(parents[block]), terms))
    projections = [plan.block for plan in blocks if any(parent == 0 for parent, _ in plan.parents)]
    projections += [size] if 0 in output else []
    return CellPlan(
        tuple(blocks),
        tuple((edge, first_output + edge) for edge in output),
        tuple(projections),
        complete=active is None,
    )
