"""A cell drawn as an SVG graph."""

from __future__ import annotations

import itertools
from html import escape

from raynas.report.cell_layout import CellLayout, Point, layout
from search_spaces.cell import CONV1X1, CONV3X3, INPUT, MAXPOOL3X3, OUTPUT, Cell

# label, fill, and whether the text on it is white
OPERATION_LOOKS = {
    INPUT: ("input", "#e9e9e4", False),
    OUTPUT: ("output", "#e9e9e4", False),
    CONV3X3: ("conv 3×3", "#0b62a8", True),
    CONV1X1: ("conv 1×1", "#8cc9ee", False),
    MAXPOOL3X3: ("max pool 3×3", "#f2be4b", False),
}
_COLUMN, _ROW = 158.0, 62.0
_WIDTH, _HEIGHT = 108.0, 36.0
_MARGIN = 14.0


def draw_cell(cell: Cell, identifier: str = "cell") -> str:
    """The pruned cell as an SVG element, readable on light and dark pages.

    Args:
        cell: what to draw.
        identifier: unique on the page; for the arrow heads.
    """
    cell = cell.prune()
    plan = layout(cell.matrix)
    tops = [y for _, _, points in plan.edges for _, y in points]
    top = min(tops) * _ROW - _HEIGHT / 2 - _MARGIN
    width = plan.vertices[:, 0].max() * _COLUMN + _WIDTH + 2 * _MARGIN
    height = max(tops) * _ROW + _HEIGHT / 2 + _MARGIN - top
    box = f"{-_WIDTH / 2 - _MARGIN:.1f} {top:.1f} {width:.1f} {height:.1f}"
    name = escape(identifier, quote=True)
    parts = [
        f'<svg class="cell" xmlns="http://www.w3.org/2000/svg" viewBox="{box}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="{escape(_describe(cell), quote=True)}">',
        f'<defs><marker id="{name}-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="head" d="M0 0.8 L7.5 4 L0 7.2 z" '
        'fill="#6b6b6b"/></marker></defs>',
        *_edges(plan, name),
        *_vertices(cell, plan),
        "</svg>",
    ]
    return "".join(parts)


def _describe(cell: Cell) -> str:
    links = [f"{t} to {h}" for t, h in zip(*cell.matrix.nonzero(), strict=True)]
    names = ", ".join(f"{i} {OPERATION_LOOKS[op][0]}" for i, op in enumerate(cell.ops))
    return f"Graph of the cell. Vertices: {names}. Edges: {', '.join(links)}."


def _edges(plan: CellLayout, name: str) -> list[str]:
    return [
        f'<path class="edge" d="{_path(points)}" fill="none" stroke="#6b6b6b" stroke-width="1.6" '
        f'marker-end="url(#{name}-arrow)"/>'
        for _, _, points in plan.edges
    ]


def _path(points: list[Point]) -> str:
    """A smooth line through the points that leaves and arrives horizontally."""
    places = [(x * _COLUMN, y * _ROW) for x, y in points]
    places[0] = (places[0][0] + _WIDTH / 2, places[0][1])
    places[-1] = (places[-1][0] - _WIDTH / 2 - 1, places[-1][1])
    parts = [f"M{places[0][0]:.1f} {places[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in itertools.pairwise(places):
        middle = (x0 + x1) / 2
        parts.append(f"C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f}")
    return " ".join(parts)


def _vertices(cell: Cell, plan: CellLayout) -> list[str]:
    parts = []
    for operation, (column, row) in zip(cell.ops, plan.vertices.tolist(), strict=True):
        label, fill, white = OPERATION_LOOKS[operation]
        x, y = column * _COLUMN, row * _ROW
        parts.append(
            f'<g class="vertex"><rect x="{x - _WIDTH / 2:.1f}" y="{y - _HEIGHT / 2:.1f}" '
            f'width="{_WIDTH:.0f}" height="{_HEIGHT:.0f}" rx="7" fill="{fill}"/>'
            f'<text x="{x:.1f}" y="{y + 4.5:.1f}" text-anchor="middle" font-size="13" '
            f'font-family="system-ui, Helvetica, Arial, sans-serif" '
            f'fill="{"#ffffff" if white else "#1c1c1c"}">{label}</text></g>'
        )
    return parts
