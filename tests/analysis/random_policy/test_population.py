"""The law of a random draw, and the probabilities that follow from it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

from raynas.analysis.random_policy import Population, population
from raynas.analysis.random_policy.surpass import (
    beats_best_of,
    best_of_runs_beats_best_of_draws,
    published_probability,
    random_draw_as_good,
    rank_from_worst,
    some_draw_as_good,
)

ACCURACIES, WEIGHTS = [0.5, 0.9, 0.7, 0.7], [1, 1, 2, 4]


@pytest.fixture
def law() -> Population:
    return population("four cells", ACCURACIES, WEIGHTS)


def test_law_by_hand(law: Population) -> None:
    assert law.values.tolist() == [0.5, 0.7, 0.9]
    assert law.below == pytest.approx([0, 1 / 8, 7 / 8])
    assert law.at_most == pytest.approx([1 / 8, 7 / 8, 1])
    assert law.cells == 4
    mean = (0.5 + 6 * 0.7 + 0.9) / 8
    assert law.mean == pytest.approx(mean)
    assert law.deviation == pytest.approx(np.sqrt((0.04 + 0.04) / 8))
    assert (law.quantile(1 / 8), law.quantile(0.5), law.quantile(1.0)) == (0.5, 0.7, 0.9)


def test_accuracies_between_and_beyond_those_of_the_law(law: Population) -> None:
    lower, upper = law.chances([0.4, 0.5, 0.6, 0.9, 0.95])
    assert lower == pytest.approx([0, 0, 1 / 8, 7 / 8, 1])
    assert upper == pytest.approx([0, 1 / 8, 1 / 8, 1, 1])
    assert law.middle([0.7]) == pytest.approx([0.5])


def test_the_middle_of_draws_is_uniform_on_average(law: Population) -> None:
    drawn = law.draw(np.random.default_rng(0), (20_000,))
    assert law.middle(drawn).mean() == pytest.approx(0.5, abs=0.01)
    assert np.mean(drawn == 0.7) == pytest.approx(6 / 8, abs=0.01)


def outcomes(law: Population, draws: int) -> list[tuple[float, float]]:
    """Best accuracy of every sequence of draws, with its probability."""
    mass = law.at_most - law.below
    each = product(range(len(mass)), repeat=draws)
    return [(max(law.values[i] for i in s), float(np.prod(mass[list(s)]))) for s in each]


def test_probabilities_are_the_enumeration_of_all_draws(law: Population) -> None:
    runs = np.array([0.7, 0.9, 0.6])
    three = outcomes(law, 3)
    mean = sum(best * p for best, p in three)
    assert law.best_of(3)[0] == pytest.approx(mean)
    assert law.best_of(3)[1] == pytest.approx(
        np.sqrt(sum((best - mean) ** 2 * p for best, p in three))
    )
    assert random_draw_as_good(law, runs) == pytest.approx([7 / 8, 1 / 8, 7 / 8])
    assert some_draw_as_good(law, 0.7, 3) == pytest.approx(sum(p for b, p in three if b >= 0.7))
    won = [np.mean([np.sign(x - b) / 2 + 0.5 for x in runs]) * p for b, p in three]
    assert beats_best_of(law, runs, 3) == pytest.approx(sum(won))
    again = [max(s) for s in product(runs, repeat=3)]
    won = [np.mean([np.sign(x - b) / 2 + 0.5 for x in again]) * p for b, p in three]
    assert best_of_runs_beats_best_of_draws(law, runs) == pytest.approx(sum(won))


@pytest.mark.parametrize(
    ("from_best", "published"),
    [(96_939, 0.0744), (57_079, 0.2354), (19_552, 0.6234), (3_543, 0.9194), (4_610, 0.8966)],
)
def test_published_probabilities_come_from_ranks_counted_from_the_worst(
    from_best: int, published: float
) -> None:
    size = 423_624
    rank = size - from_best
    assert published_probability(rank / size, 10) == pytest.approx(published, abs=3e-4)
    # neither the rank from the best nor the other shape gives these values
    q = from_best / size
    assert published_probability(q, 10) < 1e-6
    assert 1 - (1 - q) ** 10 == pytest.approx(1 - published, abs=3e-4)


def test_published_probability_of_a_random_policy_is_uniform() -> None:
    rng = np.random.default_rng(1)
    cells = population("cells", rng.permutation(5000) / 5000, np.ones(5000))
    best = cells.draw(rng, (4000, 10)).max(axis=1)
    found = [published_probability(rank_from_worst(cells, b) / cells.cells, 10) for b in best]
    assert stats.kstest(found, "uniform").pvalue > 1e-3
    assert np.mean(np.array(found) > 0.9) == pytest.approx(0.1, abs=0.02)  # 0.9 is nothing special


def test_ranks_count_cells_from_the_worst() -> None:
    cells = population("cells", [0.1, 0.2, 0.3, 0.4], np.ones(4))
    assert [rank_from_worst(cells, a) for a in (0.1, 0.4, 0.25)] == [1, 4, 2]
    with pytest.raises(ValueError, match="not uniform over cells"):
        rank_from_worst(population("raw", [0.1, 0.2], [1, 2]), 0.1)
    with pytest.raises(ValueError, match="share"):
        published_probability(1.2, 10)
    with pytest.raises(ValueError, match="0 runs"):
        published_probability(0.5, 0)


@pytest.mark.measured
def test_random_draws_in_nas_bench_101(measured: Path) -> None:
    """Exact figures of the whole table; 0.5 % of the cells are not in the partial one."""
    rows = pq.read_table(measured / "cells.parquet", columns=["test_accuracy_mean_108"])
    accuracies = 100 * rows.column(0).to_numpy()
    law = population("unique cells", accuracies, np.ones(len(accuracies)))
    assert law.mean == pytest.approx(89.68, abs=0.02)
    assert law.deviation == pytest.approx(5.80, abs=0.05)
    assert law.quantile(0.5) == pytest.approx(90.64, abs=0.02)
    assert law.best_of(10) == pytest.approx((92.90, 0.54), abs=0.02)
    assert law.deviation / np.sqrt(10) == pytest.approx(1.86, abs=0.03)
    # the best cells that the encodings of two controllers can express, and their ceilings
    for accuracy, from_best, ceiling in ((93.680, 1308, 0.970), (93.389, 7729, 0.832)):
        share = rank_from_worst(law, accuracy) / law.cells
        assert (1 - share) * 423_624 == pytest.approx(from_best, rel=0.03)
        assert published_probability(share, 10) == pytest.approx(ceiling, abs=0.005)
