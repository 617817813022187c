"""Reads what is known about cells, from partial tables or from a converted official store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from search_spaces.benchmark import ACCURACY_UNIT, BUDGETS, REPEATS, Benchmark, column_name
from search_spaces.errors import UserError
from search_spaces.surrogate.graphs import Graphs, graphs_from_bits
from search_spaces.surrogate.keys import Hashes, positions, union_graphs, union_hashes

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measurements:
    """Known figures; NaN where unknown. The cells of the three spaces come first, sorted.

    Attributes:
        hashes: (n, 16) module hashes.
        graphs: n graphs.
        covered: number of cells of the three spaces, which the surrogate predicts.
        validation: (n, 4, 3) accuracy of every run, by budget and repeat.
        test: (n, 4, 3) likewise.
        test_mean: (n,) mean test accuracy at 108 epochs.
        single_validation: (n, 4) accuracy of one run whose repeat is not known.
        seconds: (n,) mean training time at 108 epochs.
        source: what was read.
    """

    hashes: Hashes
    graphs: Graphs
    covered: int
    validation: Floats
    test: Floats
    test_mean: Floats
    single_validation: Floats
    seconds: Floats
    source: str


def read_measurements(path: Path) -> Measurements:
    """Reads a folder of partial tables, or a store that `search_spaces.convert` wrote.

    Raises:
        UserError: if there is neither, or nothing in it is known for the three spaces.
    """
    found = _from_tables(path) if path.is_dir() else _from_store(Benchmark.open(path))
    if np.isnan(found.test_mean[: found.covered]).all():
        raise UserError(f"{path} has no test accuracy at 108 epochs for any cell of spaces 1-3")
    return found


def _from_store(store: Benchmark) -> Measurements:
    hashes = union_hashes()
    where = positions(store.hashes, hashes)

    def runs(quantity: str, unit: float) -> Floats:
        values = np.full((len(hashes), len(BUDGETS), len(REPEATS)), np.nan)
        for i, epochs in enumerate(BUDGETS):
            for repeat in REPEATS:
                column, unknown = store.column(column_name(quantity, epochs, repeat))
                known = where >= 0 if unknown is None else (where >= 0) & ~unknown[where]
                values[known, i, repeat] = column[where[known]] / unit
        return values

    test = runs("test_accuracy", ACCURACY_UNIT)
    seconds = runs("training_seconds", 1)
    return Measurements(
        hashes=hashes,
        graphs=union_graphs(hashes),
        covered=len(hashes),
        validation=runs("validation_accuracy", ACCURACY_UNIT),
        test=test,
        test_mean=test[:, -1].mean(1),
        single_validation=np.full((len(hashes), len(BUDGETS)), np.nan),
        seconds=seconds[:, -1].mean(1),
        source=f"store {store.name}, sha256 {store.sha256}",
    )


def _from_tables(folder: Path) -> Measurements:
    cells = _read(folder / "cells.parquet")
    union = union_hashes()
    listed = _hashes(cells)
    outside = np.flatnonzero(positions(union, listed) < 0)
    hashes = np.concatenate([union, listed[outside]])
    order = np.argsort(hashes.view("S16").reshape(-1), kind="stable")
    inside, beyond = union_graphs(union), _listed_graphs(cells.take(outside))
    graphs = Graphs(
        np.concatenate([inside.adjacency, beyond.adjacency]),
        np.concatenate([inside.labels, beyond.labels]),
    )

    def locate(table: pa.Table) -> npt.NDArray[np.int64]:
        rows = positions(hashes[order], _hashes(table))
        if (rows < 0).any():
            raise UserError(f"{folder}: a table has cells that cells.parquet lacks")
        return order[rows]

    test_mean = np.full(len(hashes), np.nan)
    test_mean[locate(cells)] = cells["test_accuracy_mean_108"].to_numpy()
    runs, times = _read(folder / "runs.parquet"), _read(folder / "times.parquet")
    single = np.full((len(hashes), len(BUDGETS)), np.nan)
    seconds = np.full(len(hashes), np.nan)
    rows = locate(times)
    seconds[rows] = times["training_time_108"].to_numpy()
    for i, epochs in enumerate(BUDGETS):
        single[rows, i] = times[f"validation_accuracy_{epochs}"].to_numpy()
    rows = locate(runs)
    validation, test = (_runs(runs, rows, len(hashes), name) for name in ("validation", "test"))
    return Measurements(
        hashes, graphs, len(union), validation, test, test_mean, single, seconds, "partial tables"
    )


def _runs(table: pa.Table, rows: npt.NDArray[np.int64], count: int, name: str) -> Floats:
    values = np.full((count, len(BUDGETS), len(REPEATS)), np.nan)
    budget = np.searchsorted(BUDGETS, table["epochs"].to_numpy())
    values[rows, budget, table["repeat"].to_numpy()] = table[f"{name}_accuracy"].to_numpy()
    return values


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise UserError(
            f"cannot read {path} ({str(error).splitlines()[0]}); --data needs a folder with "
            "cells.parquet, runs.parquet and times.parquet, or a store written by "
            "`python -m search_spaces.convert`"
        ) from error


def _hashes(table: pa.Table) -> Hashes:
    text = "".join(table["module_hash"].to_pylist())
    return np.frombuffer(bytes.fromhex(text), np.uint8).reshape(-1, 16)


def _listed_graphs(cells: pa.Table) -> Graphs:
    return graphs_from_bits(
        cells["num_vertices"].to_numpy(), cells["adjacency"].to_numpy(), cells["ops"].to_pylist()
    )
