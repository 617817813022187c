"""What random search of the same study had found by the time the runs of a method ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raynas.analysis.runs import Run, in_run_order, split_runs

RANDOM_SEARCH = "rs"


@dataclass(frozen=True)
class Rivals:
    """Runs of random search, and the cell that each had after every evaluation.

    The cells are kept, not their errors: what a study records of an incumbent may be of a single
    training, and is judged anew like the final cells.

    Attributes:
        runs: of all spaces.
        cells: of each run, (evaluations,) module hash of the incumbent; None before a success.
    """

    runs: tuple[Run, ...]
    cells: tuple[tuple[str | None, ...], ...]

    def after(self, space: str, seconds: float) -> list[str | None]:
        """Module hash of the incumbent of each run in a space at a time."""
        found: list[str | None] = []
        for run, cells in zip(self.runs, self.cells, strict=True):
            if run.space == space:
                place = int(np.searchsorted(run.seconds, seconds, side="right")) - 1
                found.append(cells[place] if place >= 0 else None)
        return found


def rivals_of(trajectories: pa.Table) -> Rivals:
    """The runs of random search of a study."""
    rows = trajectories.filter(pc.equal(trajectories.column("method"), RANDOM_SEARCH))
    runs = split_runs(rows)
    hashes: Sequence[str | None] = in_run_order(rows).column("incumbent_hash").to_pylist()
    ends = np.cumsum([len(run.seconds) for run in runs]).tolist()
    cells = [
        tuple(hashes[end - len(run.seconds) : end]) for run, end in zip(runs, ends, strict=True)
    ]
    return Rivals(tuple(runs), tuple(cells))
