"""Cells: golden figures of NAS-Bench-101, invariances, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import (
    CONV1X1,
    CONV3X3,
    INPUT,
    MAXPOOL3X3,
    OPERATIONS,
    OUTPUT,
    Cell,
    CellError,
    DisconnectedCellError,
)
from search_spaces.cell import vertex_channels


def chain(*ops: str, skip: bool = False) -> Cell:
    size = len(ops) + 2
    matrix = np.eye(size, k=1, dtype=int)
    if skip:
        matrix[0, -1] = 1
    return Cell(matrix, [INPUT, *ops, OUTPUT])


def from_edges(children: dict[int, list[int]], ops: list[str]) -> Cell:
    matrix = np.zeros((len(ops) + 2,) * 2, int)
    for source, targets in children.items():
        matrix[source, targets] = 1
    return Cell(matrix, [INPUT, *ops, OUTPUT])


IN_SPACE_3 = from_edges(
    {0: [1, 4, 5], 1: [2], 2: [3, 6], 3: [4], 4: [5], 5: [6]},
    [CONV3X3, MAXPOOL3X3, CONV3X3, CONV3X3, CONV1X1],
)

GOLDEN = [
    (chain(), "043721b9c7fe8c5fad811d47d83132ec", 882_570),
    (chain(CONV3X3), "b49ac8c578b4561d79ac7087988f1c61", 10_177_674),
    (chain(CONV3X3, skip=True), "d32d0b26d534203b48d866facd98cc3e", 11_051_402),
    (chain(CONV1X1), "d1269d9156ddc027c40473008192958a", 1_920_138),
    (chain(MAXPOOL3X3), "53cee42601ad14d661bb6878031d6acb", 882_570),
    (IN_SPACE_3, "994482045247152d0c454acf4128fbe5", 8_555_530),
]


@pytest.mark.parametrize(("cell", "module_hash", "parameters"), GOLDEN)
def test_golden_hash_and_parameters(cell: Cell, module_hash: str, parameters: int) -> None:
    assert cell.module_hash == module_hash
    assert cell.parameter_count() == parameters


def test_inception_like_cell_of_the_nasbench_readme() -> None:
    ops = [INPUT, CONV1X1, CONV3X3, CONV3X3, CONV3X3, MAXPOOL3X3, OUTPUT]
    matrix = [
        [0, 1, 1, 1, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ]
    cell = Cell(matrix, ops)
    assert cell.module_hash == "28cfc7874f6d200472e1a9dcd8650aa0"
    assert cell.parameter_count() == 2_694_282


@pytest.mark.parametrize(
    ("children", "size", "widths", "expected"),
    [
        ({0: [1], 1: [2], 2: [3]}, 4, (8, 16), [8, 16, 16, 16]),
        ({0: [1, 2], 1: [3], 2: [3]}, 4, (8, 15), [8, 8, 7, 15]),
        ({0: [1, 2, 3], 1: [4], 2: [4], 3: [4]}, 5, (8, 8), [8, 3, 3, 2, 8]),
        ({0: [1], 1: [2, 3], 2: [4], 3: [4]}, 5, (8, 9), [8, 5, 5, 4, 9]),
    ],
)
def test_vertex_channels(
    children: dict[int, list[int]], size: int, widths: tuple[int, int], expected: list[int]
) -> None:
    matrix = from_edges(children, [CONV1X1] * (size - 2)).matrix
    assert vertex_channels(matrix, *widths) == expected


@st.composite
def cells(draw: st.DrawFn, max_vertices: int = 7) -> Cell:
    size = draw(st.integers(2, max_vertices))
    bits = draw(
        st.lists(st.booleans(), min_size=size * (size - 1) // 2, max_size=size * (size - 1) // 2)
    )
    matrix = np.zeros((size, size), int)
    matrix[np.triu_indices(size, 1)] = bits
    matrix[0, -1] = 1  # always connected
    ops = draw(st.lists(st.sampled_from(OPERATIONS), min_size=size - 2, max_size=size - 2))
    return Cell(matrix, [INPUT, *ops, OUTPUT])


@given(cells(), st.randoms(use_true_random=False))
def test_hash_survives_renumbering_and_loose_ends(cell: Cell, random: object) -> None:
    size = cell.num_vertices
    inner = list(range(1, size - 1))
    random.shuffle(inner)  # type: ignore[attr-defined]
    order = [0, *inner, size - 1]
    matrix = cell.matrix[np.ix_(order, order)]
    if not np.tril(matrix).any():
        assert Cell(matrix, [cell.ops[v] for v in order]).module_hash == cell.module_hash
    wider = np.zeros((size + 1, size + 1), int)
    kept = [*range(size - 1), size]
    wider[np.ix_(kept, kept)] = cell.matrix
    wider[0, size - 1] = 1  # a block that feeds nothing
    loose = Cell(wider, [*cell.ops[:-1], CONV1X1, OUTPUT])
    assert loose == cell
    assert loose.parameter_count() == cell.parameter_count()


@given(cells())
def test_pruning_is_idempotent_and_keeps_only_used_vertices(cell: Cell) -> None:
    pruned = cell.prune()
    assert pruned.prune() is pruned
    if pruned.num_vertices > 2:
        assert pruned.matrix[:, 1:].any(0).all()
        assert pruned.matrix[:-1].any(1).all()


def test_equality_is_isomorphism() -> None:
    one = from_edges({0: [1, 2], 1: [3], 2: [3]}, [CONV1X1, CONV3X3])
    twin = from_edges({0: [1, 2], 1: [3], 2: [3]}, [CONV3X3, CONV1X1])
    other = from_edges({0: [1, 2], 1: [3], 2: [3]}, [CONV3X3, CONV3X3])
    assert one == twin
    assert len({one, twin, other}) == 2
    assert one != "a cell"


def test_the_matrix_cannot_be_changed() -> None:
    cell = chain(CONV3X3)
    with pytest.raises(ValueError, match="read-only"):
        cell.matrix[0, 1] = 0


@pytest.mark.parametrize(
    ("matrix", "ops", "message"),
    [
        ([[0, 1]], [INPUT, OUTPUT], "square"),
        ([[0, 1], [0, 0]], [INPUT], "2 vertices"),
        ([[0, 2], [0, 0]], [INPUT, OUTPUT], "0 and 1"),
        ([[0, 0.5], [0, 0]], [INPUT, OUTPUT], "0 and 1"),
        ([[0, 1], [1, 0]], [INPUT, OUTPUT], "upper triangular"),
        ([[0, 1], [0, 0]], [OUTPUT, INPUT], "first vertex"),
        (np.eye(3, k=1), [INPUT, "conv5x5", OUTPUT], "conv5x5"),
    ],
)
def test_malformed_cells_are_refused(matrix: object, ops: list[str], message: str) -> None:
    with pytest.raises(CellError, match=message):
        Cell(matrix, ops)  # type: ignore[arg-type]


def test_a_cell_without_a_path_has_no_hash() -> None:
    cell = Cell([[0, 1, 0], [0, 0, 0], [0, 0, 0]], [INPUT, CONV1X1, OUTPUT])
    with pytest.raises(DisconnectedCellError):
        _ = cell.module_hash


@pytest.mark.measured
def test_hashes_and_parameters_of_measured_cells(measured: Path) -> None:
    table = pq.read_table(measured / "cells.parquet").to_pylist()
    names = {"3": CONV3X3, "1": CONV1X1, "m": MAXPOOL3X3}
    for row in table[:: len(table) // 1500]:
        n = row["num_vertices"]
        matrix = np.zeros((n, n), int)
        for j in range(n):
            for i in range(j):
                matrix[i, j] = row["adjacency"] >> (j * (j - 1) // 2 + i) & 1
        cell = Cell(matrix, [INPUT, *[names[o] for o in row["ops"].split(",") if o], OUTPUT])
        assert cell.module_hash == row["module_hash"]
        assert cell.parameter_count() == row["params"]
