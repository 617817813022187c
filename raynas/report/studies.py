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
from raynas.analysis.searches import ALPHAS_SCHEMA, SEARCHES_SCHEMA, SearchRun, search_runs
from raynas.analysis.trajectory import TRAJECTORY_SCHEMA
from raynas.execution.manifest import read_manifest
from raynas.execution.study import TRAJECTORIES, check_columns, read_trajectories
from search_spaces.errors import UserError

_OPTIONAL = {
    Path("curves.parquet"): CURVES_SCHEMA,
    Path("searches.parquet"): SEARCHES_SCHEMA,
    Path("alphas.parquet"): ALPHAS_SCHEMA,
}
_RUN = ["method", "space", "seed"]


@dataclass(frozen=True, slots=True)
class StudyData:
    """What a report needs of one study.

    Attributes:
        path: its directory.
        manifest: the content of `manifest.json`.
        trajectories: rows of `TRAJECTORY_SCHEMA`.
        curves: rows of `CURVES_SCHEMA`; empty if the study has none.
        searches: rows of `SEARCHES_SCHEMA`; empty if the study has no one-shot searches.
        alphas: rows of `ALPHAS_SCHEMA`, likewise.
    """

    path: Path
    manifest: dict[str, Any]
    trajectories: pa.Table
    curves: pa.Table
    searches: pa.Table
    alphas: pa.Table

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.path.resolve().name

    @property
    def benchmark(self) -> dict[str, Any]:
        """The manifest's entry on the benchmark."""
        return dict(self.manifest["benchmark"])


def read_study(path: Path, *kinds: str) -> StudyData:
    """Read a finished study.

    Args:
        path: its directory.
        kinds: what sorts of study it may be; none if any will do.

    Raises:
        UserError: it is no study, of another layout, unfinished, damaged or without a run.
    """
    if not path.is_dir():
        raise UserError(f"there is no study directory {path}")
    manifest = read_manifest(path, *kinds)
    trajectories = _checked(read_trajectories(path), TRAJECTORY_SCHEMA, path / TRAJECTORIES)
    if trajectories.num_rows == 0:
        raise UserError(f"{path / TRAJECTORIES} has no evaluation in it; nothing to report")
    parts = {name.stem: _optional(path / name, schema) for name, schema in _OPTIONAL.items()}
    return StudyData(path, manifest, trajectories, **parts)


def _optional(path: Path, schema: pa.Schema) -> pa.Table:
    """The rows of a file that a study may have."""
    if not path.exists():
        return schema.empty_table()
    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"cannot read {path}: {str(error).splitlines()[0]}") from error
    return _checked(table, schema, path)


def _checked(table: pa.Table, schema: pa.Schema, path: Path) -> pa.Table:
    check_columns(table, schema.names, path)
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
        searches: the one-shot searches, with the same labels.
        sources: space -> the studies with runs in it.
    """

    studies: tuple[StudyData, ...]
    trajectories: pa.Table
    curves: pa.Table
    searches: list[SearchRun]
    sources: dict[str, list[StudyData]]


def merge(studies: Sequence[StudyData]) -> Merged:
    """Put studies together; runs with the same method, space and seed are never mixed."""
    labelled, curves, searches = [], [CURVES_SCHEMA.empty_table()], []
    sources: dict[str, list[StudyData]] = {}
    earlier: list[StudyData] = []
    for study in studies:
        name = _unused_name(study, earlier)
        clashing = any(_must_not_mix(study, other) for other in earlier)
        trajectories, found, alphas = (
            _relabel(table, name) if clashing else table
            for table in (study.trajectories, study.searches, study.alphas)
        )
        labelled.append(trajectories)
        searches += search_runs(found, alphas, trajectories)
        known = list(sources)
        for space in pc.unique(study.trajectories.column("space")).to_pylist():
            sources.setdefault(space, []).append(study)
        new = pc.invert(pc.is_in(study.curves.column("space"), pa.array(known, pa.string())))
        curves.append(study.curves.filter(new))
        earlier.append(study)
    merged = pa.concat_tables(labelled).combine_chunks()
    return Merged(tuple(studies), merged, pa.concat_tables(curves), searches, sources)


def _unused_name(study: StudyData, earlier: Sequence[StudyData]) -> str:
    taken = [other.name for other in earlier]
    return f"{study.name} ({len(taken) + 1})" if study.name in taken else study.name


def _must_not_mix(study: StudyData, other: StudyData) -> bool:
    """Whether the studies share a method and space, and runs, benchmark or settings clash."""
    pairs = [set(zip(*_keys(s, 2), strict=True)) for s in (study, other)]
    if not pairs[0] & pairs[1]:
        return False
    runs = [set(zip(*_keys(s, 3), strict=True)) for s in (study, other)]
    methods = sorted({method for method, _ in pairs[0] & pairs[1]})
    settings = [(s.benchmark["sha256"], _settings(s.manifest, methods)) for s in (study, other)]
    return bool(runs[0] & runs[1]) or settings[0] != settings[1]


_SETTINGS = ("evaluations", "budget_seconds", "repeat", "incumbent", "workers", "seed")


def _settings(manifest: dict[str, Any], methods: list[str]) -> list[Any]:
    """What runs of these methods must have in common."""
    search = manifest.get("search") or {}
    own = {m: v for m, v in search.get("settings", {}).items() if m in methods}
    images = (search.get("images"), search.get("device")) if own else None
    return [{name: manifest["arguments"].get(name) for name in _SETTINGS}, own, images]


def _keys(study: StudyData, count: int) -> list[list[Any]]:
    names = _RUN[:count]
    unique = study.trajectories.group_by(names).aggregate([])
    return [unique.column(name).to_pylist() for name in names]


def _relabel(table: pa.Table, name: str) -> pa.Table:
    index = table.column_names.index("method")
    labels = pc.binary_join_element_wise(table.column("method"), name, " · ")
    return table.set_column(index, "method", labels)
