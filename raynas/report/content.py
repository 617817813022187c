"""What a report shows of one space, computed once for the page and the static figures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raynas.analysis import anytime, searches
from raynas.analysis.reference import DISTRIBUTION, RANDOM_SEARCH
from raynas.analysis.runs import BLACK_BOX, ONE_SHOT, Run, by_method, families, split_runs
from raynas.analysis.searches import SearchRun
from raynas.analysis.summary import summarise
from raynas.report.studies import Merged, StudyData
from raynas.report.styles import EXACT, Style, styles
from search_spaces.cell import Cell
from search_spaces.spaces import load_space

POINTS = 200
QUANTITIES = ("test_regret", "validation_regret")
SPACE_TITLES = {
    "1": "NAS-Bench-1Shot1, space 1",
    "2": "NAS-Bench-1Shot1, space 2",
    "3": "NAS-Bench-1Shot1, space 3",
    "101": "NAS-Bench-101",
}


@dataclass(frozen=True, slots=True)
class SpaceContent:
    """Everything that is drawn or told about one space.

    Attributes:
        name: of the space.
        studies: those with runs in it.
        groups: label -> runs.
        styles: label -> style; has `EXACT` where the exact random-search curve is known.
        curves: quantity -> label -> curve over time, from when every run has a value; regrets in
            percentage points.
        exact: quantity -> the exact curve of random search, likewise; empty if it is not known.
        ranks: label -> mean rank at `rank_seconds` among `rank_family`.
        rank_seconds: times of the ranks.
        rank_family: the family that `ranks` are of: methods on one clock.
        distribution: test error and share of the space's cells with at most that error, or None.
        summary: rows of `SUMMARY_SCHEMA`, of this space.
        searches: label -> one-shot searches with their epochs; empty if there are none.
    """

    name: str
    studies: list[StudyData]
    groups: dict[str, list[Run]]
    styles: dict[str, Style]
    curves: dict[str, dict[str, anytime.Curve]]
    exact: dict[str, anytime.Curve]
    ranks: dict[str, np.ndarray]
    rank_seconds: np.ndarray
    rank_family: str
    distribution: tuple[np.ndarray, np.ndarray] | None
    summary: list[dict[str, object]]
    searches: dict[str, list[SearchRun]]

    @property
    def families(self) -> dict[str, dict[str, list[Run]]]:
        """The groups of each family; black-box methods, if there are any, are first."""
        found = families(self.groups)
        return {name: found[name] for name in (BLACK_BOX, ONE_SHOT) if name in found}

    @property
    def title(self) -> str:
        """The space's full name."""
        return SPACE_TITLES.get(self.name, f"space {self.name}")


def contents(merged: Merged) -> list[SpaceContent]:
    """The content of each space, in order of appearance."""
    runs = split_runs(merged.trajectories)
    labels = list(dict.fromkeys(run.method for run in runs))
    looks = styles([*labels, EXACT])
    return [
        _space(space, studies, by_method(runs, space), looks, merged)
        for space, studies in merged.sources.items()
    ]


def _space(
    space: str,
    studies: list[StudyData],
    groups: dict[str, list[Run]],
    looks: dict[str, Style],
    merged: Merged,
) -> SpaceContent:
    runs = [run for members in groups.values() for run in members]
    grids = {
        family: anytime.log_grid([run for run in runs if run.family == family], POINTS)
        for family in {run.family for run in runs}
    }
    ranked = BLACK_BOX if BLACK_BOX in grids else ONE_SHOT
    mine = merged.curves.filter(pc.equal(merged.curves.column("space"), space))
    exact = {q: in_points(found) for q in QUANTITIES if (found := _exact(mine, q)) is not None}
    shown = [*groups, *([EXACT] if exact else [])]
    return SpaceContent(
        name=space,
        studies=studies,
        groups=groups,
        styles={label: looks[label] for label in shown},
        curves={
            q: {
                label: in_points(_curve(members, grids[members[0].family], q))
                for label, members in groups.items()
            }
            for q in QUANTITIES
        },
        exact=exact,
        ranks=anytime.rank_curves(families(groups)[ranked], grids[ranked]),
        rank_seconds=grids[ranked],
        rank_family=ranked,
        distribution=_distribution(mine),
        summary=summarise(runs, seed=_bootstrap_seed(studies)).to_pylist(),
        searches=searches.by_method(merged.searches, space),
    )


