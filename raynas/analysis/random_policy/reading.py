"""Read what is to be judged: studies, or CSV and Parquet files of someone else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raynas.analysis.random_policy.budget import EQUAL_BUDGET
from raynas.analysis.random_policy.cells import find_rows
from raynas.analysis.random_policy.ended import planned_epochs
from raynas.analysis.random_policy.finals import Finals, finals_of_runs
from raynas.analysis.random_policy.finals_of_others import OPTIONAL, REQUIRED, finals_of_table
from raynas.analysis.random_policy.judgement import RIVALS, WITHOUT_SHARING
from raynas.analysis.random_policy.labels import distinct
from raynas.analysis.random_policy.population import RAW, UNIQUE
from raynas.analysis.random_policy.rivals import rivals_of
from raynas.analysis.runs import split_runs
from raynas.execution.manifest import SEARCHES, read_manifest
from raynas.execution.study import read_trajectories
from search_spaces.benchmark import Benchmark
from search_spaces.errors import UserError, unknown_name
from search_spaces.sources import open_benchmark
from search_spaces.spaces import SPACE_NAMES, load_space
from search_spaces.table import Table

#: What runs are compared with anyway: no set of cells may be called so.
_REFERENCES = (UNIQUE, RAW, EQUAL_BUDGET, RIVALS, WITHOUT_SHARING)
_TEXTS = ("method", "module_hash", "space")


@dataclass(frozen=True)
class Inputs:
    """What was read.

    Attributes:
        finals: of all sources, labels distinct.
        tables: by space.
        benchmark: that judges them.
        among: space -> name -> rows of further sets to draw from.
        notes: space -> what of these sets was left out.
        studies: path of each source -> when it was begun, as its manifest says; "" of a file.
    """

    finals: list[Finals]
    tables: dict[str, Table]
    benchmark: Benchmark
    among: dict[str, dict[str, np.ndarray]]
    notes: dict[str, list[str]] = field(default_factory=dict)
    studies: dict[str, str] = field(default_factory=dict)


def read_inputs(
    paths: Sequence[Path],
    space: str | None = None,
    benchmark: str | None = None,
    among: Sequence[Path] = (),
) -> Inputs:
    """Read studies and tables of final cells, and open the benchmark that judges them.

    Args:
        paths: study directories, or .csv and .parquet files.
        space: of files without a column of it; of a study, the one to look at.
        benchmark: name or path; by default that of the studies, else "auto".
        among: files with a column module_hash, each a set of cells to draw from.

    Raises:
        UserError: something is missing; the message says which command makes it.
    """
    if space is not None and space not in SPACE_NAMES:
        raise unknown_name("space", space, list(SPACE_NAMES))
    found: list[Finals] = []
    recorded: dict[str, dict[str, Any]] = {}
    begun: dict[str, str] = {}
    for path in paths:
        begun[str(path.absolute())] = ""
        if path.is_dir():
            finals, manifest = _study(path, space)
            recorded[str(path)] = manifest["benchmark"]
            begun[str(path.absolute())] = manifest["created"]
            found += finals
        else:
            found += finals_of_table(_table(path), path.name, space)
    opened = open_benchmark(benchmark) if benchmark else _benchmark(recorded)
    labelled = distinct(found)
    spaces = {name: load_space(name) for name in dict.fromkeys(one.space for one in labelled)}
    tables = {name: opened.table(one) for name, one in spaces.items()}
    sets: dict[str, dict[str, np.ndarray]] = {name: {} for name in tables}
    notes: dict[str, list[str]] = {name: [] for name in tables}
    for path, label in zip(among, _names(among), strict=True):
        for name in tables:
            sets[name][label], left_out = _set(path, name)
            if left_out:
                notes[name].append(
                    f"Left out of {label}: {left_out} of the hashes in {path.name}, which space "
                    f"{name} does not have."
                )
    return Inputs(labelled, tables, opened, sets, notes, begun)


def _names(among: Sequence[Path]) -> list[str]:
    """The stem of each file, numbered where it is taken."""
    names: list[str] = []
    for path in among:
        name, number = path.stem, 1
        while name in (*_REFERENCES, *names):
            number += 1
            name = f"{path.stem} ({number})"
        names.append(name)
    return names


def _study(path: Path, space: str | None) -> tuple[list[Finals], dict[str, Any]]:
    manifest = read_manifest(path, *SEARCHES)
    trajectories = read_trajectories(path)
    runs = split_runs(trajectories)
    name = path.resolve().name
    if space is not None:
        spaces = list(dict.fromkeys(run.space for run in runs))
        runs = [run for run in runs if run.space == space]
        if spaces and not runs:
            raise UserError(
                f"{path} is a study of space {', '.join(spaces)}, not of space {space}; "
                f"`python -m raynas.compare --space {space}` makes one"
            )
    arguments = manifest["arguments"]
    found = finals_of_runs(
        runs,
        name,
        int(arguments.get("workers") or 1),
        planned_epochs(manifest),
        rivals_of(trajectories),
        oracle=arguments.get("incumbent") == "oracle",
    )
    return found, manifest


def _benchmark(recorded: dict[str, dict[str, Any]]) -> Benchmark:
    """The benchmark that the studies rest on."""
    if not recorded:
        return open_benchmark("auto")
    checksums = {entry["sha256"]: path for path, entry in recorded.items()}
    if len(checksums) > 1:
        raise UserError(
            f"{' and '.join(checksums.values())} rest on different benchmarks; judge all cells by "
            "one with --benchmark"
        )
    path, entry = next(iter(recorded.items()))
    source = "surrogate" if entry["kind"] == "surrogate" else str(entry["path"])
    opened = open_benchmark(source)
    if opened.sha256 != entry["sha256"]:
        raise UserError(
            f"{path} rests on {entry['name']!r} (sha256 {entry['sha256'][:12]}), which {source} is "
            f"no longer (sha256 {opened.sha256[:12]}); judge its cells by that with "
            f"--benchmark {source}"
        )
    return opened


def _table(path: Path) -> pa.Table:
    table = _read(path)
    names = [name for name in (*REQUIRED, *OPTIONAL) if table.column_names.count(name) > 1]
    if names:
        raise UserError(f"{path} has the column {names[0]} twice; leave one of them out")
    return table


def _read(path: Path) -> pa.Table:
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    if not path.exists():
        raise UserError(
            f"there is no study or file {path}; `python -m raynas.compare --space 3` makes a study"
        )
    try:
        if path.suffix == ".parquet":
            return pq.ParquetFile(path).read()
        if path.suffix == ".csv":
            # A hash of digits only must not become a number.
            options = csv.ConvertOptions(
                column_types=dict.fromkeys(_TEXTS, pa.string()), strings_can_be_null=True
            )
            return csv.read_csv(path, convert_options=options)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"cannot read {path}: {str(error).splitlines()[0]}") from error
    raise UserError(f"{path} is no study directory, .csv or .parquet file", exit_code=2)


def _set(path: Path, space: str) -> tuple[np.ndarray, int]:
    """Rows of the cells in a file, and how many distinct hashes the space does not have."""
    table = _table(path)
    if "module_hash" not in table.column_names:
        raise UserError(f"{path} lacks the column module_hash")
    hashes = pc.unique(pc.drop_null(table.column("module_hash"))).to_pylist()
    rows = find_rows(load_space(space), hashes)
    if not (rows >= 0).any():
        raise UserError(f"{path} has no cell of space {space}; nothing can be drawn from it")
    return rows[rows >= 0], int(np.sum(rows < 0))
