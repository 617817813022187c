"""A cell drawn as an SVG graph."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from html import escape

from raynas.report.cell_layout import Point, layout
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


@dataclass(frozen=True, slots=True)
class CellDrawing:
    """A pruned cell, laid out.

    Attributes:
        operations: of the vertices, input first, output last.
        places: centres of the vertices.
        size: width and height of a vertex.
        paths: each edge as the `d` of an SVG path.
        view_box: left, top, width and height of everything.
        description: the graph in words.
    """

    operations: tuple[str, ...]
    places: list[Point]
    size: Point
    paths: list[str]
    view_box: tuple[float, float, float, float]
    description: str


def drawing(cell: Cell) -> CellDrawing:
    """Lay the pruned cell out."""
    cell = cell.prune()
    plan = layout(cell.matrix)
    heights = [y for _, _, points in plan.edges for _, y in points]
    top = min(heights) * _ROW - _HEIGHT / 2 - _MARGIN
    width = plan.vertices[:, 0].max() * _COLUMN + _WIDTH + 2 * _MARGIN
    height = max(heights) * _ROW + _HEIGHT / 2 + _MARGIN - top
    return CellDrawing(
        operations=cell.ops,
        places=[(x * _COLUMN, y * _ROW) for x, y in plan.vertices.tolist()],
        size=(_WIDTH, _HEIGHT),
        paths=[_path(points) for _, _, points in plan.edges],
        view_box=(-_WIDTH / 2 - _MARGIN, top, width, height),
        description=_describe(cell),
    )


def draw_cell(cell: Cell, identifier: str = "cell") -> str:
    """The pruned cell as an SVG element, readable on light and dark pages.

    Args:
        cell: what to draw.
        identifier: unique on the page; for the arrow heads.
    """
    drawn = drawing(cell)
    box = " ".join(f"{value:.1f}" for value in drawn.view_box)
    name = escape(identifier, quote=True)
    parts = [
        f'<svg class="cell" xmlns="http://www.w3.org/2000/svg" viewBox="{box}" '
        f'width="{drawn.view_box[2]:.0f}" height="{drawn.view_box[3]:.0f}" role="img" '
        f'aria-label="{escape(drawn.description, quote=True)}">',
        f'<defs><marker id="{name}-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="head" d="M0 0.8 L7.5 4 L0 7.2 z" '
        'fill="#6b6b6b"/></marker></defs>',
        *_edges(drawn, name),
        *_vertices(drawn),
        "</svg>",
    ]
    return "".join(parts)


def _describe(cell: Cell) -> str:
    links = [f"{t} to {h}" for t, h in zip(*cell.matrix.nonzero(), strict=True)]
    names = ", ".join(f"{i} {OPERATION_LOOKS[op][0]}" for i, op in enumerate(cell.ops))
    return f"Graph of the cell. Vertices: {names}. Edges: {', '.join(links)}."


def _edges(drawn: CellDrawing, name: str) -> list[str]:
    return [
        f'<path class="edge" d="{path}" fill="none" stroke="#6b6b6b" stroke-width="1.6" '
        f'marker-end="url(#{name}-arrow)"/>'
        for path in drawn.paths
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


def _vertices(drawn: CellDrawing) -> list[str]:
    parts = []
    for operation, (x, y) in zip(drawn.operations, drawn.places, strict=True):
        label, fill, white = OPERATION_LOOKS[operation]
        parts.append(
            f'<g class="vertex"><rect x="{x - _WIDTH / 2:.1f}" y="{y - _HEIGHT / 2:.1f}" '
            f'width="{_WIDTH:.0f}" height="{_HEIGHT:.0f}" rx="7" fill="{fill}"/>'
            f'<text x="{x:.1f}" y="{y + 4.5:.1f}" text-anchor="middle" font-size="13" '
            f'font-family="system-ui, Helvetica, Arial, sans-serif" '
            f'fill="{"#ffffff" if white else "#1c1c1c"}">{label}</text></g>'
        )
    return parts
