from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raynas.analysis import TRAJECTORY_SCHEMA, trajectory
from raynas.analysis.trajectory import best_single, running_argmin
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from search_spaces.table import Table
from tests.support.benchmarks import synthetic_benchmark
from tests.support.studies import log_table


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    space = load_space(1)
    path: Path = tmp_path_factory.mktemp("benchmark") / "one.arrow"
    return synthetic_benchmark(path, space, seed=3).table(space)


def naive(rows: list[dict[str, Any]], oracle: bool) -> list[dict[str, Any] | None]:
    """The incumbent after each evaluation of one run, by the definition."""
    incumbents: list[dict[str, Any] | None] = []
    best: dict[str, Any] | None = None
    for row in rows:
        if row["failure"] is None:
            if best is None:
                best = row
            elif oracle:
                best = row if row["test_error"] < best["test_error"] else best
            elif row["epochs"] > best["epochs"] or (
                row["epochs"] == best["epochs"]
                and row["validation_error"] < best["validation_error"]
            ):
                best = row
        incumbents.append(best)
    return incumbents


EVALUATION = st.tuples(
    st.integers(0, 2684), st.sampled_from([4, 12, 36, 108]), st.integers(-1, 2), st.booleans()
)


@given(
    runs=st.lists(st.lists(EVALUATION, min_size=1, max_size=12), min_size=1, max_size=4),
    oracle=st.booleans(),
    shuffle=st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_equals_the_definition_row_by_row(
    table: Table, runs: list[list[tuple[int, int, int, bool]]], oracle: bool, shuffle: Any
) -> None:
    log = [
        row
        for seed, evaluations in enumerate(runs)
        for row in log_rows(table, "rs", seed, evaluations)
    ]
    shuffled = list(log)
    shuffle.shuffle(shuffled)
    found = trajectory(log_table(shuffled), {"1": table}, "oracle" if oracle else "validation")
    assert found.schema == TRAJECTORY_SCHEMA
    expected = []
    for seed in range(len(runs)):
        expected += naive([row for row in log if row["seed"] == seed], oracle)
    hashes = table.space.unique_hashes()
    for row, best, mine in zip(log, expected, found.to_pylist(), strict=True):
        assert mine["seed"] == row["seed"] and mine["evaluation"] == row["evaluation"]
        assert mine["module_hash"] == hashes[row["row"]].tobytes().hex()
        assert mine["validation_error"] == row["validation_error"]
        check_incumbent(table, mine, best, oracle)


def log_rows(
    table: Table, method: str, seed: int, evaluations: list[tuple[int, int, int, bool]]
) -> list[dict[str, Any]]:
    rows = []
    for i, (row, epochs, repeat, failed) in enumerate(evaluations):
        figure = "mean" if repeat < 0 else repeat
        rows.append(
            {
                "method": method,
                "space": table.space.name,
                "seed": seed,
                "evaluation": i,
                "number": i,
                "vector": table.space.representative(row).tolist(),
                "row": row,
                "epochs": epochs,
                "repeat": repeat,
                "validation_error": None if failed else table.validation_error(row, epochs, figure),
                "test_error": None if failed else table.test_error(row, epochs, figure),
                "simulated_seconds": 100.0 * (i + 1),
                "real_seconds": 0.1 * (i + 1),
                "failure": "diverged" if failed else None,
            }
        )
    return rows


def check_incumbent(
    table: Table, mine: dict[str, Any], best: dict[str, Any] | None, oracle: bool
) -> None:
    if best is None:
        assert mine["incumbent_hash"] is None and mine["test_regret"] is None
        return
    row = best["row"]
    assert mine["incumbent_hash"] == table.space.unique_hashes()[row].tobytes().hex()
    test = best["test_error"] if oracle else float(table.test_error(row))
    validation = best["validation_error"] if oracle else float(table.validation_error(row))
    zero = best_single(table, "test") if oracle else table.best_test_error
    assert math.isclose(mine["incumbent_test_error"], test, abs_tol=1e-12)
    assert math.isclose(mine["incumbent_validation_error"], validation, abs_tol=1e-12)
    assert math.isclose(mine["test_regret"], test - zero, abs_tol=1e-12)
    assert mine["test_regret"] >= 0
    assert mine["validation_regret"] >= 0


def test_regret_is_zero_at_the_best_cell_and_positive_elsewhere(table: Table) -> None:
    errors = table.validation_error(np.arange(table.space.num_unique))
    best, worst = int(errors.argmin()), int(errors.argmax())
    runs = [(worst, 108, -1, False), (best, 108, -1, False)]
    found = trajectory(log_table(log_rows(table, "ls", 0, runs)), {"1": table})
    regrets = found.column("validation_regret").to_pylist()
    assert regrets[0] == pytest.approx(errors[worst] - errors[best])
    assert regrets[1] == 0


def test_a_larger_budget_replaces_a_better_error_at_a_smaller_one(table: Table) -> None:
    order = np.argsort(table.validation_error(np.arange(table.space.num_unique), 4))
    good, bad = int(order[0]), int(order[-1])
    worse = [(good, 36, 0, False), (bad, 108, 0, False), (good, 36, 1, False)]
    found = trajectory(log_table(log_rows(table, "hb", 0, worse)), {"1": table})
    names = [table.space.unique_hashes()[r].tobytes().hex() for r in (good, bad, bad)]
    assert found.column("incumbent_hash").to_pylist() == names


def test_the_oracle_chooses_by_test_error(table: Table) -> None:
    rows = np.arange(table.space.num_unique)
    gap = table.test_error(rows, 108, 0) - table.validation_error(rows, 108, 0)
    a, b = int(gap.argmin()), int(gap.argmax())
    order = [b, a] if table.test_error(a, 108, 0) < table.test_error(b, 108, 0) else [a, b]
    log = log_table(log_rows(table, "re", 0, [(row, 108, 0, False) for row in order]))
    found = trajectory(log, {"1": table}, "oracle")
    assert found.column("incumbent_test_error").to_pylist() == [
        pytest.approx(float(table.test_error(row, 108, 0))) for row in order
    ]


def test_an_empty_log_gives_an_empty_table(table: Table) -> None:
    assert trajectory(log_table([]), {"1": table}).num_rows == 0


def test_an_unknown_rule_names_the_valid_ones(table: Table) -> None:
    with pytest.raises(UserError, match="validation, oracle") as caught:
        trajectory(log_table([]), {"1": table}, "best")
    assert caught.value.exit_code == 2


def test_of_equal_ranks_the_first_stays() -> None:
    rank = np.array([2, 1, 1, 0, 5, 5])
    failed = np.array([False, True, False, False, True, False])
    starts = np.array([0, 4, 6])
    assert running_argmin(rank, failed, starts).tolist() == [0, 0, 2, 3, -1, 5]
