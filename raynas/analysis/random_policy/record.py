"""What a comparison with random draws was made from: kept in its table, as it has no manifest."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from raynas.analysis.random_policy.against import MARGIN
from search_spaces.errors import UserError

_USUAL_MARGIN = 100 * MARGIN
_KEY = b"raynas_record"


@dataclass(frozen=True, slots=True)
class Record:
    """Where the final cells came from, and with which options they were judged.

    Attributes:
        studies: path of each study -> when it was begun, as its manifest says; "" of a file.
        created: when the comparison was made.
        made_by: the version of raynas.
        space: that was asked for; None: all.
        benchmark: that was asked for; None: that of the studies.
        among: files of further cells to draw from.
        margin: in percentage points.
    """

    studies: Mapping[str, str]
    created: str
    made_by: str
    space: str | None = None
    benchmark: str | None = None
    among: tuple[str, ...] = ()
    margin: float = _USUAL_MARGIN

    def command(self) -> str:
        """The command line that makes the comparison; what is usual is left out."""
        parts = ["python", "-m", "raynas.random_policy", *map(_near, self.studies)]
        for name, value in (("space", self.space), ("benchmark", self.benchmark)):
            if value is not None:
                parts += [f"--{name}", value]
        for path in self.among:
            parts += ["--among", _near(path)]
        if self.margin != _USUAL_MARGIN:
            parts += ["--margin", f"{self.margin:g}"]
        return shlex.join(parts)


def _near(path: str) -> str:
    """A path from here where it lies below, so that it can be typed."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def with_record(table: pa.Table, record: Record) -> pa.Table:
    """The table with the record in the metadata of its schema."""
    metadata = dict(table.schema.metadata or {})
    return table.replace_schema_metadata(metadata | {_KEY: json.dumps(asdict(record)).encode()})


def read_record(path: Path) -> Record | None:
    """The record in a Parquet file; None if there is none, as in files of earlier versions.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        metadata = pq.ParquetFile(path).schema_arrow.metadata or {}
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"cannot read {path}: {str(error).splitlines()[0]}") from error
    if _KEY not in metadata:
        return None
    values = json.loads(metadata[_KEY])
    return Record(**values | {"among": tuple(values["among"])})
