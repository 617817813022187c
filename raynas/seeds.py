"""One tree of random seeds: study -> method -> space -> seed -> component."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def seed_for(study_seed: int, *path: str | int) -> np.random.SeedSequence:
    """The seed sequence of one node of a study's tree.

    It depends on the study's seed and the path only: not on the process, on Python's hash seed,
    or on which nodes were asked for before. Different paths give independent streams.

    Args:
        study_seed: the root of the tree, >= 0.
        path: the way down, for instance `"rs", "3", 7, "repeats"`. The text "7" and the number 7
            are different steps.
    """
    import numpy as np

    key = tuple(word for step in path for word in _words(step))
    return np.random.SeedSequence(study_seed, spawn_key=key)


def _words(step: str | int) -> tuple[int, ...]:
    """Four 32-bit words for one step; a fixed length keeps paths of other depths apart."""
    digest = hashlib.blake2b(f"{type(step).__name__}:{step}".encode(), digest_size=16).digest()
    return tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))
