from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from raynas.analysis.statistics import Statement, top_k_overlap, top_k_regret


def selections(values: np.ndarray, k: int) -> list[set[int]]:
    """All sets that are "the k greatest", where equal values leave a choice."""
    places = range(len(values))
    least = sum(sorted(values)[-k:])
    return [set(c) for c in combinations(places, k) if sum(values[list(c)]) == least]


def test_by_hand() -> None:
    scores, truth = [0.9, 0.8, 0.1, 0.2], [0.5, 0.9, 0.8, 0.1]
    assert top_k_overlap(scores, truth, 2) == pytest.approx(0.5)
    assert top_k_regret(scores, truth, 1) == pytest.approx(0.4)
    assert top_k_regret(scores, truth, 2) == 0
    assert top_k_overlap(scores, truth, 4) == 1 and top_k_regret(scores, truth, 4) == 0


@pytest.mark.parametrize("k", [1, 2, 3, 4, 6])
def test_ties_are_expectations_over_random_choices(k: int) -> None:
    rng = np.random.default_rng(k)
    scores, truth = rng.integers(0, 3, 8), rng.integers(0, 4, 8)
    by_score, by_truth = selections(scores, k), selections(truth, k)
    overlap = np.mean([len(a & b) / k for a in by_score for b in by_truth])
    regret = np.mean([truth.max() - max(truth[list(a)]) for a in by_score])
    assert top_k_overlap(scores, truth, k) == pytest.approx(overlap)
    assert top_k_regret(scores, truth, k) == pytest.approx(regret)


def test_a_constant_score_is_a_random_choice_and_not_the_first_items() -> None:
    truth = np.array([9.0, 8.0, 1.0, 0.0])
    assert top_k_overlap(np.ones(4), truth, 2) == pytest.approx(2 / 4)
    assert top_k_regret(np.ones(4), truth, 1) == pytest.approx(9 - truth.mean())


def test_degenerate_input() -> None:
    assert isinstance(top_k_overlap([1, 2, np.nan], [1, 2, 3], 3), Statement)
    assert isinstance(top_k_regret([], [], 1), Statement)
    for choose in (top_k_overlap, top_k_regret):
        with pytest.raises(ValueError, match="k begins at 1"):
            choose([1, 2], [1, 2], 0)
        with pytest.raises(ValueError, match="same items"):
            choose([1, 2], [1, 2, 3], 1)
