"""Which runs go together into one Tune trial, and in which order the trials start."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from raynas.execution.log import Run
from raynas.execution.plan import Plan

#: CPU seconds of one run of 280 full trainings on space 3, measured on one core of an AMD EPYC
#: (`smac3`: 280 suggestions of 0.37 s). Only their proportions matter; a wrong figure costs
#: balance, nothing else.
SECONDS_PER_RUN = {
    "rs": 0.02,
    "re": 0.02,
    "ls": 0.01,
    "reinforce": 0.08,
    "hb": 0.09,
    "tpe": 1.0,
    "smac": 4.8,
    "bohb": 2.0,
    "smac3": 105.0,
}
_UNKNOWN_METHOD = 1.0
_FEWEST_SECONDS = 2.0
_BLOCKS_PER_CPU = 8


@dataclass(frozen=True, slots=True)
class Block:
    """One Tune trial: a method on a space with some seeds, one after another."""

    method: str
    space: str
    seeds: tuple[int, ...]
    cost: float


def plan_blocks(plan: Plan, finished: Collection[Run], cpus: float) -> list[Block]:
    """Blocks for all runs of a plan that are not finished, the most expensive first.

    Runs of slow methods get blocks of their own, fast ones share: a block should last long
    enough to hide the cost of starting it, and short enough that the last ones to finish on
    `cpus` cores finish together.
    """
    costs = {method: _seconds(method, plan.evaluations) for method in plan.black_box}
    waiting = {
        (method, space): [seed for seed in plan.seeds if (method, space, seed) not in finished]
        for method in plan.black_box
        for space in plan.spaces
    }
    total = sum(costs[method] * len(seeds) for (method, _), seeds in waiting.items())
    target = max(_FEWEST_SECONDS, total / (cpus * _BLOCKS_PER_CPU))
    blocks = []
    for (method, space), seeds in waiting.items():
        size = max(1, round(target / costs[method]))
        for start in range(0, len(seeds), size):
            part = tuple(seeds[start : start + size])
            blocks.append(Block(method, space, part, costs[method] * len(part)))
    return sorted(blocks, key=lambda block: -block.cost)


def _seconds(method: str, evaluations: int) -> float:
    return SECONDS_PER_RUN.get(method, _UNKNOWN_METHOD) * evaluations / 280
