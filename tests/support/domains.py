"""Small categorical domains with a known error surface, for tests of optimizers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SPACE_3 = (3,) * 5 + (1, 2, 3, 6, 10, 15)
"""Cardinalities of NAS-Bench-1Shot1's search space 3."""


def everything_valid(vectors: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.ones(len(vectors), dtype=bool)


def even_sum(vectors: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Half of the vectors, none of them one change away from more than its even partners."""
    return np.asarray(vectors.astype(np.int64).sum(axis=1) % 2 == 0)


def small_sum(vectors: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.asarray(vectors.astype(np.int64).sum(axis=1) <= 9)


@dataclass(frozen=True)
class CategoricalDomain:
    """All vectors of given cardinalities that a rule admits."""

    cardinalities: tuple[int, ...] = SPACE_3
    rule: Callable[[npt.NDArray[Any]], npt.NDArray[np.bool_]] = everything_valid

    def valid(self, vectors: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        vectors = np.asarray(vectors)
        inside = (vectors < np.array(self.cardinalities)).all(axis=1)
        return np.asarray(inside & self.rule(vectors))

    def sample(self, rng: np.random.Generator, size: int) -> npt.NDArray[np.uint8]:
        found = np.empty((0, len(self.cardinalities)), dtype=np.uint8)
        while len(found) < size:
            drawn = rng.integers(self.cardinalities, size=(size, len(self.cardinalities)))
            drawn = drawn.astype(np.uint8)
            found = np.concatenate([found, drawn[self.valid(drawn)]])
        return found[:size]

    def neighbours(self, vector: Sequence[int] | npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        base = np.asarray(vector, dtype=np.uint8)
        rows = []
        for i, n in enumerate(self.cardinalities):
            for option in range(n):
                if option != base[i]:
                    row = base.copy()
                    row[i] = option
                    rows.append(row)
        found = np.array(rows, dtype=np.uint8).reshape(-1, len(base))
        return found[self.valid(found)]

    def mutate(
        self, rng: np.random.Generator, vector: Sequence[int] | npt.NDArray[Any]
    ) -> npt.NDArray[np.uint8]:
        choices = self.neighbours(vector)
        if rng.random() < 1 / 3 or not len(choices):
            return np.asarray(vector, dtype=np.uint8)
        return np.asarray(choices[rng.integers(len(choices))])


def error_of(vector: Sequence[int], cardinalities: Sequence[int] = SPACE_3) -> float:
    """An easy surface in [0.05, 0.95]: a fixed target, with one interaction of the first two."""
    misses = [
        abs(value - (i * 7) % n) / (n - 1)
        for i, (value, n) in enumerate(zip(vector, cardinalities, strict=True))
        if n > 1
    ]
    interaction = 0.5 * (vector[0] != vector[1])
    return 0.05 + 0.9 * (sum(misses) + interaction) / (len(misses) + 0.5)
