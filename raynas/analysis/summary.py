"""The table of results: every method at the checkpoints of simulated time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from raynas.analysis import anytime, statistics
from raynas.analysis.runs import Run, by_method, families, split_runs

CHECKPOINTS = {"1e4": 1e4, "1e5": 1e5, "1e6": 1e6, "final": np.inf}
SUMMARY_SCHEMA = pa.schema(
    [
        ("space", pa.string()),
        ("method", pa.string()),
        ("checkpoint", pa.string()),
        ("runs", pa.int32()),
        ("runs_with_value", pa.int32()),
        ("runs_ended", pa.int32()),
        ("mean_test_regret", pa.float64()),
        ("ci_low", pa.float64()),
        ("ci_high", pa.float64()),
        ("median_test_regret", pa.float64()),
        ("q25_test_regret", pa.float64()),
        ("q75_test_regret", pa.float64()),
        ("mean_validation_regret", pa.float64()),
        ("mean_rank", pa.float64()),
        ("mean_seconds", pa.float64()),
        ("evaluations", pa.int64()),
        ("failed", pa.int64()),
        ("family", pa.string()),
    ]
)


def summary(trajectories: pa.Table, *, seed: int = 0) -> pa.Table:
    """Results per space, method and checkpoint (1e4, 1e5, 1e6 simulated seconds and the end).

    A run counts in the regrets of a checkpoint only if it had a successful evaluation by then;
    `runs_with_value` says how many did, out of `runs`. A run that ended before the checkpoint
    (`runs_ended`) counts with its last value. Figures that nothing is known about are null.

    Args:
        trajectories: rows of `TRAJECTORY_SCHEMA`.
        seed: of the bootstrap.

    Returns:
        A table of `SUMMARY_SCHEMA`. `ci_low` and `ci_high` bound the mean test regret (95 %);
        `mean_rank` is by test regret among the methods of a family (black-box or one-shot), over
        the seeds common to them; `mean_seconds` is the checkpoint, or the mean end of the runs;
        `evaluations` counts the finished evaluations of all runs (failed ones included) and
        `failed` the failed ones among them.
    """
    return summarise(split_runs(trajectories), seed=seed)


def summarise(runs: Sequence[Run], *, seed: int = 0) -> pa.Table:
    """The same from runs that are cut apart already."""
    rows: list[dict[str, Any]] = []
    for space in dict.fromkeys(run.space for run in runs):
        groups = by_method(runs, space)
        times = np.array(list(CHECKPOINTS.values()))
        ranks = {
            method: curve
            for family in families(groups).values()
            for method, curve in anytime.rank_curves(family, times).items()
        }
        for method, members in groups.items():
            rows += [
                {
                    "space": space,
                    "method": method,
                    **row,
                    "mean_rank": ranks[method][i],
                    "family": members[0].family,
                }
                for i, row in enumerate(_at_checkpoints(members, times, seed))
            ]
    return pa.Table.from_pylist([_nulls(row) for row in rows], schema=SUMMARY_SCHEMA)


def _at_checkpoints(runs: Sequence[Run], times: np.ndarray, seed: int) -> list[dict[str, Any]]:
    test = anytime.sample(runs, times, "test_regret")
    validation = statistics.mean(anytime.sample(runs, times, "validation_regret"))
    low, high = statistics.mean_interval(test, seed=seed)
    q25, median, q75 = statistics.quartiles(test)
    ends = np.array([run.seconds[-1] for run in runs])
    return [
        {
            "checkpoint": name,
            "runs": len(runs),
            "runs_with_value": int(np.sum(~np.isnan(test[:, i]))),
            "runs_ended": int(np.sum(ends <= time)),
            "mean_test_regret": statistics.mean(test)[i],
            "ci_low": low[i],
            "ci_high": high[i],
            "median_test_regret": median[i],
            "q25_test_regret": q25[i],
            "q75_test_regret": q75[i],
            "mean_validation_regret": validation[i],
            "mean_seconds": float(ends.mean()) if np.isinf(time) else time,
            "evaluations": int(sum(np.sum(run.seconds <= time) for run in runs)),
            "failed": int(sum(np.sum(run.failed[run.seconds <= time]) for run in runs)),
        }
        for i, (name, time) in enumerate(CHECKPOINTS.items())
    ]


def _nulls(row: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()}
