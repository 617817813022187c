from __future__ import annotations

import numpy as np
import pytest

from raynas.analysis import anytime
from raynas.analysis.runs import Run


def run(method: str, seed: int, seconds: list[float], regret: list[float]) -> Run:
    values = np.array(regret, dtype=np.float64)
    return Run(
        method=method,
        space="1",
        seed=seed,
        seconds=np.array(seconds, dtype=np.float64),
        validation_regret=values,
        test_regret=values,
        validation_error=values,
        test_error=values,
        failed=np.isnan(values),
        cell=None,
    )


def test_step_function_changes_when_an_evaluation_ends() -> None:
    runs = [run("rs", 0, [10, 20, 20, 40], [4, 3, 2, 1]), run("rs", 1, [15, 30], [np.nan, 5])]
    found = anytime.sample(runs, np.array([5, 10, 19.9, 20, 39, 40, 99.0]), "test_regret")
    nan = np.nan
    assert np.array_equal(
        found, [[nan, 4, 4, 2, 2, 1, 1], [nan, nan, nan, nan, 5, 5, 5]], equal_nan=True
    )


def test_grid_spans_all_runs_within_the_limit() -> None:
    runs = [run("rs", 0, [10, 1000], [2, 1]), run("re", 0, [7, 90], [2, 1])]
    grid = anytime.log_grid(runs, 50)
    assert len(grid) == 50 and grid[0] == 7 and grid[-1] == 1000
    assert np.allclose(np.diff(np.log(grid)), np.diff(np.log(grid))[0])
    assert anytime.log_grid([run("rs", 0, [10], [2])]).tolist() == [10]


def test_curve_says_how_many_runs_have_a_value_and_ends_with_the_last_run() -> None:
    runs = [
        run("rs", 0, [10, 30], [4, 2]),
        run("rs", 1, [20, 40], [6, 4]),
        run("rs", 2, [30], [9]),
    ]
    curve = anytime.curve(runs, np.array([10.0, 20, 30, 40, 50]), "test_regret")
    assert curve.seconds.tolist() == [10, 20, 30, 40]
    assert curve.runs.tolist() == [1, 2, 3, 3]
    assert curve.mean.tolist() == [4, 5, 17 / 3, 5]
    assert curve.median.tolist() == [4, 5, 6, 4]
    # one run has no interval, and that of two would be the two
    assert np.isnan(curve.low[:2]).all() and np.isnan(curve.high[:2]).all()
    assert 2 <= curve.low[2] < curve.mean[2] < curve.high[2] <= 9


@pytest.mark.parametrize("grid", [[10.0, 20, 50], [50.0, 60], [5.0, 10, 1000]])
def test_a_curve_ends_where_the_table_does(grid: list[float]) -> None:
    """Whether or not the grid has the moment at which the last run ends."""
    runs = [run("darts", 0, [10, 30], [4, 2]), run("darts", 1, [20, 40], [6, 3])]
    curve = anytime.curve(runs, np.array(grid), "test_regret")
    assert curve.mean[-1] == anytime.final(runs, "test_regret").mean() == 2.5
    assert curve.seconds[-1] == max(40, grid[0]) and (np.diff(curve.seconds) > 0).all()


def test_the_grid_is_complete_once_every_run_that_ever_succeeds_has_a_value() -> None:
    nan = np.nan
    runs = [run("rs", 0, [10, 30], [nan, 2]), run("rs", 1, [5], [1]), run("rs", 2, [90], [nan])]
    grid = np.array([5.0, 10, 29, 30, 31])
    assert anytime.complete(runs, grid).tolist() == [30, 31]
    assert anytime.complete(runs[2:], grid).tolist() == grid.tolist()
    assert anytime.complete(runs[:1], grid[:2]).tolist() == [10]


def test_ranks_use_the_common_seeds() -> None:
    groups = {
        "a": [run("a", 0, [10], [1]), run("a", 1, [10], [9]), run("a", 2, [10], [9])],
        "b": [run("b", 1, [10], [1]), run("b", 0, [20], [1])],
    }
    ranks = anytime.rank_curves(groups, np.array([5.0, 10.0, 20.0]))
    assert anytime.common_seeds(groups) == [0, 1]
    assert np.isnan(ranks["a"][0])
    # at 10 s: seed 0 has only a, seed 1 has b ahead; at 20 s: seed 0 is a tie
    assert ranks["a"][1:].tolist() == [1.5, 1.75]
    assert ranks["b"][1:].tolist() == [1.5, 1.25]


def test_no_common_seed_gives_no_rank() -> None:
    groups = {"a": [run("a", 0, [10], [1])], "b": [run("b", 1, [10], [1])]}
    ranks = anytime.rank_curves(groups, np.array([10.0]))
    assert np.isnan([ranks["a"][0], ranks["b"][0]]).all()


def test_final_is_the_last_value() -> None:
    runs = [run("a", 0, [1, 2], [5, 3]), run("a", 1, [1], [np.nan])]
    assert anytime.final(runs, "test_regret")[0] == 3
    assert np.isnan(anytime.final(runs, "test_regret")[1])
    with pytest.raises(AttributeError):
        anytime.final(runs, "no_such_quantity")
