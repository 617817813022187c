"""What it means to evaluate a discrete architecture with shared weights: two rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from raynas.supernet.weights import ArchitectureWeights, one_hot
from search_spaces.errors import unknown_name
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.space import Vectors

#: "corrected": operations and edges are 0 or 1 as in the architecture. "published": those of the
#: released correlation script of NAS-Bench-1Shot1, with its errors; see `rule_weights`.
RULES = ("corrected", "published")

#: Spaces whose cells the released script cuts from seven vertices to six.
_CUT = 4


def rule_weights(
    space: NASBench1Shot1Space,
    vector: Sequence[int] | Vectors,
    rule: str,
    *,
    softmaxed: bool,
) -> ArchitectureWeights:
    """Weights of an architecture under a rule; what has weight zero is marked as not computed.

    The published rule has two errors, which are reproduced under that name only:
    - operations: for methods with architecture parameters the released script applies a softmax
      to the one-hot rows, so the selected operation has weight 0.576 and the two others 0.212
      each; rows of edges are divided by their sum;
    - output edges: where a cell has four blocks (spaces 1 and 2) two rows are removed from the
      matrix instead of a row and a column, and the edge from block 4 to the output is lost.

    Args:
        space: space 1, 2 or 3.
        vector: an architecture of the space, shape (d,).
        rule: one of `RULES`.
        softmaxed: whether the method has architecture parameters; without them (random search
            with weight sharing) the published rule leaves rows of 0 and 1 as they are.

    Raises:
        UserError: there is no such rule.
    """
    if rule not in RULES:
        raise unknown_name("evaluation rule", rule, list(RULES))
    if rule == "corrected":
        return one_hot(space, vector, skip=True)
    weights = one_hot(space, vector)
    output = weights.output.clone()
    if space.num_blocks == _CUT:
        output[-1] = 0
    weights = replace(weights, output=output)
    if softmaxed:
        weights = replace(
            weights,
            operation=torch.softmax(weights.operation, -1),
            inputs=tuple(_shares(row) for row in weights.inputs),
            output=_shares(output),
        )
    return weights.skipping_zeros()


def _shares(row: Tensor) -> Tensor:
    return row / row.sum()
