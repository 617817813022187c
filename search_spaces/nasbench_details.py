"""What the official files tell beyond the column store, for the drop-in API only.

An Arrow file beside the store, memory-mapped like it, with one row per cell in the same order:
the cell as the official rows describe it, the order of appearance, and per figure a list of all
runs (budget by budget, three repeats each; NaN where there is no run). Figures are float32 if the
official float64 values are that exactly, as they are in the published files.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from search_spaces.benchmark import BUDGETS, REPEATS, BenchmarkError
from search_spaces.collector import FIGURES, STAGES, Collector
from search_spaces.data_directory import write_atomically
from search_spaces.space import as_keys

_METADATA_KEY = b"raynas.nasbench_details"
_FORMAT = 1
#: The column store has these, exactly.
_IN_STORE = {("final", "validation_accuracy"), ("final", "test_accuracy")}


def details_path(store: Path) -> Path:
    """Where the details of a store lie."""
    return store.with_name(f"{store.stem}.details{store.suffix}")


def write_details(path: Path, collector: Collector, store_sha256: str) -> None:
    """Write the details of a conversion in one step.

    Args:
        path: the file to write.
        collector: all runs.
        store_sha256: checksum of the store that they belong to.
    """
    order = np.argsort(as_keys(collector.store_columns()["module_hash"]), kind="stable")
    budgets = collector.budgets_present()
    codes = collector.graph_codes[order]
    columns: dict[str, pa.Array] = {
        "appearance": pa.array(order.astype(np.int32)),
        "module_adjacency": _dictionary(codes[:, 0], collector.graphs.adjacency),
        "module_operations": _dictionary(codes[:, 1], collector.graphs.ops),
    }
    for stage in STAGES:
        for figure in FIGURES:
            if (stage, figure) not in _IN_STORE:
                values = collector.figure(stage, figure)[:, budgets][order]
                columns[f"{stage}_{figure}"] = _lists(values)
    header = {
        "format": _FORMAT,
        "store_sha256": store_sha256,
        "epochs": [BUDGETS[index] for index in budgets],
    }
    table = pa.table(columns).replace_schema_metadata({_METADATA_KEY: json.dumps(header).encode()})
    write_atomically(path, lambda temporary: _write_ipc(temporary, table))


def _dictionary(codes: npt.NDArray[np.int32], texts: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.ascontiguousarray(codes)), pa.array(texts))


def _lists(values: npt.NDArray[Any]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(
        pa.array(values.reshape(-1)), values.shape[1] * values.shape[2]
    )


def _write_ipc(path: Path, table: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())


class Details:
    """The details of a store, memory-mapped.

    Args:
        path: the details file.
        store_sha256: checksum of the store that it must belong to.

    Attributes:
        epochs: the budgets that occur, ascending.
        stored: the stages and names of the figures that this file has.

    Raises:
        BenchmarkError: if the file is missing, unreadable, or belongs to another store.
    """

    def __init__(self, path: Path, store_sha256: str) -> None:
        again = "convert the official file again with `python -m search_spaces.convert`"
        try:
            with pa.memory_map(str(path)) as source:
                self._table = pa.ipc.open_file(source).read_all()
            header = json.loads(self._table.schema.metadata[_METADATA_KEY])
        except FileNotFoundError as error:
            raise BenchmarkError(f"no details file {path}; {again}") from error
        except (pa.ArrowInvalid, OSError, KeyError, TypeError) as error:
            raise BenchmarkError(f"{path} is no details file; {again}") from error
        if header["format"] != _FORMAT or header["store_sha256"] != store_sha256:
            raise BenchmarkError(f"{path} belongs to another store; {again}")
        self.epochs: tuple[int, ...] = tuple(header["epochs"])
        self.stored = [
            (stage, figure)
            for stage in STAGES
            for figure in FIGURES
            if (stage, figure) not in _IN_STORE
        ]
        self._figures: dict[str, npt.NDArray[Any]] = {}

    @cached_property
    def appearance(self) -> npt.NDArray[np.int32]:
        """Order in which the rows' cells appeared in the official file, shape (n,)."""
        appearance: npt.NDArray[np.int32] = self._table["appearance"].to_numpy()
        return appearance

    def graph(self, row: int) -> tuple[npt.NDArray[np.int8], list[str]]:
        """Adjacency matrix and operations of a cell as the official file has them."""
        text = self._table["module_adjacency"][row].as_py()
        ops = self._table["module_operations"][row].as_py().split(",")
        entries = np.frombuffer(text.encode(), np.int8) - ord("0")
        return entries.astype(np.int8).reshape(len(ops), len(ops)), ops

    def figure(self, name: str) -> npt.NDArray[Any]:
        """A figure of all runs, for instance "halfway_test_accuracy".

        Returns:
            Shape (n, budgets, 3), a view of the file; NaN where there is no run.
        """
        if name not in self._figures:
            values = self._table[name].chunk(0).flatten().to_numpy()
            shape = (self._table.num_rows, len(self.epochs), len(REPEATS))
            self._figures[name] = values.reshape(shape)
        return self._figures[name]
