from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from raynas.report.cell_drawing import draw_cell
from raynas.report.cell_layout import layout
from search_spaces.cell import Cell
from search_spaces.spaces import load_space


def cells() -> list[Cell]:
    space = load_space(3)
    rows = np.random.default_rng(0).choice(space.num_unique, 25, replace=False)
    return [space.cell(int(row)) for row in rows]


@pytest.mark.parametrize("cell", cells(), ids=lambda cell: cell.module_hash[:8])
def test_layout_is_layered_and_without_overlap(cell: Cell) -> None:
    plan = layout(cell.matrix)
    assert {(t, h) for t, h, _ in plan.edges} == set(zip(*cell.matrix.nonzero(), strict=True))
    for tail, head, points in plan.edges:
        assert plan.vertices[head, 0] > plan.vertices[tail, 0]
        assert [x for x, _ in points] == list(
            np.arange(plan.vertices[tail, 0], plan.vertices[head, 0] + 1)
        )
    bends = [p for _, _, points in plan.edges for p in points[1:-1]]
    places = [*map(tuple, plan.vertices.tolist()), *bends]
    for (x0, y0), (x1, y1) in itertools.combinations(places, 2):
        assert x0 != x1 or abs(y0 - y1) > 0.999


def test_a_chain_is_a_straight_line() -> None:
    plan = layout(np.triu(np.ones((5, 5)), 1) * (np.eye(5, k=1) > 0))
    assert np.ptp(plan.vertices[:, 1]) == 0
    assert plan.vertices[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_the_drawing_is_well_formed_and_has_every_vertex_and_edge() -> None:
    for cell in cells()[:5]:
        root = ET.fromstring(draw_cell(cell, 'a"<b>'))
        space = "{http://www.w3.org/2000/svg}"
        edges = [p for p in root.iter(f"{space}path") if p.get("class") == "edge"]
        assert len(edges) == cell.matrix.sum()
        labels = [t.text for t in root.iter(f"{space}text")]
        assert len(labels) == len(cell.ops)
        assert labels[0] == "input" and labels[-1] == "output"
