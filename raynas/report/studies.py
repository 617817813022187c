"""Read study directories and put them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from raynas.analysis.reference import CURVES_SCHEMA
from raynas.analysis.trajectory import TRAJECTORY_SCHEMA
from raynas.execution.manifest import read_manifest
from raynas.execution.study import TRAJECTORIES, read_trajectories
from search_spaces.errors import UserError

CURVES = "curves.parquet"
_RUN = ["method", "space", "seed"]


@dataclass(frozen=True, slots=True)
class StudyData:
    """What a report needs of one study.

    Attributes:
        path: its directory.
        manifest: the content of `manifest.json`.
        trajectories: rows of `TRAJECTORY_SCHEMA`.
        curves: rows of `CURVES_SCHEMA`; empty if the study has none.
    """

    path: Path
    manifest: dict[str, Any]
    trajectories: pa.Table
    curves: pa.Table

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.path.resolve().name

    @property
    def benchmark(self) -> dict[str, Any]:
        """The manifest's entry on the benchmark."""
        return dict(self.manifest["benchmark"])


def read_study(path: Path) -> StudyData:
    """Read a finished study.

    Raises:
        UserError: it is no study, of another layout, unfinished, damaged or without a run.
    """
    if not path.is_dir():
        raise UserError(f"there is no study directory {path}")
    manifest = read_manifest(path)
    trajectories = _checked(read_trajectories(path), TRAJECTORY_SCHEMA, path / TRAJECTORIES)
    if trajectories.num_rows == 0:
        raise UserError(f"{path / TRAJECTORIES} has no evaluation in it; nothing to report")
    curves = path / CURVES
    if not curves.exists():
        return StudyData(path, manifest, trajectories, CURVES_SCHEMA.empty_table())
    try:
        table = pq.ParquetFile(curves).read()
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"cannot read {curves}: {str(error).splitlines()[0]}") from error
    return StudyData(path, manifest, trajectories, _checked(table, CURVES_SCHEMA, curves))


def _checked(table: pa.Table, schema: pa.Schema, path: Path) -> pa.Table:
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise UserError(f"{path} lacks the columns {', '.join(missing)}; run the study again")
    try:
        return table.select(schema.names).cast(schema)
    except (pa.ArrowException, ValueError) as error:
        raise UserError(f"{path} has a column of another type: {error}") from error


@dataclass(frozen=True, slots=True)
class Merged:
    """Several studies as one.

    Attributes:
        studies: in the order given.
        trajectories: of all; the method column holds labels ("rs", or "rs · study" where two
            studies have runs that must not be mixed).
        curves: per space, of the first study that has it.
        sources: space -> the studies with runs in it.
    """

    studies: tuple[StudyData, ...]
    trajectories: pa.Table
    curves: pa.Table
    sources: dict[str, list[StudyData]]


def merge(studies: Sequence[StudyData]) -> Merged:
    """Put studies together; runs with the same method, space and seed are never mixed."""
    labelled, curves = [], [CURVES_SCHEMA.empty_table()]
    sources: dict[str, list[StudyData]] = {}
    earlier: list[StudyData] = []
    for study in studies:
        name = _unused_name(study, earlier)
        clashing = any(_must_not_mix(study, other) for other in earlier)
        labelled.append(_relabel(study.trajectories, name) if clashing else study.trajectories)
        known = list(sources)
        for space in pc.unique(study.trajectories.column("space")).to_pylist():
            sources.setdefault(space, []).append(study)
        new = pc.invert(pc.is_in(study.curves.column("space"), pa.array(known, pa.string())))
        curves.append(study.curves.filter(new))
        earlier.append(study)
    merged = pa.concat_tables(labelled).combine_chunks()
    return Merged(tuple(studies), merged, pa.concat_tables(curves), sources)


def _unused_name(study: StudyData, earlier: Sequence[StudyData]) -> str:
    taken = [other.name for other in earlier]
    return f"{study.name} ({len(taken) + 1})" if study.name in taken else study.name


def _must_not_mix(study: StudyData, other: StudyData) -> bool:
    """Whether the studies share a method and space, and runs, benchmark or settings clash."""
    pairs = [set(zip(*_keys(s, 2), strict=True)) for s in (study, other)]
    if not pairs[0] & pairs[1]:
        return False
    runs = [set(zip(*_keys(s, 3), strict=True)) for s in (study, other)]
    settings = [
        (s.benchmark["sha256"], {k: s.manifest["arguments"].get(k) for k in _SETTINGS})
        for s in (study, other)
    ]
    return bool(runs[0] & runs[1]) or settings[0] != settings[1]


_SETTINGS = ("evaluations", "budget_seconds", "repeat", "incumbent", "workers", "seed")


def _keys(study: StudyData, count: int) -> list[list[Any]]:
    names = _RUN[:count]
    unique = study.trajectories.group_by(names).aggregate([])
    return [unique.column(name).to_pylist() for name in names]


def _relabel(trajectories: pa.Table, name: str) -> pa.Table:
    index = trajectories.column_names.index("method")
    labels = pc.binary_join_element_wise(trajectories.column("method"), name, " · ")
    return trajectories.set_column(index, "method", labels)
