"""Cells per second, together and one by one: `python -m tests.performance.correlation_speed`.

Both ways score the same cells with the same weights on the same images in one process and take
turns; of each the smallest time counts. On the CPU that is CPU time of one thread, so that other
processes disturb it less, and both keep freed memory. The cells are a run of the order in which
`python -m raynas.correlation` works through a space: neighbours have the same edges.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch

from raynas.correlation_study import Request
from raynas.images import find_images, load_search_images
from raynas.oneshot import Search, method_settings
from raynas.oneshot.scoring import Scorer
from raynas.scored_cells import scored_cells
from raynas.supernet import STATISTICS, keep_freed_memory
from search_spaces.spaces import load_space


def scorer(space: str, device: str, images: str, limit: int, values: dict[str, int]) -> Scorer:
    """Untrained weights: what is computed does not depend on them."""
    loaded = load_search_images(find_images(images), device)
    found: Any = load_space(space)
    settings = method_settings("random_ws", **values)
    return Scorer(Search("random_ws", found, loaded, settings, seed=0), limit)


def seconds(device: str) -> float:
    """The clock of a device."""
    if device == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.thread_time()


class Rate(NamedTuple):
    """Cells per second by one rule with one kind of statistics."""

    space: str
    rule: str
    statistics: str
    together: float
    one_by_one: float

    def __str__(self) -> str:
        return (
            f"space {self.space}, {self.rule}, {self.statistics}: {self.together:.1f} cells/s "
            f"together, {self.one_by_one:.1f} one by one, {self.together / self.one_by_one:.2f} "
            "times"
        )


class Sizes(NamedTuple):
    """What is measured."""

    cells_scored: int = 64
    images: str = "digits"
    images_limit: int = 192
    channels: int = 4
    cells: int = 3
    batch_size: int = 96
    turns: int = 3
    device: str = "cpu"


def rates(space: str, sizes: Sizes) -> Iterator[Rate]:
    """The rates of each rule and kind of statistics."""
    if sizes.device == "cpu":
        torch.set_num_threads(1)
        keep_freed_memory()
    values = {name: getattr(sizes, name) for name in ("channels", "cells", "batch_size")}
    scores = scorer(space, sizes.device, sizes.images, sizes.images_limit, values)
    cells = scored_cells(space, Request())
    first = len(cells.order) // 3
    chosen = cells.vectors[cells.order[first : first + sizes.cells_scored]]
    for rule, statistics in [*(("corrected", s) for s in STATISTICS), ("published", "running")]:
        best = {True: float("inf"), False: float("inf")}
        for _ in range(sizes.turns):
            for shared in best:
                started = seconds(sizes.device)
                scores.accuracies(chosen, rule, statistics, shared=shared)
                best[shared] = min(best[shared], seconds(sizes.device) - started)
        found = [len(chosen) / best[shared] for shared in (True, False)]
        yield Rate(space, rule, statistics, *found)


def main() -> None:
    """Print a line per space, rule and statistics."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spaces", default="1,3")
    for name, usual in Sizes._field_defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(usual), default=usual)
    given = vars(parser.parse_args())
    for space in given.pop("spaces").split(","):
        for rate in rates(space, Sizes(**given)):
            print(rate, flush=True)


if __name__ == "__main__":
    main()
