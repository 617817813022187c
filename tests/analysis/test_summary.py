from __future__ import annotations

import pyarrow as pa
import pytest

from raynas.analysis import SUMMARY_SCHEMA, TRAJECTORY_SCHEMA, summary


def row(method: str, seed: int, evaluation: int, seconds: float, regret: float | None) -> dict:
    values = dict.fromkeys(TRAJECTORY_SCHEMA.names)
    return values | {
        "method": method,
        "space": "2",
        "seed": seed,
        "evaluation": evaluation,
        "epochs": 108,
        "repeat": 0,
        "validation_error": None if regret is None else 0.05 + regret,
        "simulated_seconds": seconds,
        "real_seconds": 0.0,
        "validation_regret": regret,
        "test_regret": regret,
        "failure": "diverged" if regret is None else None,
    }


@pytest.fixture
def table() -> pa.Table:
    rows = [
        row("rs", 0, 0, 5e3, 0.4),
        row("rs", 0, 1, 5e4, 0.2),
        row("rs", 1, 0, 2e4, 0.6),
        row("rs", 2, 0, 2e4, 0.4),
        row("re", 0, 0, 5e3, 0.3),
        row("re", 0, 1, 2e6, 0.1),
        row("re", 1, 0, 5e3, None),
        row("re", 1, 1, 6e3, 0.1),
    ]
    return summary(pa.Table.from_pylist(rows, schema=TRAJECTORY_SCHEMA))


def at(table: pa.Table, method: str, checkpoint: str) -> dict:
    [found] = [
        r for r in table.to_pylist() if r["method"] == method and r["checkpoint"] == checkpoint
    ]
    return found


def test_one_row_per_method_and_checkpoint(table: pa.Table) -> None:
    assert table.schema == SUMMARY_SCHEMA
    assert table.num_rows == 8


def test_a_run_without_a_value_is_not_in_the_mean_and_is_counted(table: pa.Table) -> None:
    early = at(table, "rs", "1e4")
    assert (early["runs"], early["runs_with_value"], early["mean_test_regret"]) == (3, 1, 0.4)
    assert early["ci_low"] is None and early["ci_high"] is None
    later = at(table, "rs", "1e5")
    assert later["runs_with_value"] == 3
    assert later["mean_test_regret"] == pytest.approx(0.4)
    assert later["ci_low"] < 0.4 < later["ci_high"]
    assert later["median_test_regret"] == pytest.approx(0.4)


def test_ended_runs_keep_their_last_value(table: pa.Table) -> None:
    assert at(table, "rs", "1e6")["runs_ended"] == 3
    assert at(table, "re", "1e6")["runs_ended"] == 1
    assert at(table, "rs", "final")["mean_test_regret"] == pytest.approx(0.4)
    assert at(table, "re", "1e6")["mean_test_regret"] == pytest.approx(0.2)
    assert at(table, "re", "final")["mean_test_regret"] == pytest.approx(0.1)
    assert at(table, "re", "final")["mean_seconds"] == pytest.approx((2e6 + 6e3) / 2)


def test_evaluations_and_failures_are_counted_up_to_the_checkpoint(table: pa.Table) -> None:
    assert (at(table, "re", "1e4")["evaluations"], at(table, "re", "1e4")["failed"]) == (3, 1)
    assert (at(table, "re", "final")["evaluations"], at(table, "re", "final")["failed"]) == (4, 1)
    assert (at(table, "rs", "1e4")["evaluations"], at(table, "rs", "1e4")["failed"]) == (1, 0)


def test_ranks(table: pa.Table) -> None:
    # at 1e4 s: seed 0 has 0.4 against 0.3, seed 1 has nothing against 0.1
    assert at(table, "rs", "1e4")["mean_rank"] == 2
    assert at(table, "re", "1e4")["mean_rank"] == 1


@pytest.mark.parametrize("regrets", [[0.4], [0.3, 0.5]])
def test_one_run_or_two_have_a_mean_without_an_interval(regrets: list[float]) -> None:
    rows = [row("rs", seed, 0, 5e3, regret) for seed, regret in enumerate(regrets)]
    final = at(summary(pa.Table.from_pylist(rows, schema=TRAJECTORY_SCHEMA)), "rs", "final")
    assert final["mean_test_regret"] == 0.4
    assert final["ci_low"] is None and final["ci_high"] is None
