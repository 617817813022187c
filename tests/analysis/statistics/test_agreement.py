from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

from raynas.analysis import statistics
from raynas.analysis.statistics import Estimate, Statement, TwoWay


def test_one_against_others_by_hand() -> None:
    repeats = np.array([[1.0, 1, 2], [2, 3, 1], [3, 2, 3]])
    # against the means of the others: 1.5 2 2.5 (all concordant), 1.5 1.5 3 and 1 2.5 2.5 (one
    # concordant, one discordant, one tied)
    assert statistics.one_against_others(repeats) == pytest.approx((1 + 0 + 0) / 3)
    pairs = [1 / 3, 1 / 3, -1 / 3]
    assert statistics.repeat_agreement(repeats) == pytest.approx(np.mean(pairs))


def test_without_noise_repeats_agree() -> None:
    values = np.random.default_rng(0).normal(size=(30, 1)).repeat(3, axis=1)
    assert statistics.one_against_others(values) == pytest.approx(1)
    assert statistics.repeat_agreement(values, statistics.pearson) == pytest.approx(1)
    assert isinstance(statistics.one_against_others(values[:, :1]), Statement)
    assert isinstance(statistics.repeat_agreement(np.ones((5, 3))), Statement)


@pytest.mark.measured
def test_repeats_of_nas_bench_101(measured: Path) -> None:
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


def test_among_the_best_the_choice_is_by_the_others() -> None:
    """Of pure noise nothing agrees; chosen by the mean of all, repeats would seem opposed."""
    noise = np.random.default_rng(5).normal(size=(20_000, 3))

    def best(values: np.ndarray) -> np.ndarray:
        return np.argsort(-values)[: len(values) // 10]

    right = statistics.one_against_others(noise, statistics.pearson, best)
    assert right == pytest.approx(0, abs=0.03)
    inside = best(noise.mean(axis=1))
    assert statistics.one_against_others(noise[inside], statistics.pearson) < -0.5


def test_among_the_best_by_simulation() -> None:
    """Pearson's correlation with the mean of two others in the tail of a known normal law."""
    rng = np.random.default_rng(6)
    repeats = rng.normal(size=(60_000, 1)) + 0.5 * rng.normal(size=(60_000, 3))
    spread, least = np.sqrt(1 + 0.25 / 2), stats.norm.isf(0.1)
    mills = stats.norm.pdf(least) / 0.1
    tail = spread**2 * (1 + least * mills - mills**2)  # variance of the others' mean in its tail
    slope = 1 / spread**2
    left = 1 + 0.25 - slope  # of the repeat, given the others
    expected = slope * np.sqrt(tail / (slope**2 * tail + left))
    found = statistics.one_against_others(
        repeats, statistics.pearson, lambda rest: np.argsort(-rest)[:6000]
    )
    assert found == pytest.approx(expected, abs=0.02)


def test_seeds_whose_scores_are_constant_are_counted() -> None:
    truth = np.arange(6.0)
    scores = np.array([[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], *[[1] * 6] * 3])
    found = TwoWay(6, resamples=50).mean(scores, truth)
    assert found.value == pytest.approx(0) and (found.used, found.seeds) == (2, 5)
    assert found.interval is None
    assert found.statement == (
        "3 of 5 seeds gave all cells the same accuracy; "
        "no interval: 2 seeds left, at least 3 are needed"
    )
    more = TwoWay(6, resamples=50).mean(np.vstack([scores, truth[[0, 2, 1, 3, 4, 5]]]), truth)
    assert more.used == 3 and more.interval is not None
    assert more.statement == "3 of 6 seeds gave all cells the same accuracy"
    none = TwoWay(6, resamples=50).mean(np.ones((2, 6)), truth)
    assert none.value is None and none.used == 0
    assert none.statement == "2 of 2 seeds gave all cells the same accuracy"


def test_seeds_that_are_constant_on_some_cells_are_said_to_be_so_there() -> None:
    truth, some = np.arange(6.0), np.array([3, 4, 5])
    scores = np.array([[0, 1, 2, 7, 7, 7], [0, 1, 2, 3, 4, 5]])
    draws = TwoWay(6, resamples=50)
    found = draws.mean(scores, truth, inside=[some] * 2)
    assert (found.value, found.used) == (1, 1)
    assert str(found.statement).startswith("1 of 2 seeds gave these cells the same accuracy; no in")
    assert draws.mean(scores, truth).used == 2


def test_lost_seeds_are_counted_with_their_reason() -> None:
    equal, other = Statement("all scores are equal"), Statement("all true values are equal")
    assert statistics.left_out([0.1, 0.2]) is None
    assert statistics.left_out([0.1, equal]) == "1 of 2 seeds gave all cells the same accuracy"
    some = statistics.left_out([0.1, equal], whole=False)
    assert some == "1 of 2 seeds gave these cells the same accuracy"
    assert statistics.left_out([other, other]) == str(other)
    assert statistics.left_out([other, 0.3, 0.1]) == f"1 of 3 seeds without a value: {other}"


def test_two_way_interval_holds_seeds_and_items() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=60)
    steady = truth + rng.normal(0, 1, (6, 60))
    draws = TwoWay(60, resamples=100)
    one = draws.mean(steady, truth)
    assert one.statement is None and one.interval is not None and one.value is not None
    assert one.value == pytest.approx(np.mean([statistics.kendall_tau(s, truth) for s in steady]))
    assert one.interval[0] < one.value < one.interval[1]
    moody = np.outer([1, 1, 1, -1, -1, 1], truth) + rng.normal(0, 1, (6, 60))
    other = draws.mean(moody, truth)
    assert other.interval is not None and np.ptp(other.interval) > 2 * np.ptp(one.interval)


