"""Builds the stored index of the three spaces: `python -m search_spaces.index`.

For each space it writes which unique cell every architecture describes, and the unique cells'
hashes, so that no search ever computes a hash. About half a minute on one core.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from search_spaces.graph_arrays import fingerprints
from search_spaces.nas_bench_1shot1 import NUM_PARENTS, NASBench1Shot1Space, index_path
from search_spaces.space import as_keys

_BLOCK = 100_000


def build_index(
    space: NASBench1Shot1Space,
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint8]]:
    """Classify all architectures of a space.

    Returns:
        The row of each architecture in the order of `Space.enumerate`, shape
        (num_architectures,), and the sorted hashes of the unique cells, shape (num_unique, 16).
    """
    classes = np.concatenate(
        [
            _fingerprints(space, np.arange(start, min(start + _BLOCK, space.num_architectures)))
            for start in range(0, space.num_architectures, _BLOCK)
        ]
    )
    _, first, inverse = np.unique(classes, return_index=True, return_inverse=True)
    digests = b"".join(space.decode(vector).digest for vector in space.vectors(first))
    hashes = np.frombuffer(digests, np.uint8).reshape(-1, 16)
    order = np.argsort(as_keys(hashes), kind="stable")
    rank = np.empty(len(order), np.uint16)
    rank[order] = np.arange(len(order))
    return rank[inverse], hashes[order]


def _fingerprints(
    space: NASBench1Shot1Space, numbers: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    vectors = space.vectors(numbers)
    return fingerprints(space.matrices(vectors), space.labels(vectors))


def main(folder: Path | None = None) -> None:
    """Write the index of all three spaces.

    Args:
        folder: where to; by default where the package reads it from.
    """
    for name in NUM_PARENTS:
        space = NASBench1Shot1Space(name)
        rows, hashes = build_index(space)
        for part, array in (("rows", rows), ("hashes", hashes)):
            path = index_path(name, part)
            path = path if folder is None else folder / path.name
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, array)
        print(f"space {name}: {len(rows):,} architectures, {len(hashes):,} unique cells")


if __name__ == "__main__":
    main()
