"""Writes tables in the format of the official NAS-Bench-101 files, with invented figures.

The figures are a function of module hash, epochs and repeat, so a test can ask `figures` what a
reader must find.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import numpy as np

from search_spaces.cell import CONV1X1, CONV3X3, MAXPOOL3X3, OPERATIONS, Cell

UNIT = 9984

#: The example of the official README; 2,694,282 parameters.
INCEPTION_LIKE = Cell(
    [
        [0, 1, 1, 1, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    ["input", CONV1X1, CONV3X3, CONV3X3, CONV3X3, MAXPOOL3X3, "output"],
)


@dataclass(frozen=True)
class Evaluation:
    """One EvaluationData message."""

    current_epoch: float
    training_time: float
    train_accuracy: float
    validation_accuracy: float
    test_accuracy: float
    checkpoint_path: str | None = None


@dataclass(frozen=True)
class Row:
    """One training run: what a record of the official files says."""

    module_hash: str
    epochs: int
    adjacency: str
    operations: str
    parameters: int
    evaluations: tuple[Evaluation, ...]
    total_time: float


def figures(
    module_hash: str, epochs: int, repeat: int, checkpoint_path: str | None = None
) -> tuple[Evaluation, ...]:
    """The three evaluations of a run: at the start, half-way and at the end."""
    key = f"{module_hash}/{epochs}/{repeat}".encode()
    seed = int.from_bytes(hashlib.sha256(key).digest()[:8], "big")
    draw = random.Random(seed)
    quality = int.from_bytes(bytes.fromhex(module_hash)[:4], "big") / 2**32
    final = 0.55 + 0.38 * (1 - 2 / (epochs + 1)) - 0.06 * quality + draw.gauss(0, 0.004)
    seconds = epochs * (4 + 20 * quality) * (1 + draw.gauss(0, 0.02))
    return tuple(
        Evaluation(
            current_epoch=epochs * share,
            training_time=_single(seconds * share),
            train_accuracy=_accuracy(0.1 + (min(final + 0.06, 1) - 0.1) * share),
            validation_accuracy=_accuracy(0.1 + (final - 0.1) * share),
            test_accuracy=_accuracy(0.1 + (final - 0.105) * share + draw.gauss(0, 0.003) * share),
            checkpoint_path=checkpoint_path,
        )
        for share in (0.0, 0.5, 1.0)
    )


def _single(value: float) -> float:
    return float(np.float32(value))


def _accuracy(value: float) -> float:
    return _single(round(min(max(value, 0), 1) * UNIT) / UNIT)


def rows_of(
    cell: Cell,
    budgets: Sequence[int] = (108,),
    repeats: int = 3,
    checkpoint_path: str | None = None,
) -> list[Row]:
    """All rows of one cell, in the order of the official files."""
    pruned = cell.prune()
    text = "".join(str(int(entry)) for entry in pruned.matrix.ravel())
    return [
        Row(
            module_hash=pruned.module_hash,
            epochs=epochs,
            adjacency=text,
            operations=",".join(pruned.ops),
            parameters=pruned.parameter_count(),
            evaluations=figures(pruned.module_hash, epochs, repeat, checkpoint_path),
            total_time=epochs * 30.0,
        )
        for epochs in budgets
        for repeat in range(repeats)
    ]


def varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def serialize(evaluation: Evaluation) -> bytes:
    """EvaluationData in proto2 wire format."""
    values = (
        evaluation.current_epoch,
        evaluation.training_time,
        evaluation.train_accuracy,
        evaluation.validation_accuracy,
        evaluation.test_accuracy,
    )
    message = b"".join(
        varint(number << 3 | 1) + struct.pack("<d", value)
        for number, value in enumerate(values, start=1)
    )
    if evaluation.checkpoint_path is not None:
        path = evaluation.checkpoint_path.encode()
        message += varint(6 << 3 | 2) + varint(len(path)) + path
    return message


def model_metrics(row: Row) -> bytes:
    """ModelMetrics in proto2 wire format."""
    inner = [serialize(evaluation) for evaluation in row.evaluations]
    entries = b"".join(varint(1 << 3 | 2) + varint(len(entry)) + entry for entry in inner)
    parameters = varint(2 << 3) + varint(row.parameters)
    return entries + parameters + varint(3 << 3 | 1) + struct.pack("<d", row.total_time)


def payload(row: Row) -> bytes:
    """The JSON text of a row."""
    metrics = base64.b64encode(model_metrics(row)).decode()
    fields = [row.module_hash, row.epochs, row.adjacency, row.operations, metrics]
    return json.dumps(fields).encode()


def masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(content: bytes) -> bytes:
    """One TFRecord."""
    length = struct.pack("<Q", len(content))
    return length + masked_crc(length) + content + masked_crc(content)


def write_records(path: Path, payloads: Iterable[bytes]) -> Path:
    """A TFRecord file of any payloads."""
    with path.open("wb") as file:
        for content in payloads:
            file.write(record(content))
    return path


def write_official_table(
    path: Path,
    cells: Iterable[Cell],
    budgets: Sequence[int] = (108,),
    repeats: int = 3,
    shuffle_seed: int | None = None,
    checkpoint_path: str | None = None,
) -> Path:
    """A table of some cells.

    Args:
        path: the file to write.
        cells: which cells; isomorphic ones must not occur twice.
        budgets: epochs per run.
        repeats: runs per cell and budget.
        shuffle_seed: None sorts the rows by hash as the official files do.
        checkpoint_path: what the messages say about checkpoints; None leaves it out.
    """
    rows = [row for cell in cells for row in rows_of(cell, budgets, repeats, checkpoint_path)]
    if shuffle_seed is None:
        rows.sort(key=lambda row: row.module_hash)  # stable: the runs of a cell keep their order
    else:
        random.Random(shuffle_seed).shuffle(rows)
    return write_records(path, map(payload, rows))


def some_cells(count: int, seed: int = 0) -> list[Cell]:
    """Different cells with at most 7 vertices and 9 edges, the Inception-like one first."""
    cells = {INCEPTION_LIKE.module_hash: INCEPTION_LIKE}
    draw = random.Random(seed)
    while len(cells) < count:
        size = draw.randint(2, 7)
        matrix = np.triu([[draw.random() < 0.5 for _ in range(size)] for _ in range(size)], 1)
        matrix[0, -1] = True  # connects input and output
        ops = ["input", *(draw.choice(OPERATIONS) for _ in range(size - 2)), "output"]
        cell = Cell(matrix.astype(int), ops).prune()
        if cell.num_edges <= 9:
            cells[cell.module_hash] = cell
    return list(cells.values())[:count]
