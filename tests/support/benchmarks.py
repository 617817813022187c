"""Synthetic benchmarks with structure: errors depend on the architecture, repeats are noisy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from search_spaces.benchmark import (
    ACCURACY_UNIT,
    BUDGETS,
    REPEATS,
    UNKNOWN_ACCURACY,
    Benchmark,
    write_store,
)
from search_spaces.space import Space


def synthetic_benchmark(
    path: Path, space: Space, seed: int = 0, *, unknown: float = 0.0
) -> Benchmark:
    """Write and open a store that covers one space; the same seed gives the same bytes.

    A share `unknown` of its (cell, budget, repeat) figures is null.
    """
    rng = np.random.default_rng(seed)
    quality = _quality(space, rng)
    count = len(quality)
    budgets = np.array(BUDGETS) / BUDGETS[-1]
    error = 0.05 + 0.15 * quality[:, None] ** 1.5 + 0.12 * (1 - budgets**0.3)
    noise = 0.003 * rng.standard_normal((2, count, len(BUDGETS), len(REPEATS)))
    accuracies = np.rint((1 - error[:, :, None] - noise).clip(0, 1) * ACCURACY_UNIT)
    parameters = rng.integers(300_000, 50_000_000, count)
    seconds = (400 + parameters / 2e4)[:, None, None] * budgets[None, :, None]
    seconds = seconds * rng.uniform(0.95, 1.05, (count, len(BUDGETS), len(REPEATS)))
    columns = {
        "module_hash": space.unique_hashes(),
        "validation_accuracy": accuracies[0].astype(np.uint16),
        "test_accuracy": (accuracies[1] - 60).astype(np.uint16),
        "training_seconds": seconds.astype(np.float32),
        "parameters": parameters.astype(np.int32),
    }
    gone = rng.random((count, len(BUDGETS), len(REPEATS))) < unknown
    columns["validation_accuracy"][gone] = UNKNOWN_ACCURACY
    columns["test_accuracy"][gone] = UNKNOWN_ACCURACY
    columns["training_seconds"][gone] = np.nan
    write_store(
        path,
        columns,
        name=f"synthetic space {space.name}",
        kind="synthetic",
        metadata={"seed": seed},
    )
    return Benchmark.open(path)


def _quality(space: Space, rng: np.random.Generator) -> np.ndarray:
    """One number in [0, 1] per unique cell, mostly a sum of effects of its options."""
    vectors = space.enumerate()
    rows, first = np.unique(space.rows(vectors), return_index=True)
    vectors = vectors[first[rows >= 0]]
    score = 0.5 * rng.standard_normal(len(vectors))
    for column, options in enumerate(space.cardinalities):
        score += rng.standard_normal(options)[vectors[:, column]]
    return np.argsort(np.argsort(score)) / max(len(score) - 1, 1)
