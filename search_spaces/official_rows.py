"""Parses rows of the official NAS-Bench-101 files, thousands at once.

A row is a JSON list: module hash, epochs, adjacency matrix as a string of 0 and 1 (row by row),
comma-separated operations, and the base64 text of a ModelMetrics message. `json.dumps` of such a
list has exactly eight quotation marks, and where they are tells where everything is; rows written
in another style are brought into this one first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search_spaces.encoded_text import decode_base64, decode_hashes, take
from search_spaces.model_metrics import MessageError, decode
from search_spaces.table_errors import RowError

EPOCHS = (4, 12, 36, 108)
_EPOCH_DIGITS = {4: 1, 12: 2, 36: 2, 108: 3}
_QUOTE, _BACKSLASH, _COMMA, _SPACE = b'"\\, '
_OPEN, _CLOSE, _ZERO, _PAD = b"[]0="

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """n parsed rows.

    Attributes:
        hashes: module hashes, shape (n, 16).
        budgets: index into `EPOCHS`, shape (n,).
        parameters: trainable parameters, shape (n,).
        figures: training seconds, training, validation and test accuracy (last axis), half-way
            and at the end of training (middle axis), shape (n, 2, 4).
        text: what `adjacency` and `ops` point into.
        adjacency: where the adjacency matrix starts and ends in `text`, shape (n, 2).
        ops: the same for the operations.
    """

    hashes: Bytes
    budgets: npt.NDArray[np.int8]
    parameters: Ints
    figures: npt.NDArray[np.float64]
    text: bytes
    adjacency: Ints
    ops: Ints


def parse_rows(payloads: Sequence[bytes]) -> Rows:
    """Parses rows.

    Raises:
        RowError: for a row that cannot be parsed.
    """
    text, quotes, budgets = _split(payloads)
    hashes = decode_hashes(text, quotes[:, 0] + 1)
    figures, parameters = _metrics(text, quotes[:, 6] + 1, quotes[:, 7])
    return Rows(
        hashes=hashes,
        budgets=budgets,
        parameters=parameters,
        figures=figures,
        text=text,
        adjacency=np.stack([quotes[:, 2] + 1, quotes[:, 3]], axis=1),
        ops=np.stack([quotes[:, 4] + 1, quotes[:, 5]], axis=1),
    )


def _split(payloads: Sequence[bytes]) -> tuple[bytes, Ints, npt.NDArray[np.int8]]:
    """The payloads as one text, the places of each row's eight quotation marks, the budgets."""
    text, quotes, budgets, regular = _locate(payloads)
    if not regular.all():
        normal = list(payloads)
        for index in np.flatnonzero(~regular).tolist():
            normal[index] = _normalise(index, normal[index])
        text, quotes, budgets, regular = _locate(normal)
        if not regular.all():
            index = int(np.flatnonzero(~regular)[0])
            raise RowError(index, "a field of this row holds quotation marks or backslashes")
    return text, quotes, budgets


def _locate(
    payloads: Sequence[bytes],
) -> tuple[bytes, Ints, npt.NDArray[np.int8], npt.NDArray[np.bool_]]:
    text = b"\n".join(payloads)
    view = np.frombuffer(text, np.uint8)
    ends = np.cumsum(np.fromiter(map(len, payloads), np.int64) + 1) - 1
    starts = np.concatenate([[0], ends[:-1] + 1])
    marks = np.flatnonzero(view == _QUOTE)
    first = np.searchsorted(marks, starts)
    regular = np.diff(first, append=len(marks)) == 8
    if _BACKSLASH in text:
        escaped = np.searchsorted(starts, np.flatnonzero(view == _BACKSLASH), "right") - 1
        regular[escaped] = False
    quotes = np.zeros((len(payloads), 8), np.int64)
    quotes[regular] = marks[first[regular, None] + np.arange(8)]
    budgets = np.full(len(payloads), -1, np.int8)
    rows = np.flatnonzero(regular)
    fits = _skeleton(view, quotes[rows], starts[rows], ends[rows])
    regular[rows[~fits]] = False
    rows = rows[fits]
    budgets[rows] = _budgets(view, quotes[rows])
    regular[rows] = budgets[rows] >= 0
    return text, quotes, budgets, regular


