"""What cells scored: a column store in one memory-mapped file, and queries by whole arrays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from search_spaces.data_directory import write_atomically
from search_spaces.errors import UserError
from search_spaces.space import as_keys

if TYPE_CHECKING:
    from search_spaces.space import Space
    from search_spaces.table import Table

#: Epoch budgets and training repeats of NAS-Bench-101 (Ying et al. 2019).
BUDGETS = (4, 12, 36, 108)
REPEATS = (0, 1, 2)

#: Every accuracy is k / 9984: evaluation drops the last partial batch (39 batches of 256).
ACCURACY_UNIT = 9984

UNKNOWN_ACCURACY = 65535
UNKNOWN_PARAMETERS = -1

_FORMAT = 1
_METADATA_KEY = b"raynas.benchmark"
_QUANTITIES: dict[str, pa.DataType] = {
    "validation_accuracy": pa.uint16(),
    "test_accuracy": pa.uint16(),
    "training_seconds": pa.float32(),
}
_SMOOTH = ("smooth_validation_accuracy", "smooth_test_accuracy")

Column = npt.NDArray[Any]


class BenchmarkError(UserError):
    """A benchmark file is missing, unreadable, or of another layout."""


def column_name(quantity: str, epochs: int, repeat: int) -> str:
    """Name of the column of one quantity, budget and repeat."""
    return f"{quantity}_{epochs}_{repeat}"


class Benchmark:
    """A store of figures per unique cell, sorted by module hash.

    The file is memory-mapped: opening costs milliseconds, and processes of one machine share
    the pages that they touch.

    Attributes:
        path: the file.
        name: what to call this source in a report.
        kind: "official", "surrogate" or "synthetic".
        sha256: checksum of the content, independent of the file's encoding.
        metadata: whatever the writer had to say, for instance the fidelity of a surrogate.
    """

    def __init__(self, path: Path, table: pa.Table) -> None:
        header = json.loads(table.schema.metadata[_METADATA_KEY])
        self.path = path
        self.name: str = header["name"]
        self.kind: str = header["kind"]
        self.sha256: str = header["sha256"]
        self.metadata: dict[str, Any] = header["metadata"]
        self._arrow = table
        self._columns: dict[str, tuple[Column, npt.NDArray[np.bool_] | None]] = {}

    @staticmethod
    def open(path: str | Path) -> Benchmark:
        """Map a store into memory.

        Raises:
            BenchmarkError: if there is no such file, or it is no store of this layout.
        """
        path = Path(path)
        if not path.is_file():
            raise BenchmarkError(
                f"no benchmark file {path}; `python -m search_spaces.fetch nasbench101` gets "
                "the official table, `--benchmark surrogate` needs none"
            )
        try:
            with pa.memory_map(str(path)) as source:
                table = pa.ipc.open_file(source).read_all()
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise BenchmarkError(
                f"{path} is not a benchmark store ({_first_line(error)}); convert official "
                "files with `python -m search_spaces.convert`"
            ) from error
        try:
            _check_schema(path, table)
            return Benchmark(path, table)
        except (ValueError, KeyError, TypeError) as error:  # a header that is no JSON, say
            raise BenchmarkError(
                f"{path} is damaged ({_first_line(error)}); fetch or convert it again"
            ) from error

    def __len__(self) -> int:
        return int(self._arrow.num_rows)

    def __repr__(self) -> str:
        return f"Benchmark({self.name!r}, {len(self):,} cells, {self.path})"

    @cached_property
    def hashes(self) -> npt.NDArray[np.uint8]:
        """Module hashes, sorted, shape (n, 16), a view of the file."""
        data = self._chunk("module_hash")
        values = np.frombuffer(data.buffers()[1], np.uint8)
        return values[data.offset * 16 : (data.offset + len(data)) * 16].reshape(-1, 16)

    def verify(self) -> None:
        """Compare the content with its recorded checksum; reads the whole file.

        Raises:
            BenchmarkError: if it is damaged.
        """
        digest = hashlib.sha256()
        for name in self._arrow.column_names:
            digest.update(name.encode())
            digest.update(_content(self._chunk(name)))
        if digest.hexdigest() != self.sha256:
            raise BenchmarkError(
                f"{self.path} is damaged: its content has not the recorded checksum; fetch or "
                "convert it again"
            )

    def has_column(self, name: str) -> bool:
        """Whether the store has that column at all (the smooth ones are optional)."""
        return name in self._arrow.column_names

    def column(self, name: str) -> tuple[Column, npt.NDArray[np.bool_] | None]:
        """One column as a view of the file, and which of its values are unknown.

        Returns:
            Values of shape (n,), and a mask of the unknown ones or None if all are known.
        """
        if name not in self._columns:
            data = self._chunk(name)
            kind = np.dtype(data.type.to_pandas_dtype())
            values = np.frombuffer(data.buffers()[1], kind)[data.offset :][: len(data)]
            unknown = np.asarray(data.is_null()) if data.null_count else None
            self._columns[name] = (values, unknown)
        return self._columns[name]

    def table(self, space: Space) -> Table:
        """The figures of one space, aligned to its rows.

        Raises:
            BenchmarkError: if the store lacks cells of the space.
        """
        from search_spaces.table import Table

        if len(self) < space.num_unique:  # saves building a large index just to say no
            raise self._incomplete(space, space.num_unique - len(self), "at least ")
        keys = as_keys(self.hashes)
        wanted = as_keys(space.unique_hashes())
        positions = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        missing = np.flatnonzero(keys[positions] != wanted)
        if len(missing):
            raise self._incomplete(space, len(missing))
        return Table(self, space, positions)

    def _incomplete(self, space: Space, missing: int, bound: str = "") -> BenchmarkError:
        return BenchmarkError(
            f"{self.name} ({self.path}) lacks {bound}{missing:,} of the {space.num_unique:,} "
            f"cells of space {space.name}; `python -m search_spaces.fetch nasbench101` gets a "
            "table that has them all"
        )

    def _chunk(self, name: str) -> pa.Array:
        column = self._arrow.column(name)
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _schema() -> list[pa.Field]:
    fields = [pa.field("module_hash", pa.binary(16), nullable=False)]
    fields += [
        pa.field(column_name(quantity, epochs, repeat), kind)
        for quantity, kind in _QUANTITIES.items()
        for epochs in BUDGETS
        for repeat in REPEATS
    ]
    return [*fields, pa.field("parameters", pa.int32())]


def _check_schema(path: Path, table: pa.Table) -> None:
    header = (table.schema.metadata or {}).get(_METADATA_KEY)
    if header is None or table.num_rows == 0:
        raise BenchmarkError(
            f"{path} is an Arrow file but not a benchmark store; "
            "`python -m search_spaces.convert` writes one"
        )
    found = json.loads(header).get("format")
    if found != _FORMAT:
        raise BenchmarkError(
            f"{path} has store layout {found}, this version reads {_FORMAT}; convert it again "
            "with `python -m search_spaces.convert`"
        )
    for field in _schema():
        if (
            field.name not in table.column_names
            or table.schema.field(field.name).type != field.type
        ):
            raise BenchmarkError(f"{path} lacks the column {field.name} of type {field.type}")


def write_store(
    path: str | Path,
    columns: Mapping[str, npt.NDArray[Any]],
    *,
    name: str,
    kind: str,
    metadata: Mapping[str, Any],
) -> None:
    """Write a store in one step: either the whole file is there afterwards, or none.

    Args:
        path: the file to write; its folder must exist.
        columns: "module_hash" (n, 16) uint8 in any order; "validation_accuracy" and
            "test_accuracy" (n, 4, 3) uint16, thousandths of `ACCURACY_UNIT` by budget and
            repeat, 65535 where unknown; "training_seconds" (n, 4, 3) float32, NaN where
            unknown; "parameters" (n,) int32, -1 where unknown; optionally
            "smooth_validation_accuracy" and "smooth_test_accuracy" (n, 4) uint16.
        name: what to call this source.
        kind: "official", "surrogate" or "synthetic".
        metadata: anything that JSON can hold.

    Raises:
        OSError: if the file cannot be written; nothing is left behind.
        ValueError: if a hash occurs twice.
    """
    keys = as_keys(np.asarray(columns["module_hash"], np.uint8))
    order = np.argsort(keys, kind="stable")
    if len(order) > 1 and (keys[order[1:]] == keys[order[:-1]]).any():
        raise ValueError("a module hash occurs twice")
    arrays = _arrow_columns(columns, order)
    digest = hashlib.sha256()
    for column, array in arrays.items():
        digest.update(column.encode())
        digest.update(_content(array))
    header = {
        "format": _FORMAT,
        "name": name,
        "kind": kind,
        "sha256": digest.hexdigest(),
        "metadata": dict(metadata),
    }
    table = pa.table(arrays).replace_schema_metadata({_METADATA_KEY: json.dumps(header).encode()})
    write_atomically(Path(path), lambda temporary: _write_ipc(temporary, table))


def _arrow_columns(
    columns: Mapping[str, npt.NDArray[Any]], order: npt.NDArray[np.int64]
) -> dict[str, pa.Array]:
    hashes = np.ascontiguousarray(np.asarray(columns["module_hash"], np.uint8)[order])
    buffers = [None, pa.py_buffer(hashes.tobytes())]
    arrays = {"module_hash": pa.Array.from_buffers(pa.binary(16), len(order), buffers)}
    for quantity, kind in _QUANTITIES.items():
        values = np.asarray(columns[quantity])[order]
        for i, epochs in enumerate(BUDGETS):
            for repeat in REPEATS:
                arrays[column_name(quantity, epochs, repeat)] = _nullable(
                    values[:, i, repeat], kind
                )
    arrays["parameters"] = _nullable(np.asarray(columns["parameters"])[order], pa.int32())
    for quantity in (smooth for smooth in _SMOOTH if smooth in columns):
        values = np.asarray(columns[quantity])[order]
        for i, epochs in enumerate(BUDGETS):
            arrays[f"{quantity}_{epochs}"] = _nullable(values[:, i], pa.uint16())
    return arrays


def _nullable(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    values = np.ascontiguousarray(values, kind.to_pandas_dtype())
    if kind == pa.uint16():
        unknown = values == UNKNOWN_ACCURACY
    elif kind == pa.int32():
        unknown = values == UNKNOWN_PARAMETERS
    else:
        unknown = np.isnan(values)
    return pa.array(values, kind, mask=unknown) if unknown.any() else pa.array(values, kind)


def _content(array: pa.Array) -> bytes:
    """The known values and where they are, for the checksum."""
    if pa.types.is_fixed_size_binary(array.type):
        size = array.type.byte_width
        return bytes(array.buffers()[1])[array.offset * size :][: len(array) * size]
    values = array.fill_null(0).to_numpy(zero_copy_only=False)
    return bytes(values.tobytes() + np.asarray(array.is_null()).tobytes())


def _write_ipc(path: Path, table: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