@pytest.mark.parametrize("seeds", [1, 2, 4])
def test_rounding_does_not_put_an_end_on_the_wrong_side(
    seeds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures cannot draw an interval whose value is outside by the last digit."""
    draws, truth = TwoWay(6, resamples=20), np.arange(6.0)
    scores = np.array([truth, truth[[1, 0, 2, 3, 4, 5]]] * 2)[:seeds]
    value = draws.mean(scores, truth).value
    assert value is not None
    for ends in ((np.nextafter(value, 2), 1.5), (-1.5, np.nextafter(value, -2))):
        for name in ("_interval", "_percentiles"):
            monkeypatch.setattr(TwoWay, name, lambda *_, ends=ends: ends)
        found = draws.mean(scores, truth).interval
        assert found == (min(ends[0], value), max(ends[1], value)) and value in found
        repeats = draws.repeat_agreement(np.stack([truth, scores[0]], axis=1))
        assert isinstance(repeats, Estimate) and isinstance(repeats.interval, tuple)
        assert repeats.interval[0] <= repeats.value <= repeats.interval[1]


def test_two_way_interval_by_hand() -> None:
    """t with two degrees of freedom for the seeds, normal for the items, on Fisher's scale."""
    rng = np.random.default_rng(2)
    truth = rng.normal(size=25)
    scores = truth + rng.normal(size=25) + np.array([[0.5], [1], [2]]) * rng.normal(size=(3, 25))
    draws = TwoWay(25, resamples=80)
    drawn = [statistics.KENDALL.draws(line, truth, draws.weights) for line in scores]
    common = np.mean([np.cov(drawn[i], drawn[j])[0, 1] for i, j in ((0, 1), (0, 2), (1, 2))])
    taus = [statistics.kendall_tau(line, truth) for line in scores]
    of_seeds = stats.t.ppf(0.975, 2) * np.std(taus, ddof=1) / np.sqrt(3)
    reach = np.hypot(of_seeds, stats.norm.ppf(0.975) * np.sqrt(common))
    value = np.mean(taus)
    ends = np.tanh(np.arctanh(value) + np.array([-1, 1]) * reach / (1 - value**2))
    assert draws.mean(scores, truth).interval == pytest.approx(tuple(ends))


def test_seeds_that_agree_by_chance_do_not_make_the_interval_narrow() -> None:
    """Scores turned round with the truth have the same tau, by other items."""
    rng = np.random.default_rng(4)
    half, first, second = rng.normal(size=(3, 15))
    truth = np.concatenate([half, -half])
    one, other = np.concatenate([first, second]), np.concatenate([-second, -first])
    scores = 2 * truth + np.stack([one, other, one])
    draws = TwoWay(30, resamples=80)
    drawn = [statistics.KENDALL.draws(line, truth, draws.weights) for line in scores]
    reach = stats.norm.ppf(0.975) * np.mean(drawn, axis=0).std(ddof=1)
    value = statistics.kendall_tau(one + 2 * truth, truth)
    ends = np.tanh(np.arctanh(value) + np.array([-1, 1]) * reach / (1 - value**2))
    assert draws.mean(scores, truth).interval == pytest.approx(tuple(ends))


@pytest.mark.parametrize("seeds", [1, 3])
def test_an_order_that_all_samples_have_has_no_interval(seeds: int) -> None:
    """Of three items one order in six is theirs by chance: a point would be a wrong interval."""
    truth = np.arange(3.0)
    found = TwoWay(3, resamples=50).mean([truth + seed for seed in range(seeds)], truth)
    assert found.value == 1 and found.interval is None
    assert found.statement == "no interval: too few distinct values"


def test_interval_of_one_against_others_is_of_samples_of_the_items() -> None:
    rng = np.random.default_rng(3)
    repeats = rng.normal(size=(30, 1)) + 0.7 * rng.normal(size=(30, 3))
    repeats[4, 1] = np.nan  # this item is left out of every sample
    draws = TwoWay(30, resamples=60)
    found = draws.one_against_others(repeats, statistics.SPEARMAN)
    assert isinstance(found, Estimate)
    assert found.value == statistics.one_against_others(repeats, statistics.spearman)
    samples = [np.repeat(np.arange(30), line.astype(int)) for line in draws.weights]
    each = [statistics.one_against_others(repeats[s], statistics.spearman) for s in samples]
    assert found.interval == pytest.approx(tuple(np.quantile(each, [0.025, 0.975])))


def test_interval_of_one_against_others_keeps_the_chosen_items() -> None:
    repeats = np.array([[1.0, 1, 2], [2, 3, 1], [3, 2, 3], [9, 8, 7], [8, 9, 9]])
    chosen = []

    def best(rest: np.ndarray) -> np.ndarray:
        chosen.append(np.argsort(-rest)[:3])
        return chosen[-1]

    draws = TwoWay(5, resamples=40)
    found = draws.one_against_others(repeats, statistics.PEARSON, best)
    assert isinstance(found, Estimate) and len(chosen) == 3
    value = statistics.one_against_others(repeats, statistics.pearson, best)
    assert found.value == pytest.approx(value)
    drawn = []
    for i, some in enumerate(chosen[:3]):
        rest = np.delete(repeats, i, axis=1).mean(axis=1)
        weights = draws.weights[:, some]
        drawn.append(statistics.PEARSON.draws(repeats[some, i], rest[some], weights))
    known = np.array(drawn)[:, ~np.isnan(drawn).all(axis=0)]
    ends = np.quantile(np.nanmean(known, axis=0), [0.025, 0.975])
    assert found.interval == pytest.approx(tuple(ends))


def test_one_against_others_without_an_interval_says_why() -> None:
    draws = TwoWay(4, resamples=20)
    repeats = np.array([[1.0, 2], [2, 3], [3, 5], [4, 4]])
    few = draws.one_against_others(repeats, choose=lambda rest: np.arange(2))
    assert isinstance(few, Estimate) and few.interval == Statement("2 items, at least 3 are needed")
    assert isinstance(draws.one_against_others(np.ones((4, 3))), Statement)
    assert isinstance(draws.one_against_others(repeats[:, :1]), Statement)


def test_two_way_degenerate() -> None:
    truth = np.arange(5.0)
    single = TwoWay(5, resamples=50).mean(truth, truth)
    assert single.value == pytest.approx(1) and single.interval is None
    assert single.statement == "no interval: too few distinct values"
    other = TwoWay(5, resamples=50).mean([0.0, 2, 1, 3, 4], truth)
    assert other.interval is not None
    assert other.statement == "1 seed: the interval is over cells only"
    few = TwoWay(2).mean([1.0, 2.0], [1.0, 2.0])
    assert few.value == pytest.approx(1) and few.interval is None
    assert few.statement == "no interval: 2 cells, at least 3 are needed"


def test_intervals_of_many_items_are_as_wide_as_those_of_all() -> None:
    """From `MOST_ITEMS` on a part stands for all."""
    rng = np.random.default_rng(7)
    truth = rng.normal(size=6000)
    scores = truth + rng.normal(0, 2, 6000)
    draws = TwoWay(6000, resamples=200)
    part = draws.mean(scores, truth, statistics.SPEARMAN).interval
    every = statistics.SPEARMAN.draws(scores, truth, draws.weights)
    assert part is not None
    assert np.ptp(part) == pytest.approx(np.ptp(np.quantile(every, [0.025, 0.975])), rel=0.3)
    assert np.mean(part) == pytest.approx(statistics.spearman(scores, truth), abs=0.005)


def test_the_interval_of_repeats_that_agree() -> None:
    rng = np.random.default_rng(2)
    expected = rng.normal(size=200)
    repeats = expected[:, None] + rng.normal(0, 0.5, (200, 3))
    found = TwoWay(200).repeat_agreement(repeats)
    assert isinstance(found, Estimate) and isinstance(found.interval, tuple)
    assert found.value == pytest.approx(statistics.repeat_agreement(repeats))
    low, high = found.interval
    assert low < found.value < high and high - low < 0.2
    assert isinstance(TwoWay(200).repeat_agreement(repeats[:, :1]), Statement)
