"""Stands in for `from nasbench import api`: the same names and meaning, without TensorFlow.

Change the import to `from search_spaces import nasbench_api as api`; the rest of a script stays.
Semantics are those of google-research/nasbench, `nasbench/api.py` (Ying et al., ICML 2019), but:

- `NASBench(path)` takes the official `.tfrecord` file (converted once, in a cache) or a store that
  `search_spaces.convert` or `search_spaces.fetch` wrote, which opens at once.
- Each object draws repeats from a `random.Random(seed)` of its own, and leaves Python's global
  generator alone. The same seed gives the repeats that the original gives to a script that draws
  no random numbers itself.
- `NASBench.evaluate` (training a model with TensorFlow 1) is left out.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, KeysView, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from search_spaces.benchmark import ACCURACY_UNIT, REPEATS, Benchmark, column_name
from search_spaces.cell import INPUT, OPERATIONS, OUTPUT
from search_spaces.data_directory import data_directory
from search_spaces.errors import UserError
from search_spaces.model_spec import ModelSpec, OutOfDomainError
from search_spaces.nasbench_details import Details, details_path
from search_spaces.space import as_keys, hash_texts

__all__ = ["ModelSpec", "NASBench", "OutOfDomainError"]

_ARROW_MAGIC = b"ARROW1"
_IDENTITY_BYTES = 1 << 16
_METRICS = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")

Value = TypeVar("Value")


class _Statistics(Mapping[str, Value], Generic[Value]):
    """Looks like the official dict from module hashes, but makes each entry when asked."""

    def __init__(self, owner: NASBench, make: Callable[[int], Value]) -> None:
        self._owner = owner
        self._make = make

    def __getitem__(self, module_hash: str) -> Value:
        return self._make(self._owner._row(module_hash))

    def __iter__(self) -> Iterator[str]:
        return iter(self._owner._hashes_by_appearance)

    def __len__(self) -> int:
        return len(self._owner._benchmark)


class NASBench:
    """The benchmark: what cells score, run by run.

    Args:
        dataset_file: the official `.tfrecord` file, or a converted store.
        seed: of the draws of repeats; two objects with the same seed answer the same queries
            equally. None takes a random one.

    Attributes:
        config: limits of the benchmark ("module_vertices", "max_edges", "available_ops",
            "num_repeats") and the shape of its networks.
        valid_epochs: numbers of epochs that can be queried.
        fixed_statistics: by module hash, what does not depend on training.
        computed_statistics: by module hash and epochs, the list of runs.
        training_time_spent: seconds of all runs queried since the last reset.
        total_epochs_spent: epochs of the same.
        history: an empty dict for the script's own use.

    Raises:
        UserError: if the file cannot be read or is no table of NAS-Bench-101.
    """

    def __init__(self, dataset_file: str | Path, seed: int | None = None) -> None:
        store = _store_of(Path(dataset_file))
        self._benchmark = Benchmark.open(store)
        self._details = Details(details_path(store), self._benchmark.sha256)
        self._random = random.Random(seed)
        self.config: dict[str, Any] = {
            "module_vertices": 7,
            "max_edges": 9,
            "available_ops": list(OPERATIONS),
            "num_repeats": len(REPEATS),
            "stem_filter_size": 128,
            "num_stacks": 3,
            "num_modules_per_stack": 3,
            "num_labels": 10,
        }
        self.valid_epochs: set[int] = set(self._details.epochs)
        self.fixed_statistics: Mapping[str, dict[str, Any]] = _Statistics(self, self._fixed)
        self.computed_statistics: Mapping[str, dict[int, list[dict[str, float]]]] = _Statistics(
            self, self._computed
        )
        self.history: dict[Any, Any] = {}
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def query(
        self, model_spec: ModelSpec, epochs: int = 108, stop_halfway: bool = False
    ) -> dict[str, Any]:
        """One run of a cell, drawn at random from its repeats; its cost is counted.

        Args:
            model_spec: the cell.
            epochs: length of the training, one of `valid_epochs`.
            stop_halfway: give, and count, the figures of the half of the training.

        Returns:
            "module_adjacency", "module_operations", "trainable_parameters", "training_time"
            (seconds), "train_accuracy", "validation_accuracy", "test_accuracy" (fractions).

        Raises:
            OutOfDomainError: if the cell or the number of epochs is outside of the benchmark.
            KeyError: if the table lacks the cell (the official table has all).
        """
        if epochs not in self.valid_epochs:
            raise OutOfDomainError(
                f"invalid number of epochs {epochs!r}, must be one of {sorted(self.valid_epochs)}"
            )
        self._check_spec(model_spec)
        row = self._row(self._hash_spec(model_spec))
        budget = self._details.epochs.index(epochs)
        repeats = self._repeats(row, budget)
        if not repeats:
            raise KeyError(f"no run of {epochs} epochs of cell {self._hash_spec(model_spec)}")
        repeat = repeats[self._random.randint(0, len(repeats) - 1)]
        run = self._run(row, budget, repeat)
        stage = "halfway" if stop_halfway else "final"
        data = self._fixed(row) | {name: run[f"{stage}_{name}"] for name in _METRICS}
        self.training_time_spent += data["training_time"]
        self.total_epochs_spent += epochs // 2 if stop_halfway else epochs
        return data

    def is_valid(self, model_spec: ModelSpec) -> bool:
        """Whether the cell is inside the benchmark; costs nothing."""
        try:
            self._check_spec(model_spec)
        except OutOfDomainError:
            return False
        return True

    def get_budget_counters(self) -> tuple[float, int]:
        """Training seconds and epochs spent by queries."""
        return self.training_time_spent, self.total_epochs_spent

    def reset_budget_counters(self) -> None:
        """Set both counters to zero."""
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def hash_iterator(self) -> KeysView[str]:
        """All module hashes, in the order of the official file."""
        return self.fixed_statistics.keys()

    def get_metrics_from_hash(
        self, module_hash: str
    ) -> tuple[dict[str, Any], dict[int, list[dict[str, float]]]]:
        """All runs of a cell; costs nothing, and is not for benchmarking.

        Returns:
            The fixed statistics, and by number of epochs a list of runs with the keys
            "halfway_" and "final_" + "training_time", "train_accuracy", "validation_accuracy",
            "test_accuracy".

        Raises:
            KeyError: if the table has no such cell.
        """
        return self.fixed_statistics[module_hash], self.computed_statistics[module_hash]

    def get_metrics_from_spec(
        self, model_spec: ModelSpec
    ) -> tuple[dict[str, Any], dict[int, list[dict[str, float]]]]:
        """The same for a cell that is given as a graph.

        Raises:
            OutOfDomainError: if the cell is outside of the benchmark.
            KeyError: if the table lacks it.
        """
        self._check_spec(model_spec)
        return self.get_metrics_from_hash(self._hash_spec(model_spec))

    def _check_spec(self, model_spec: ModelSpec) -> None:
        if model_spec.matrix is None or model_spec.ops is None:
            raise OutOfDomainError("invalid spec, provided graph is disconnected.")
        vertices, edges = len(model_spec.ops), int(np.sum(model_spec.matrix))
        available = self.config["available_ops"]
        if vertices > self.config["module_vertices"]:
            raise OutOfDomainError(
                f"too many vertices, got {vertices} "
                f"(max vertices = {self.config['module_vertices']})"
            )
        if edges > self.config["max_edges"]:
            raise OutOfDomainError(
                f"too many edges, got {edges} (max edges = {self.config['max_edges']})"
            )
        if model_spec.ops[0] != INPUT:
            raise OutOfDomainError(f"first operation should be {INPUT!r}")
        if model_spec.ops[-1] != OUTPUT:
            raise OutOfDomainError(f"last operation should be {OUTPUT!r}")
        for name in model_spec.ops[1:-1]:
            if name not in available:
                raise OutOfDomainError(f"unsupported op {name} (available ops = {available})")

    def _hash_spec(self, model_spec: ModelSpec) -> str:
        return model_spec.hash_spec(self.config["available_ops"])

    # Look-ups ---------------------------------------------------------------------------------

    @cached_property
    def _keys(self) -> npt.NDArray[np.bytes_]:
        return as_keys(self._benchmark.hashes)

    @cached_property
    def _hashes_by_appearance(self) -> list[str]:
        order = np.argsort(self._details.appearance)
        return hash_texts(self._benchmark.hashes[order])

    def _row(self, module_hash: str) -> int:
        try:
            key = np.frombuffer(bytes.fromhex(module_hash), np.uint8)
        except (TypeError, ValueError):
            raise KeyError(module_hash) from None
        if len(key) != 16 or module_hash != key.tobytes().hex():
            raise KeyError(module_hash)
        row = int(np.searchsorted(self._keys, as_keys(key[None])[0]))
        if row == len(self._keys) or self._benchmark.hashes[row].tobytes() != key.tobytes():
            raise KeyError(module_hash)
        return row

    def _fixed(self, row: int) -> dict[str, Any]:
        matrix, ops = self._details.graph(row)
        parameters, _ = self._benchmark.column("parameters")
        return {
            "module_adjacency": matrix,
            "module_operations": ops,
            "trainable_parameters": int(parameters[row]),
        }

    def _computed(self, row: int) -> dict[int, list[dict[str, float]]]:
        runs = {
            epochs: [self._run(row, budget, repeat) for repeat in self._repeats(row, budget)]
            for budget, epochs in enumerate(self._details.epochs)
        }
        return {epochs: known for epochs, known in runs.items() if known}

    def _repeats(self, row: int, budget: int) -> list[int]:
        """The repeats that the table has, in their order in the official file."""
        seconds = self._details.figure("final_training_time")[row, budget]
        return [repeat for repeat in REPEATS if seconds[repeat] == seconds[repeat]]  # not NaN

    def _run(self, row: int, budget: int, repeat: int) -> dict[str, float]:
        run = {
            f"{stage}_{name}": float(self._details.figure(f"{stage}_{name}")[row, budget, repeat])
            for stage, name in self._details.stored
        }
        epochs = self._details.epochs[budget]
        for name in ("validation_accuracy", "test_accuracy"):
            values, _ = self._benchmark.column(column_name(name, epochs, repeat))
            # The official figures are the float32 values nearest to k / 9984.
            run[f"final_{name}"] = float(np.float32(int(values[row]) / ACCURACY_UNIT))
        return run


def _store_of(path: Path) -> Path:
    """The store to open for a path that the user gave: itself, or its cached conversion."""
    try:
        with path.open("rb") as file:
            if file.read(len(_ARROW_MAGIC)) == _ARROW_MAGIC:
                return path
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror}; `python -m search_spaces.fetch nasbench101` "
            "gets the official table"
        ) from error
    store = data_directory() / "converted" / f"{_identity(path)}.arrow"
    if not (store.exists() and details_path(store).exists()):
        _convert(path, store)
    return store


def _identity(path: Path) -> str:
    """Changes whenever the file does, without reading all of it."""
    status = path.stat()
    digest = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode())
    with path.open("rb") as file:
        digest.update(file.read(_IDENTITY_BYTES))
        file.seek(max(0, status.st_size - _IDENTITY_BYTES))
        digest.update(file.read())
    return digest.hexdigest()[:32]


def _convert(path: Path, store: Path) -> None:
    from search_spaces.convert import convert
    from search_spaces.progress import progress_bar

    with progress_bar(f"converting {path.name} (once)", path.stat().st_size) as advance:
        convert(path, store, progress=advance)
