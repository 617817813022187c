"""Cells per second, together and one by one: `python -m tests.performance.correlation_speed`.

Both ways score the same cells with the same weights on the same images in one process and take
turns; of each the smallest time counts. On the CPU that is CPU time of one thread, so that other
processes disturb it less, and both keep freed memory. The cells are a run of the order in which
`python -m raynas.correlation` works through a space: neighbours have the same edges.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch

from raynas.correlation_study import Request, cell_order, representatives
from raynas.images import find_images, load_search_images
from raynas.oneshot import Search, method_settings
from raynas.oneshot.scoring import Scorer
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


def main() -> None:
    """Print a line per space, rule and statistics."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spaces", default="1,3")
    parser.add_argument("--cells-scored", type=int, default=64)
    parser.add_argument("--images", default="digits")
    parser.add_argument("--images-limit", type=int, default=192)
    parser.add_argument("--channels", type=int, default=4)
    parser.add_argument("--cells", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=96)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    if given.device == "cpu":
        torch.set_num_threads(1)
        keep_freed_memory()
    values = {name: getattr(given, name) for name in ("channels", "cells", "batch_size")}
    for space in given.spaces.split(","):
        scores = scorer(space, given.device, given.images, given.images_limit, values)
        vectors = representatives(space)
        rows = cell_order(vectors, space, Request())
        first = len(rows) // 3
        chosen = vectors[rows[first : first + given.cells_scored]]
        for rule, statistics in [*(("corrected", s) for s in STATISTICS), ("published", "running")]:
            best = {True: float("inf"), False: float("inf")}
            for _ in range(given.turns):
                for shared in best:
                    started = seconds(given.device)
                    scores.accuracies(chosen, rule, statistics, shared=shared)
                    best[shared] = min(best[shared], seconds(given.device) - started)
            rates = {shared: len(chosen) / took for shared, took in best.items()}
            print(
                f"space {space}, {rule}, {statistics}: {rates[True]:.1f} cells/s together, "
                f"{rates[False]:.1f} one by one, {rates[True] / rates[False]:.2f} times",
                flush=True,
            )


if __name__ == "__main__":
    main()
