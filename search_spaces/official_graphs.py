"""The graphs of official rows: two texts per cell, each different text kept and checked once."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

import numpy as np
import numpy.typing as npt

from search_spaces.cell import INPUT, OPERATIONS, OUTPUT
from search_spaces.official_rows import Rows
from search_spaces.table_errors import RowError


class GraphTexts:
    """Numbers the different adjacency matrices and lists of operations.

    NAS-Bench-101's 423,624 cells have but a few thousand different matrices and a few hundred
    different lists.
    """

    def __init__(self) -> None:
        self._adjacency = _Texts(_check_adjacency)
        self._ops = _Texts(_check_ops)

    def encode(self, rows: Rows, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Numbers of the texts of some rows, shape (len(indices), 2): matrix, operations.

        Raises:
            RowError: if they describe no cell.
        """
        spans = np.concatenate([indices[:, None], rows.adjacency[indices], rows.ops[indices]], 1)
        codes = []
        for index, start, stop, ops_start, ops_stop in spans.tolist():
            adjacency, ops = rows.text[start:stop], rows.text[ops_start:ops_stop]
            if len(adjacency) != (ops.count(b",") + 1) ** 2:
                raise RowError(index, "the adjacency matrix does not fit the operations")
            codes.append((self._adjacency.code(adjacency, index), self._ops.code(ops, index)))
        return np.array(codes, np.int32).reshape(-1, 2)

    @property
    def adjacency(self) -> list[str]:
        """The different adjacency matrices, by number."""
        return self._adjacency.texts()

    @property
    def ops(self) -> list[str]:
        """The different lists of operations, by number."""
        return self._ops.texts()


class _Texts:
    """Different texts, numbered; each is checked when it is first seen."""

    def __init__(self, check: Callable[[bytes, int], None]) -> None:
        self._check = check
        self._codes: dict[bytes, int] = {}

    def code(self, text: bytes, index: int) -> int:
        code = self._codes.get(text)
        if code is None:
            self._check(text, index)
            code = self._codes[text] = len(self._codes)
        return code

    def texts(self) -> list[str]:
        return [text.decode() for text in self._codes]


def _check_adjacency(text: bytes, index: int) -> None:
    size = isqrt(len(text))
    if size < 2 or size * size != len(text) or text.strip(b"01"):
        raise RowError(index, "the adjacency matrix is no square of 0 and 1")
    if any(text[row * size : row * size + row + 1].strip(b"0") for row in range(size)):
        raise RowError(index, "the adjacency matrix is not upper triangular")


def _check_ops(text: bytes, index: int) -> None:
    names = text.decode(errors="replace").split(",")
    if names[0] != INPUT or names[-1] != OUTPUT or not set(names[1:-1]) <= set(OPERATIONS):
        raise RowError(index, f"operations {text[:60].decode(errors='replace')!r}")
