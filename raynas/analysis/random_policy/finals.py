"""The cells that the runs of methods ended with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raynas.analysis.random_policy.cells import find_rows, rows_of
from raynas.analysis.random_policy.ended import ended
from raynas.analysis.random_policy.rivals import RANDOM_SEARCH, Rivals
from raynas.analysis.runs import ONE_SHOT, Run
from search_spaces.errors import UserError
from search_spaces.spaces import load_space

_MAKE = "python -m raynas.compare --space {}"


@dataclass(frozen=True)
class Finals:
    """The final cells of one method in one space.

    Attributes:
        method: its name, or its name and the source's: "rs · other".
        space: name of the space.
        weight_sharing: whether it searched with shared weights; None if that is not known.
        seeds: (n,) seed of each run.
        rows: (n,) unique cell of the space that each run ended with; -1 if it ended with none.
        seconds: (n,) how long each run took, nan if that is not known.
        clock: what the seconds are: "simulated" training, or "real" ones of a search.
        source: study or file that the runs are of.
        workers: evaluations that ran at the same time.
        rivals: (m,) unique cell that each random-search run of the same study had after as many
            seconds as the runs took on average; -1 where it had none. None without such runs.
        oracle: whether the cells were chosen by their test errors.
    """

    method: str
    space: str
    weight_sharing: bool | None
    seeds: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64]
    clock: str
    source: str
    workers: int = 1
    rivals: npt.NDArray[np.int64] | None = None
    oracle: bool = False

    @property
    def ended(self) -> npt.NDArray[np.bool_]:
        """Which runs ended with a cell."""
        return self.rows >= 0

    @property
    def mean_seconds(self) -> float:
        """Mean of the runs that ended with a cell; nan if it is not known of all."""
        return float(self.seconds[self.ended].mean()) if self.ended.any() else float("nan")


def finals_of_runs(
    runs: Sequence[Run],
    source: str,
    workers: int = 1,
    planned: Mapping[str, int] | None = None,
    rivals: Rivals | None = None,
    *,
    oracle: bool = False,
) -> list[Finals]:
    """The final incumbents of a study's runs; searches that failed ended with no cell.

    Args:
        runs: of all methods and spaces.
        source: name of the study.
        workers: evaluations that ran at the same time, in black-box runs.
        planned: epochs of the searches by method, see `ended`.
        rivals: the runs of random search among them.
        oracle: whether black-box methods chose their incumbents by test error.

    Raises:
        UserError: no run ended with a cell.
    """
    found = []
    for method, space in dict.fromkeys((run.method, run.space) for run in runs):
        mine = [run for run in runs if (run.method, run.space) == (method, space)]
        shared = mine[0].family == ONE_SHOT
        complete = [ended(run, planned or {}) for run in mine]
        whole = [run for run, came in zip(mine, complete, strict=True) if came]
        cells = [run.cell if came else None for run, came in zip(mine, complete, strict=True)]
        found.append(
            Finals(
                method,
                space,
                shared,
                np.array([run.seed for run in mine], np.int64),
                rows_of(space, cells, method, [r.seed for r in mine], source),
                np.array([run.seconds[-1] for run in mine]),
                "real" if shared else "simulated",
                source,
                1 if shared else workers,
                _rivals(whole or mine, rivals, choosing_alike=not (oracle and shared)),
                oracle and not shared,
            )
        )
    return with_cells(found, source)


def _rivals(
    mine: Sequence[Run], rivals: Rivals | None, *, choosing_alike: bool
) -> npt.NDArray[np.int64] | None:
    if rivals is None or mine[0].method == RANDOM_SEARCH or not choosing_alike:
        return None
    space = mine[0].space
    cells = rivals.after(space, float(np.mean([run.seconds[-1] for run in mine])))
    return find_rows(load_space(space), cells) if cells else None


def with_cells(found: list[Finals], source: str) -> list[Finals]:
    """The same, if any run ended with a cell.

    Raises:
        UserError: none did.
    """
    if any(finals.ended.any() for finals in found):
        return found
    space = found[0].space if found else "3"
    raise UserError(
        f"{source} has no run that ended with a cell; `{_MAKE.format(space)}` makes a study "
        "that has"
    )