def _skeleton(view: Bytes, q: Ints, starts: Ints, ends: Ints) -> npt.NDArray[np.bool_]:
    """Whether everything around the quotation marks is as `json.dumps` writes it."""
    fits: npt.NDArray[np.bool_] = (q[:, 0] == starts + 1) & (q[:, 7] == ends - 2)
    fits &= (q[:, 1] - q[:, 0] == 33) & (q[:, 2] - q[:, 1] >= 6) & (q[:, 2] - q[:, 1] <= 8)
    fits &= (q[:, 4] - q[:, 3] == 3) & (q[:, 6] - q[:, 5] == 3)
    near = np.where(fits[:, None], q, 3)  # any place that can be looked at
    for column, step, byte in (
        (0, -1, _OPEN),
        (1, 1, _COMMA),
        (1, 2, _SPACE),
        (2, -1, _SPACE),
        (2, -2, _COMMA),
        (3, 1, _COMMA),
        (3, 2, _SPACE),
        (5, 1, _COMMA),
        (5, 2, _SPACE),
    ):
        fits &= view[near[:, column] + step] == byte
    closed: npt.NDArray[np.bool_] = view[np.where(fits, ends - 1, 0)] == _CLOSE
    return fits & closed


def _budgets(view: Bytes, q: Ints) -> npt.NDArray[np.int8]:
    """Index of the epochs between the second and the third quotation mark; -1 for others."""
    count = q[:, 2] - q[:, 1] - 5
    epochs = np.zeros(len(q), np.int64)
    for place in range(3):
        digit = view[q[:, 1] + 3 + place].astype(np.int64) - _ZERO
        digit[(digit < 0) | (digit > 9)] = 1000  # makes the sum no valid number of epochs
        epochs = np.where(place < count, epochs * 10 + digit, epochs)
    budgets = np.full(len(q), -1, np.int8)
    for index, value in enumerate(EPOCHS):
        budgets[(epochs == value) & (count == _EPOCH_DIGITS[value])] = index
    return budgets


def _normalise(index: int, payload: bytes) -> bytes:
    """The row as `json.dumps` writes it.

    Raises:
        RowError: if it is no row of NAS-Bench-101.
    """
    try:
        row = json.loads(payload.decode())
    except (ValueError, RecursionError) as error:
        raise RowError(index, "this is no row of NAS-Bench-101: not a JSON text") from error
    if not isinstance(row, list) or [type(value) for value in row] != [str, int, str, str, str]:
        raise RowError(
            index,
            "this is no row of NAS-Bench-101: not a JSON list of "
            "hash, epochs, adjacency, operations, metrics",
        )
    if not re.fullmatch("[0-9a-f]{32}", row[0]):
        raise RowError(index, f"module hash {_short(row[0])} is not 32 hexadecimal digits")
    if row[1] not in EPOCHS:
        raise RowError(index, f"{row[1]} epochs; NAS-Bench-101 has {EPOCHS}")
    return json.dumps(row).encode()


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "...")


def _metrics(text: bytes, starts: Ints, ends: Ints) -> tuple[npt.NDArray[np.float64], Ints]:
    figures = np.zeros((len(starts), 2, 4))
    parameters = np.zeros(len(starts), np.int64)
    lengths = ends - starts
    view = np.frombuffer(text, np.uint8)
    padding = (view[ends - 1] == _PAD).astype(np.int64)
    padding += (padding == 1) & (view[ends - 2] == _PAD)
    failures: list[RowError] = []
    for kind in np.unique(lengths * 4 + padding).tolist():
        length, pad = divmod(kind, 4)
        rows = np.flatnonzero((lengths == length) & (padding == pad))
        try:
            if length % 4 or not length:
                raise RowError(0, f"the metrics are no base64 text: {length} characters")
            messages = decode_base64(take(text, starts[rows], length), pad)
            figures[rows], parameters[rows] = decode(messages)
        except (RowError, MessageError) as error:
            failures.append(RowError(int(rows[error.index]), str(error)))
    if failures:
        raise min(failures, key=lambda failure: failure.index)
    return figures, parameters
