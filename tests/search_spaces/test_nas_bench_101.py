"""The whole of NAS-Bench-101 as a space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from search_spaces import CONV3X3, INPUT, OUTPUT, ArchitectureError, Cell, load_space
from search_spaces.graph_arrays import fingerprints
from search_spaces.nas_bench_101 import (
    NUM_BLOCKS,
    NASBench101Space,
    _full_graphs,
    unique_vectors,
)
from search_spaces.space import hash_texts


@pytest.mark.long
def test_number_of_graphs_and_of_unique_cells_by_vertices() -> None:
    graphs = {n: len(matrices) for n, matrices in _full_graphs()}
    assert graphs == {2: 1, 3: 2, 4: 10, 5: 121, 6: 1545, 7: 4793}
    prints, vectors = unique_vectors()
    assert len(prints) == 423_624 == load_space(101).num_unique
    space = NASBench101Space()
    matrices = space.matrices(vectors)
    sizes = 2 + matrices[:, 1:-1].any(2).sum(1)
    assert np.bincount(sizes)[2:].tolist() == [1, 6, 84, 2441, 62010, 359082]


@pytest.mark.parametrize("name", [1, 2, 3])
def test_cells_of_the_three_spaces_can_be_encoded(name: int) -> None:
    space, whole = load_space(name), load_space(101)
    for row in range(0, space.num_unique, space.num_unique // 200):
        vector = whole.encode(space.cell(row))
        assert whole.valid(vector[None])[0]
        assert whole.decode(vector) == space.cell(row)


@pytest.mark.long
def test_the_three_spaces_are_part_of_it() -> None:
    prints = set(unique_vectors()[0].tolist())
    for name in (1, 2, 3):
        space = load_space(name)
        vectors = np.stack([space.representative(r) for r in range(0, space.num_unique, 7)])
        matrices, labels = space.matrices(vectors), space.labels(vectors)  # type: ignore[attr-defined]
        if name != 3:  # one vertex less: set an unused block before the output
            matrices = np.insert(np.insert(matrices, 5, 0, axis=1), 5, 0, axis=2)
            labels = np.insert(labels, 5, 0, axis=1)
        assert set(fingerprints(matrices, labels).tolist()) <= prints


def test_valid_is_the_rule_of_the_benchmark() -> None:
    space = load_space(101)
    rng = np.random.default_rng(0)
    raw = rng.integers(0, space.cardinalities, (400, len(space.cardinalities)), np.uint8)
    for vector, valid in zip(raw, space.valid(raw), strict=True):
        try:
            pruned = space.decode(vector).prune()
        except ValueError:
            assert not valid
        else:
            assert valid == (pruned.num_edges <= 9)
    assert space.valid(space.sample(rng, 200)).all()


def test_mutation_and_neighbours_stay_valid() -> None:
    space = load_space(101)
    rng = np.random.default_rng(1)
    for vector in space.sample(rng, 20):
        assert space.valid(space.mutate(rng, vector)[None])[0]
        assert space.valid(space.neighbours(vector)).all()
        assert ((space.neighbours(vector) != vector).sum(1) == 1).all()


def test_encoding_round_trip() -> None:
    space = load_space(101)
    for vector in space.sample(np.random.default_rng(2), 30):
        cell = space.decode(vector)
        assert (space.encode(cell) == vector).all()
        assert space.decode(space.encode(cell.prune())) == cell


def test_too_large_cells_are_refused() -> None:
    size = 9
    with pytest.raises(ArchitectureError, match="7 vertices"):
        load_space(101).encode(
            Cell(np.eye(size, k=1, dtype=int), [INPUT, *[CONV3X3] * (size - 2), OUTPUT])
        )
    full = np.triu(np.ones((7, 7), int), 1)
    with pytest.raises(ArchitectureError, match="9 edges"):
        load_space(101).encode(Cell(full, [INPUT, *[CONV3X3] * NUM_BLOCKS, OUTPUT]))


def test_listing_all_vectors_is_refused() -> None:
    with pytest.raises(ArchitectureError, match="373,754,169"):
        load_space(101).enumerate()


@pytest.mark.long
def test_rows_agree_with_the_module_hash(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path_factory.mktemp("data")))
    space = NASBench101Space()
    vectors = space.sample(np.random.default_rng(3), 300)
    for vector, row in zip(vectors, space.rows(vectors), strict=True):
        assert space.decode(vector).digest == space.unique_hashes()[row].tobytes()
        assert space.decode(space.representative(int(row))) == space.decode(vector)


@pytest.mark.long
@pytest.mark.measured
def test_all_measured_cells_are_in_it(
    measured: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path_factory.mktemp("data")))
    known = set(hash_texts(NASBench101Space().unique_hashes()))
    cells = pq.read_table(measured / "cells.parquet", columns=["module_hash"])
    assert set(cells["module_hash"].to_pylist()) <= known
    assert len(known) == 423_624
