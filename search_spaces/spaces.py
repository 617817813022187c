"""Finds a space by its name."""

from __future__ import annotations

from functools import cache
from typing import Literal, overload

from search_spaces.errors import unknown_name
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.nas_bench_101 import NASBench101Space
from search_spaces.space import Space

#: Names of all spaces: the three of NAS-Bench-1Shot1, and the whole of NAS-Bench-101.
SPACE_NAMES = ("1", "2", "3", "101")


@overload
def load_space(name: Literal[1, 2, 3, "1", "2", "3"]) -> NASBench1Shot1Space: ...
@overload
def load_space(name: int | str) -> Space: ...
def load_space(name: int | str) -> Space:
    """The space of that name; the same object every time.

    Args:
        name: 1, 2, 3 for NAS-Bench-1Shot1's spaces, 101 for the whole of NAS-Bench-101.

    Raises:
        UserError: if there is no such space.
    """
    if str(name) not in SPACE_NAMES:
        raise unknown_name("space", str(name), list(SPACE_NAMES))
    return _load(str(name))


@cache
def _load(name: str) -> Space:
    return NASBench101Space() if name == "101" else NASBench1Shot1Space(name)
