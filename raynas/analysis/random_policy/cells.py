"""Cells found by their module hashes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from search_spaces.errors import UserError
from search_spaces.space import Space, as_keys
from search_spaces.spaces import load_space


def rows_of(
    space: str, hashes: Sequence[str | None], method: str, seeds: Sequence[int], source: str
) -> npt.NDArray[np.int64]:
    """Row of the cell that each run ended with; -1 if it ended with none.

    Args:
        space: name of the space.
        hashes: of the cells, None without one.
        method: of the runs.
        seeds: of the runs.
        source: study or file that they are of.

    Raises:
        UserError: the space does not have a cell.
    """
    found = find_rows(load_space(space), hashes)
    for i, text in enumerate(hashes):
        if text is not None and found[i] < 0:
            raise UserError(
                f"{source}: cell {text} ({method}, seed {seeds[i]}) is not in space {space}; "
                f"{_elsewhere(text, space)}"
            )
    return found


def find_rows(space: Space, hashes: Sequence[str | None]) -> npt.NDArray[np.int64]:
    """Row of each module hash; -1 where there is none, or the space does not have it."""
    keys = as_keys(space.unique_hashes())
    rows = np.full(len(hashes), -1, np.int64)
    for i, text in enumerate(hashes):
        digest = _digest(text)
        if digest is not None:
            place = int(np.searchsorted(keys, digest))
            rows[i] = place if place < len(keys) and keys[place] == digest else -1
    return rows


def _digest(text: str | None) -> np.bytes_ | None:
    try:
        raw = bytes.fromhex(text or "")
    except ValueError:
        return None
    return as_keys(np.frombuffer(raw, np.uint8)[None])[0] if len(raw) == 16 else None


def _elsewhere(text: str, space: str) -> str:
    if _digest(text) is None:
        return "a module hash has 32 hexadecimal digits"
    others = [n for n in ("1", "2", "3") if n != space and find_rows(load_space(n), [text])[0] >= 0]
    if others:
        return f"space {' and '.join(others)} has it: say so with --space or a column space"
    return "NAS-Bench-1Shot1's spaces do not have it; is it of NAS-Bench-101 (--space 101)?"
