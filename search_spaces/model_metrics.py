"""Decodes NAS-Bench-101's ModelMetrics messages (proto2 wire format), many at once.

The messages of one table are nearly alike. So the first message of a batch is walked in Python,
which gives a layout: where the figures lie, and which bytes (tags, lengths) led the walk there.
Every message that agrees in those bytes would be walked the same way, and is read by slicing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

_VARINT, _FIXED64, _BYTES, _GROUP, _END_GROUP, _FIXED32 = range(6)
# Field numbers of ModelMetrics and EvaluationData (google-research/nasbench,
# model_metrics.proto).
_EVALUATION_DATA, _TRAINABLE_PARAMETERS = 1, 2
_FIGURES = {2: 0, 3: 1, 4: 2, 5: 3}
_ENTRIES = 3  # at the start, half-way and at the end of training
_MAX_DEPTH = 100  # of nested groups, as in protobuf's own readers

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


class MessageError(ValueError):
    """A message does not follow the wire format, or is no ModelMetrics.

    Attributes:
        index: which message of the batch.
    """

    def __init__(self, reason: str, index: int = 0) -> None:
        super().__init__(reason)
        self.index = index


@dataclass(slots=True)
class _Layout:
    """Where a message keeps its figures, and what other messages must share for the same."""

    mask: Bytes
    entries: list[dict[int, int]] = field(default_factory=list)
    parameters: tuple[int, int] | None = None


def decode(messages: Bytes) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Decodes messages of equal length.

    Args:
        messages: shape (m, length).

    Returns:
        Training seconds, training, validation and test accuracy half-way and at the end of
        training, shape (m, 2, 4), and the trainable parameters, shape (m,). A figure that a
        message leaves out is 0, as proto2 has it.

    Raises:
        MessageError: for the first message that cannot be decoded.
    """
    figures = np.zeros((len(messages), _ENTRIES - 1, len(_FIGURES)))
    parameters = np.zeros(len(messages), np.int64)
    todo = np.arange(len(messages))
    while todo.size:
        template = messages[todo[0]]
        try:
            layout = _walk(template.tobytes())
        except MessageError as error:
            raise MessageError(str(error), int(todo[0])) from None
        alike = ~((messages[todo] ^ template) & layout.mask).any(axis=1)
        chosen = todo[alike]
        _read(layout, messages[chosen], chosen, figures, parameters)
        todo = todo[~alike]
    return figures, parameters


def _read(
    layout: _Layout,
    messages: Bytes,
    rows: npt.NDArray[np.intp],
    figures: Floats,
    parameters: npt.NDArray[np.int64],
) -> None:
    for entry, places in enumerate(layout.entries[1:]):
        for figure, start in places.items():
            column = np.ascontiguousarray(messages[:, start : start + 8])
            figures[rows, entry, figure] = column.view("<f8")[:, 0]
    if layout.parameters is not None:
        start, stop = layout.parameters
        value = np.zeros(len(messages), np.uint64)
        for position in range(start, stop):
            low = messages[:, position].astype(np.uint64) & np.uint64(0x7F)
            value |= low << np.uint64(7 * (position - start))
        parameters[rows] = value.astype(np.uint32).astype(np.int32)


def _walk(message: bytes) -> _Layout:
    layout = _Layout(np.zeros(len(message), np.uint8))
    position = 0
    while position < len(message):
        number, wire, start = _tag(message, position, layout.mask)
        value, position = _skip(message, start, number, wire, layout.mask)
        if number == _EVALUATION_DATA and wire == _BYTES:
            layout.entries.append(_walk_entry(message, value, position, layout.mask))
        elif number == _TRAINABLE_PARAMETERS and wire == _VARINT:
            layout.parameters = (value, position)
    if len(layout.entries) != _ENTRIES:
        raise MessageError(
            f"the metrics hold {len(layout.entries)} evaluations, {_ENTRIES} were expected"
        )
    return layout


def _walk_entry(message: bytes, position: int, end: int, mask: Bytes) -> dict[int, int]:
    """Places of the four figures of one EvaluationData; the last occurrence counts."""
    places = {}
    inner = message[:end]
    while position < end:
        number, wire, start = _tag(inner, position, mask)
        value, position = _skip(inner, start, number, wire, mask)
        if number in _FIGURES and wire == _FIXED64:
            places[_FIGURES[number]] = value
    return places


def _tag(message: bytes, position: int, mask: Bytes) -> tuple[int, int, int]:
    """Field number, wire type, and where the value starts."""
    key, stop = _varint(message, position)
    mask[position:stop] = 0xFF
    if not 1 <= key >> 3 < 1 << 29:
        raise MessageError(f"field number {key >> 3} in the metrics")
    return key >> 3, key & 7, stop


def _skip(
    message: bytes, start: int, number: int, wire: int, mask: Bytes, depth: int = 0
) -> tuple[int, int]:
    """Where the content of a value starts (after a length prefix) and where it ends."""
    if wire == _VARINT:
        _, stop = _varint(message, start)
        mask[start:stop] |= 0x80
    elif wire in (_FIXED64, _FIXED32):
        stop = start + (8 if wire == _FIXED64 else 4)
    elif wire == _BYTES:
        length, content = _varint(message, start)
        mask[start:content] = 0xFF
        start, stop = content, content + length
    elif wire == _GROUP:
        stop = _skip_group(message, start, number, mask, depth + 1)
    else:
        raise MessageError(f"wire type {wire} in the metrics")
    if stop > len(message):
        raise MessageError("the metrics end inside a field")
    return start, stop


def _skip_group(message: bytes, position: int, number: int, mask: Bytes, depth: int) -> int:
    if depth > _MAX_DEPTH:
        raise MessageError("groups in the metrics are nested too deeply")
    while True:
        inner, wire, start = _tag(message, position, mask)
        if wire == _END_GROUP and inner == number:
            return start
        _, position = _skip(message, start, inner, wire, mask, depth)


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index in range(10):
        if position + index >= len(message):
            raise MessageError("the metrics end inside a number")
        byte = message[position + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position + index + 1
    raise MessageError("a number in the metrics has more than ten bytes")
