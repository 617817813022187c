"""The shipped file: one row per cell of the three spaces, in the order of their hashes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from search_spaces.benchmark import BUDGETS
from search_spaces.data_directory import write_atomically
from search_spaces.errors import UserError

#: Changes whenever the same file would expand to other pseudo-repeats.
GENERATOR = 1

_METADATA_KEY = b"raynas.surrogate"
_WIDE: dict[str, type[np.generic]] = {
    "smooth_validation_accuracy": np.uint16,
    "smooth_test_accuracy": np.uint16,
    "validation_level": np.uint16,
    "test_level": np.uint16,
    "failure": np.uint16,
}
_NARROW: dict[str, type[np.generic]] = {"training_seconds": np.float32, "parameters": np.int32}


class SurrogateError(UserError):
    """The surrogate's file is missing, unreadable, or does not belong to these spaces."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """The content of the file.

    Attributes:
        smooth_validation_accuracy: (n, 4) uint16 in units of 1/9984, by budget.
        smooth_test_accuracy: (n, 4) uint16.
        validation_level: (n, 4) uint16, prediction plus the residual of another cell.
        test_level: (n, 4) uint16.
        failure: (n, 4) uint16, chance of a failed run in units of 1/65536.
        training_seconds: (n,) float32 at 108 epochs.
        parameters: (n,) int32.
        metadata: method, provenance, noise model, fidelity.
    """

    smooth_validation_accuracy: npt.NDArray[np.uint16]
    smooth_test_accuracy: npt.NDArray[np.uint16]
    validation_level: npt.NDArray[np.uint16]
    test_level: npt.NDArray[np.uint16]
    failure: npt.NDArray[np.uint16]
    training_seconds: npt.NDArray[np.float32]
    parameters: npt.NDArray[np.int32]
    metadata: dict[str, Any]


def shipped_path() -> Path:
    """The file that belongs to the package."""
    return Path(str(files("search_spaces") / "data" / "surrogate.parquet"))


def file_sha256(path: Path) -> str:
    """Checksum of a file's bytes.

    Raises:
        SurrogateError: if the file cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SurrogateError(
            f"cannot read the surrogate {path} ({error.strerror}); reinstall raynas, or fit one "
            "with `python -m search_spaces.surrogate fit`"
        ) from error


def write_shipped(path: Path, content: Shipped) -> None:
    """Writes the file in one step."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, kind in _WIDE.items():
        values = getattr(content, name)
        for index, epochs in enumerate(BUDGETS):
            arrays[f"{name}_{epochs}"] = values[:, index].astype(kind)
    for name, kind in _NARROW.items():
        arrays[name] = getattr(content, name).astype(kind)
    table = pa.table(arrays)
    header = json.dumps(content.metadata, separators=(",", ":")).encode()
    table = table.replace_schema_metadata({_METADATA_KEY: header})

    def write(temporary: Path) -> None:
        # Values hardly repeat, so dictionaries would only add to them.
        pq.write_table(
            table, temporary, compression="zstd", compression_level=19, use_dictionary=False
        )

    write_atomically(path, write)


def read_shipped(path: Path) -> Shipped:
    """Reads the file.

    Raises:
        SurrogateError: if it is missing or not such a file.
    """
    try:
        table = pq.read_table(path, use_threads=False)
        metadata = json.loads(table.schema.metadata[_METADATA_KEY])
        wide = {
            name: np.column_stack([table[f"{name}_{epochs}"].to_numpy() for epochs in BUDGETS])
            for name in _WIDE
        }
        narrow = {name: table[name].to_numpy() for name in _NARROW}
    except (OSError, pa.ArrowInvalid, KeyError, TypeError) as error:
        raise SurrogateError(
            f"{path} is not a surrogate file ({type(error).__name__}); reinstall raynas, or fit "
            "one with `python -m search_spaces.surrogate fit`"
        ) from error
    return Shipped(**wide, **narrow, metadata=metadata)


def read_metadata(path: Path) -> dict[str, Any]:
    """The metadata alone.

    Raises:
        SurrogateError: if the file is missing or not such a file.
    """
    try:
        content: dict[str, Any] = json.loads(pq.read_schema(path).metadata[_METADATA_KEY])
    except (OSError, pa.ArrowInvalid, KeyError, TypeError) as error:
        raise SurrogateError(f"{path} is not a surrogate file ({type(error).__name__})") from error
    return content
