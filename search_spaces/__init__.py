"""What can be built, and what it is known to score.

Cells, the three spaces of NAS-Bench-1Shot1 and the whole of NAS-Bench-101, and benchmarks that
say what each cell scored. Needs neither torch nor ray.
"""

from __future__ import annotations

from search_spaces.cell import (
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
from search_spaces.errors import UserError
from search_spaces.space import ArchitectureError, Space
from search_spaces.spaces import SPACE_NAMES, load_space

__all__ = [
    "CONV1X1",
    "CONV3X3",
    "INPUT",
    "MAXPOOL3X3",
    "OPERATIONS",
    "OUTPUT",
    "SPACE_NAMES",
    "ArchitectureError",
    "Cell",
    "CellError",
    "DisconnectedCellError",
    "Space",
    "UserError",
    "load_space",
]