def _curve(runs: list[Run], grid: np.ndarray, quantity: str) -> anytime.Curve:
    return anytime.curve(runs, anytime.complete(runs, grid), quantity)


def _bootstrap_seed(studies: list[StudyData]) -> int:
    """The first study's seed, so that the page has the intervals of its `summary.parquet`."""
    return int(studies[0].manifest["arguments"].get("seed") or 0)


def in_points(curve: anytime.Curve) -> anytime.Curve:
    """The same curve with regrets in percentage points instead of fractions."""
    names = ("mean", "low", "high", "median", "q25", "q75")
    return replace(curve, **{name: 100 * getattr(curve, name) for name in names})


def final_regrets(content: SpaceContent) -> dict[str, np.ndarray]:
    """Final test regret of each run in percentage points: label -> (runs,)."""
    return {
        label: 100 * anytime.final(runs, "test_regret") for label, runs in content.groups.items()
    }


def above_best(content: SpaceContent, errors: np.ndarray) -> np.ndarray:
    """Test errors above the space's best, in percentage points; zero at a small positive place."""
    assert content.distribution is not None
    values = content.distribution[0]
    least = np.diff(values[:2]).sum() or 1e-6
    return np.asarray(100 * np.maximum(errors - values[0], least / 2))


def _rows(curves: pa.Table, **wanted: str) -> pa.Table:
    for column, value in wanted.items():
        curves = curves.filter(pc.equal(curves.column(column), value))
    return curves


def _exact(curves: pa.Table, quantity: str) -> anytime.Curve | None:
    parts = {
        name: _rows(curves, curve=RANDOM_SEARCH, quantity=quantity, statistic=name)
        for name in ("mean", "median", "q25", "q75")
    }
    if not parts["mean"].num_rows:
        return None
    seconds = parts["mean"].column("x").to_numpy()
    values = {name: part.column("y").to_numpy() for name, part in parts.items()}
    nothing = np.full(len(seconds), np.nan)
    counts = parts["mean"].column("evaluations").to_numpy()
    return anytime.Curve(seconds=seconds, runs=counts, low=nothing, high=nothing, **values)


def _distribution(curves: pa.Table) -> tuple[np.ndarray, np.ndarray] | None:
    rows = _rows(curves, curve=DISTRIBUTION, quantity="test_error")
    if not rows.num_rows:
        return None
    return rows.column("x").to_numpy(), rows.column("y").to_numpy()


def share_at(distribution: tuple[np.ndarray, np.ndarray], errors: np.ndarray) -> np.ndarray:
    """Share of the cells with at most each error: (n,), 0 below the lowest error of the space."""
    values, share = distribution
    index = np.searchsorted(values, errors + 1e-9, side="right")
    return np.append(0.0, share)[index]


def final_cells(runs: list[Run]) -> tuple[np.ndarray, np.ndarray]:
    """Test errors of the final incumbents, each once, and how many runs ended there."""
    errors = anytime.final(runs, "test_error")
    return np.unique(errors[~np.isnan(errors)], return_counts=True)


def best_run(content: SpaceContent) -> Run | None:
    """The run that ends with the lowest mean validation error; the first of equals."""
    runs = [r for members in content.groups.values() for r in members if r.cell is not None]
    return min(runs, key=lambda run: float(run.validation_error[-1]), default=None)


def best_cell(content: SpaceContent) -> Cell | None:
    """The cell that the best run ends with."""
    best = best_run(content)
    if best is None or best.cell is None:
        return None
    space = load_space(content.name)
    return space.cell(space.row_of_hash(best.cell))


def thin(size: int, most: int) -> np.ndarray:
    """At most `most` indices of `size` things, dense at both ends (evenly in log rank)."""
    if size <= most:
        return np.arange(size)
    ranks = np.geomspace(1, size, most // 2) - 1
    return np.unique(np.rint(np.concatenate([ranks, np.linspace(0, size - 1, most // 2)]))).astype(
        np.int64
    )
