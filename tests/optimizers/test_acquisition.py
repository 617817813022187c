from __future__ import annotations

import numpy as np
import pytest

from raynas.optimizers._acquisition import (
    MaximizerSettings,
    expected_improvement,
    maximize,
    one_exchange_neighbours,
)
from tests.support.domains import SPACE_3, CategoricalDomain, error_of, even_sum, small_sum


def goodness(vectors: np.ndarray) -> np.ndarray:
    return np.array([1 - error_of(v) for v in vectors.tolist()])


def test_expected_improvement_equals_the_integral() -> None:
    rng = np.random.default_rng(0)
    mean, deviation, best = np.array([0.1, 0.3, 0.5]), np.array([0.05, 0.2, 0.1]), 0.25
    samples = mean[:, None] + deviation[:, None] * rng.standard_normal((3, 400_000))
    integral = np.maximum(best - samples, 0).mean(axis=1)
    exact = expected_improvement(mean, deviation**2, best)
    assert exact == pytest.approx(integral, abs=5e-4)


@pytest.mark.parametrize("rule", [even_sum, small_sum])
def test_neighbours_are_all_valid_one_exchanges(rule) -> None:  # type: ignore[no-untyped-def]
    domain = CategoricalDomain((3, 1, 2, 6), rule)
    points = domain.sample(np.random.default_rng(0), 5)
    neighbours, owner = one_exchange_neighbours(points, domain)
    for i, point in enumerate(points):
        expected = {tuple(row) for row in domain.neighbours(point).tolist()}
        assert {tuple(row) for row in neighbours[owner == i].tolist()} == expected
        assert (owner == i).sum() == len(expected)


def test_the_maximizer_ends_in_local_optima_best_first() -> None:
    domain = CategoricalDomain()
    settings = MaximizerSettings(challengers=100, local_searches=4)
    start = domain.sample(np.random.default_rng(1), 6)
    ends = maximize(goodness, domain, start, settings, np.random.default_rng(0))
    values = goodness(ends)
    assert (np.diff(values) <= 0).all()
    for end, value in zip(ends, values, strict=True):
        assert goodness(domain.neighbours(end)).max() <= value
    assert 1 <= len(ends) <= 8
    assert len(np.unique(ends, axis=0)) == len(ends)


def test_only_as_many_evaluated_points_start_a_search_as_set() -> None:
    domain = CategoricalDomain((1, 9))
    flat = MaximizerSettings(challengers=1, local_searches=3, plateau_steps=0)
    evaluated = np.array([[0, i] for i in range(8)], dtype=np.uint8)
    ends = maximize(lambda v: v[:, 1] * 0.0, domain, evaluated, flat, np.random.default_rng(0))
    assert len(ends) <= 4


def test_plateaus_are_walked_for_a_bounded_number_of_steps() -> None:
    calls = []

    def flat(vectors: np.ndarray) -> np.ndarray:
        calls.append(len(vectors))
        return np.zeros(len(vectors))

    settings = MaximizerSettings(challengers=5, local_searches=2, plateau_steps=7)
    domain = CategoricalDomain()
    maximize(
        flat, domain, domain.sample(np.random.default_rng(0), 2), settings, np.random.default_rng(0)
    )
    assert len(calls) == 2 + 7


def test_the_search_finds_the_optimum_of_an_easy_surface() -> None:
    domain = CategoricalDomain()
    nothing = np.empty((0, len(SPACE_3)), dtype=np.uint8)
    ends = maximize(goodness, domain, nothing, MaximizerSettings(500), np.random.default_rng(0))
    # The pair of the first two choices holds a search on one of three ridges.
    assert goodness(ends[:1])[0] > 0.9
