from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from scipy import stats

from raynas.analysis import statistics
from raynas.analysis.statistics import Significance, Statement

# The 32 cells of a two-node recurrent space, best first (Yu et al. 2020, released code).
RANKED = [2, 16, 12, 15, 6, 20, 26, 30, 23, 19, 8, 25, 1, 13, 11, 5]
RANKED += [21, 29, 14, 22, 0, 17, 10, 18, 3, 24, 28, 9, 4, 7, 27, 31]


def test_kendall_by_hand() -> None:
    assert statistics.kendall_tau([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(4 / 6)
    # four concordant pairs of six, one tied on either side
    assert statistics.kendall_tau([1, 1, 2, 3], [1, 2, 2, 3]) == pytest.approx(4 / 5)
    assert statistics.kendall_tau([3, 2, 1], [1, 2, 3]) == pytest.approx(-1)


def test_spearman_and_pearson_by_hand() -> None:
    assert statistics.spearman([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(1 - 12 / 60)
    assert statistics.pearson([1, 2, 3], [1, 2, 4]) == pytest.approx(3 / np.sqrt(2 * 42 / 9))
    assert statistics.spearman([1, 2, 3], [1, 2, 400]) == pytest.approx(1)


def test_kendall_is_the_count_over_all_pairs() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.integers(0, 5, (2, 12))
    pairs = list(combinations(range(12), 2))
    signs = [(np.sign(x[i] - x[j]), np.sign(y[i] - y[j])) for i, j in pairs]
    both = sum(a * b for a, b in signs)
    untied = sum(a != 0 for a, _ in signs) * sum(b != 0 for _, b in signs)
    assert statistics.kendall_tau(x, y) == pytest.approx(both / np.sqrt(untied))


def test_ties_share_their_mean_rank() -> None:
    # ranks 1.5 1.5 3 and 1 2 3: covariance 1.5 of deviations with squares 1.5 and 2
    assert statistics.spearman([4, 4, 9], [1, 5, 6]) == pytest.approx(1.5 / np.sqrt(3))


def test_pearson_is_that_of_scipy() -> None:
    x, y = np.random.default_rng(6).lognormal(size=(2, 30))
    assert statistics.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic)


def test_tau_of_values_is_not_tau_of_item_numbers_in_rank_order() -> None:
    """The released code for recurrent cells correlated two lists of item numbers."""
    places = np.arange(32)
    items = np.array(RANKED)
    rng = np.random.default_rng(0)
    right, wrong = [], []
    for _ in range(150):
        noisy = places + rng.normal(0, 4, 32)
        right.append(statistics.kendall_tau(noisy, places))
        wrong.append(statistics.kendall_tau(items[np.argsort(noisy)], items))
    assert np.mean(right) == pytest.approx(0.77, abs=0.015)
    assert np.mean(wrong) == pytest.approx(0.06, abs=0.03)


def test_tau_does_not_depend_on_how_the_items_are_numbered() -> None:
    rng = np.random.default_rng(1)
    scores, truth = rng.normal(size=(2, 40))
    order = rng.permutation(40)
    assert statistics.kendall_tau(scores, truth) == pytest.approx(
        statistics.kendall_tau(scores[order], truth[order])
    )


def test_sparse_tau_by_hand() -> None:
    scores, truth = [1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4]
    # bins 0 1 1 2 of width 0.2: five concordant pairs, one tied in the truth
    assert statistics.sparse_kendall_tau(scores, truth, 0.2) == pytest.approx(5 / np.sqrt(6 * 5))
    # 0.3 is in the bin that begins there, whatever 0.3 / 0.1 is in floats
    assert statistics.sparse_kendall_tau([1, 2], [0.2, 0.3], 0.1) == pytest.approx(1)


def test_sparse_tau_without_ties_is_tau() -> None:
    rng = np.random.default_rng(2)
    truth = rng.permutation(50) * 0.01
    scores = truth + rng.normal(0, 0.1, 50)
    plain = statistics.kendall_tau(scores, truth)
    assert statistics.sparse_kendall_tau(scores, truth, 1e-3) == pytest.approx(plain)


def test_sparse_tau_does_not_see_monotone_maps_of_the_scores() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random(60)
    scores = truth + rng.normal(0, 0.3, 60)
    tau = statistics.sparse_kendall_tau
    assert tau(scores, truth, 0.1) == pytest.approx(tau(np.exp(5 * scores), truth, 0.1))
    with pytest.raises(ValueError, match="width"):
        statistics.sparse_kendall_tau(scores, truth, 0.0)


@pytest.mark.parametrize(
    ("items", "deviation"), [(32, 0.124), (46, 0.102), (91, 0.071), (200, 0.048), (1000, 0.021)]
)
def test_spread_of_tau_by_chance(items: int, deviation: float) -> None:
    assert statistics.kendall_null_deviation(items) == pytest.approx(deviation, abs=6e-4)


def test_spread_of_tau_is_that_of_all_orders() -> None:
    taus = [statistics.kendall_tau(range(5), order) for order in permutations(range(5))]
    assert statistics.kendall_null_deviation(5) == pytest.approx(np.std(taus))


def test_permutation_p_is_that_of_all_orders() -> None:
    """With ties, of one seed and of the mean of two."""
    truth = np.array([1.0, 1, 2, 3, 7])
    scores = np.array([[2.0, 1, 3, 3, 9], [1, 0, 2, 1, 1]])
    for some in (scores[:1], scores):
        means = [
            abs(np.mean([statistics.pearson(line, truth[list(order)]) for line in some]))
            for order in permutations(range(5))
        ]
        exact = np.mean(np.array(means) >= means[0] - 1e-12)  # the first is the given order
        found = statistics.correlation_test(some, truth, statistics.pearson, resamples=2999)
        assert isinstance(found, Significance) and found.statistic == pytest.approx(means[0])
        assert found.p == pytest.approx(exact, abs=0.02)


def test_permutation_p_of_a_tau() -> None:
    rng = np.random.default_rng(4)
    truth = np.arange(9.0)
    scores = truth + rng.normal(0, 3, 9)
    found = statistics.correlation_test(scores, truth, resamples=499)
    assert isinstance(found, Significance)
    assert found.p == pytest.approx(
        stats.kendalltau(scores, truth, method="exact").pvalue, abs=0.03
    )
    perfect = statistics.correlation_test(truth, truth, resamples=499)
    assert isinstance(perfect, Significance) and 1 / 500 <= perfect.p <= 3 / 500


def test_permutation_p_of_several_seeds() -> None:
    """Seeds that say the same are no more evidence than one; constant ones are none."""
    scores = np.array([2.0, 0, 1, 3, 4, 6, 5])
    truth = np.arange(7.0)
    one = statistics.correlation_test(scores, truth, resamples=199)
    same = statistics.correlation_test(np.stack([scores, scores, np.ones(7)]), truth, resamples=199)
    assert isinstance(one, Significance) and one == same
    assert isinstance(statistics.correlation_test(np.ones((2, 7)), truth), Statement)


ALL = (
    statistics.kendall_tau,
    statistics.spearman,
    statistics.pearson,
    lambda x, y: statistics.sparse_kendall_tau(x, y, 1e-3),
    statistics.correlation_test,
)


@pytest.mark.parametrize("correlation", ALL)
def test_degenerate_input_is_a_statement(correlation: object) -> None:
    nan = np.nan
    assert correlation([1, 1, 1], [1, 2, 3]) == Statement("all scores are equal")
    assert correlation([1, 2, 3], [4, 4, 4]) == Statement("all true values are equal")
    assert isinstance(correlation([1], [1]), Statement)
    assert isinstance(correlation([1, nan, 3], [nan, 2, 3]), Statement)
    with pytest.raises(ValueError, match="2 scores and 3 true values"):
        correlation([1, 2], [1, 2, 3])


def test_items_without_both_values_are_left_out() -> None:
    scores, truth = [1, 2, np.nan, 3, 4], [1, 3, 9, 2, 4]
    assert statistics.kendall_tau(scores, truth) == pytest.approx(4 / 6)
