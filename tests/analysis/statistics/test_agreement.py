from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from raynas.analysis import statistics
from raynas.analysis.statistics import Estimate, Statement


def test_ceiling_by_hand() -> None:
    repeats = np.array([[1.0, 1, 2], [2, 3, 1], [3, 2, 3]])
    # against the means of the others: 1.5 2 2.5 (all concordant), 1.5 1.5 3 and 1 2.5 2.5 (one
    # concordant, one discordant, one tied)
    assert statistics.noise_ceiling(repeats) == pytest.approx((1 + 0 + 0) / 3)
    pairs = [1 / 3, 1 / 3, -1 / 3]
    assert statistics.repeat_agreement(repeats) == pytest.approx(np.mean(pairs))


def test_without_noise_the_ceiling_is_one() -> None:
    values = np.random.default_rng(0).normal(size=(30, 1)).repeat(3, axis=1)
    assert statistics.noise_ceiling(values) == pytest.approx(1)
    assert statistics.repeat_agreement(values, statistics.pearson) == pytest.approx(1)
    assert isinstance(statistics.noise_ceiling(values[:, :1]), Statement)
    assert isinstance(statistics.repeat_agreement(np.ones((5, 3))), Statement)


@pytest.mark.measured
def test_ceiling_of_nas_bench_101(measured: Path) -> None:
    rows = pq.read_table(measured / "runs.parquet").to_pandas()
    final = rows[rows.epochs == 108]
    test = final.pivot(index="module_hash", columns="repeat", values="test_accuracy").to_numpy()
    valid = final.pivot(index="module_hash", columns="repeat", values="validation_accuracy")
    chosen = np.random.default_rng(0).choice(len(test), 4000, replace=False)
    assert statistics.repeat_agreement(test[chosen]) == pytest.approx(0.825, abs=0.015)
    both = statistics.kendall_tau(valid.to_numpy()[chosen].mean(axis=1), test[chosen].mean(axis=1))
    assert both == pytest.approx(0.946, abs=0.015)
    spread = np.sqrt(np.median(test.var(axis=1, ddof=1)))
    assert 100 * spread == pytest.approx(0.36, abs=0.15)


def test_mean_over_seeds() -> None:
    truth = np.arange(4.0)
    scores = np.array([[0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 1, 3], [5, 5, 5, 5]])
    assert statistics.mean_correlation(scores, truth) == pytest.approx((1 - 1 + 4 / 6) / 3)
    assert isinstance(statistics.mean_correlation(np.ones((2, 4)), truth), Statement)


def test_two_way_interval_holds_seeds_and_items() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=60)
    steady = truth + rng.normal(0, 1, (6, 60))
    one = statistics.two_way_bootstrap(steady, truth, resamples=100)
    assert isinstance(one, Estimate) and not isinstance(one.interval, Statement)
    assert one.value == pytest.approx(statistics.mean_correlation(steady, truth))
    assert one.interval[0] < one.value < one.interval[1]
    moody = np.outer([1, 1, 1, -1, -1, 1], truth) + rng.normal(0, 1, (6, 60))
    other = statistics.two_way_bootstrap(moody, truth, resamples=100)
    assert isinstance(other, Estimate) and not isinstance(other.interval, Statement)
    assert np.ptp(other.interval) > 2 * np.ptp(one.interval)


def test_two_way_degenerate() -> None:
    truth = np.arange(5.0)
    single = statistics.two_way_bootstrap(truth, truth, resamples=50)
    assert isinstance(single, Estimate)  # one seed: other cells, the same seed
    assert isinstance(statistics.two_way_bootstrap(np.ones(5), truth), Statement)
    few = statistics.two_way_bootstrap([1.0, 2.0], [1.0, 2.0])
    assert isinstance(few, Estimate) and isinstance(few.interval, Statement)
