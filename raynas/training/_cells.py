"""Finds the cell that a user means, and what the benchmark says of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from search_spaces.benchmark import Benchmark, BenchmarkError
from search_spaces.cell import Cell
from search_spaces.errors import UserError
from search_spaces.space import ArchitectureError
from search_spaces.spaces import SPACE_NAMES, load_space
from search_spaces.table import MissingFigureError

_HASH = re.compile(r"[0-9a-f]{32}")
_OPTIONS = {"space": "--space", "method": "--method", "seed": "--run-seed"}


@dataclass(frozen=True)
class FoundCell:
    """A cell and where it is from.

    Attributes:
        cell: pruned.
        space: name of the first space that has it.
        row: its row in that space.
    """

    cell: Cell
    space: str
    row: int

    def errors(self, benchmark: Benchmark) -> tuple[float, float] | None:
        """Mean validation and test error at 108 epochs; None if the benchmark lacks them."""
        try:
            table = benchmark.table(load_space(self.space))
            return float(table.validation_error(self.row)), float(table.test_error(self.row))
        except (BenchmarkError, MissingFigureError):
            return None


def cell_of_hash(module_hash: str, spaces: Sequence[str] = SPACE_NAMES) -> FoundCell:
    """The cell with a module hash.

    Args:
        module_hash: 32 hexadecimal digits, as `Cell.module_hash` and the tables of studies.
        spaces: where to look, in this order.

    Raises:
        UserError: it is no hash, or no cell has it.
    """
    text = module_hash.strip().lower()
    if not _HASH.fullmatch(text):
        raise UserError(
            f"{module_hash!r} is no module hash: it needs 32 hexadecimal digits, as in the column "
            "module_hash of a study's tables",
            exit_code=2,
        )
    for name in spaces:
        space = load_space(name)
        try:
            row = space.row_of_hash(text)
        except ArchitectureError:
            continue
        return FoundCell(space.cell(row), name, row)
    raise UserError(
        f"no cell of the spaces {', '.join(spaces)} has the hash {text}; studies list valid ones "
        "in the column module_hash of trajectories.parquet",
        exit_code=2,
    )


def cell_of_run(study: Path, method: str, seed: int, space: str | None = None) -> FoundCell:
    """The final cell of a run of a study: its last incumbent, or the cell that a search ended at.

    Args:
        study: its directory.
        method: name of a method.
        seed: of the run.
        space: needed if the study has several.

    Raises:
        UserError: there is no such study or run; it lists the valid names.
    """
    import pyarrow.compute as pc

    from raynas.execution.study import read_trajectories

    rows = read_trajectories(study)
    spaces = sorted(set(rows.column("space").to_pylist()))
    if space is None and len(spaces) > 1:
        raise UserError(
            f"{study} has the spaces {', '.join(spaces)}; say which with --space", exit_code=2
        )
    space = space or spaces[0]
    for name, value in (("space", space), ("method", method), ("seed", seed)):
        known = sorted(set(rows.column(name).to_pylist()))
        if value not in known:
            raise UserError(
                f"{study} has no run with {name} {value}; it has {', '.join(map(str, known))}: "
                f"give one of these with {_OPTIONS[name]}",
                exit_code=2,
            )
        rows = rows.filter(pc.equal(rows.column(name), value))
    hashes = rows.sort_by("evaluation").column("incumbent_hash").drop_null().to_pylist()
    if not hashes:
        raise UserError(f"{method} with seed {seed} has found no cell in {study}; take another")
    return cell_of_hash(hashes[-1], [space])
