from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raynas.optimizers.brackets import (
    Bracket,
    bracket,
    first_rung_size,
    geometric_budgets,
    total_evaluations,
)


def test_published_budgets_of_the_tables() -> None:
    assert geometric_budgets(4, 108, 3) == (4, 12, 36, 108)


def test_published_budgets_of_one_shot_tuning() -> None:
    assert geometric_budgets(25, 100, 2) == (25, 50, 100)


def test_published_brackets_of_the_tables() -> None:
    shapes = [bracket(i, (4, 12, 36, 108), 3) for i in range(5)]
    assert [b.sizes for b in shapes[:4]] == [(27, 9, 3, 1), (9, 3, 1), (6, 2), (4,)]
    assert shapes[1].budgets == (12, 36, 108)
    assert shapes[4] == shapes[0]
    assert shapes[0].cost == 4 * 108


def test_paper_rounds_up() -> None:
    """Sizes for R = 27 and eta = 3, which the formula of Li et al. 2018 gives by hand."""
    sizes = [bracket(i, (4, 12, 36, 108), 3, "paper").sizes for i in range(4)]
    assert sizes == [(27, 9, 3, 1), (12, 4, 1), (6, 2), (4,)]


def test_64_brackets_of_one_shot_tuning_are_280_evaluations() -> None:
    budgets = geometric_budgets(25, 100, 2)
    assert [bracket(i, budgets, 2).sizes for i in range(3)] == [(4, 2, 1), (2, 1), (3,)]
    assert total_evaluations(64, budgets, 2) == 280
    assert sum(bracket(i, budgets, 2).cost for i in range(64)) == 17_100


@pytest.mark.parametrize("arguments", [(0, 10, 3), (11, 10, 3), (1, 10, 1)])
def test_impossible_budgets_are_refused(arguments: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"smallest|eta"):
        geometric_budgets(*arguments)


spans = st.tuples(st.integers(1, 200), st.integers(1, 200)).map(sorted)
etas = st.integers(2, 5)
roundings = st.sampled_from(["hpbandster", "paper"])


@given(spans, etas)
def test_budgets_rise_to_the_largest_by_factors_of_eta(span: list[int], eta: int) -> None:
    smallest, largest = span
    budgets = geometric_budgets(smallest, largest, eta)
    assert budgets[-1] == largest
    assert list(budgets) == sorted(set(budgets))
    assert budgets[0] >= smallest
    assert largest < smallest * eta ** len(budgets)
    for i, budget in enumerate(reversed(budgets)):
        assert abs(budget - largest / eta**i) <= 0.5


@given(spans, etas, st.integers(0, 40), roundings)
def test_every_bracket_halves_down_to_the_largest_budget(
    span: list[int], eta: int, iteration: int, rounding: str
) -> None:
    budgets = geometric_budgets(*span, eta)
    shape: Bracket = bracket(iteration, budgets, eta, rounding)  # type: ignore[arg-type]
    assert shape.budgets == budgets[-len(shape.sizes) :]
    assert len(shape.sizes) == len(budgets) - iteration % len(budgets)
    for more, fewer in zip(shape.sizes, shape.sizes[1:], strict=False):
        assert fewer == max(more // eta, 1)
    assert shape.evaluations == sum(shape.sizes)


@given(st.integers(0, 6), etas, st.data())
def test_first_rungs_keep_at_least_one_to_the_end(
    s_max: int, eta: int, data: st.DataObject
) -> None:
    s = data.draw(st.integers(0, s_max))
    floor = first_rung_size(s, s_max, eta)
    ceiling = first_rung_size(s, s_max, eta, "paper")
    assert eta**s <= floor <= ceiling
    assert (ceiling - 1) * (s + 1) < (s_max + 1) * eta**s <= ceiling * (s + 1)


@pytest.mark.parametrize(
    ("smallest", "largest", "eta"), [(4, 108, 3), (25, 100, 2), (1, 81, 3), (1, 16, 2), (1, 64, 4)]
)
def test_arithmetic_equals_hpbandsters(smallest: int, largest: int, eta: int) -> None:
    from hpbandster.optimizers.hyperband import HyperBand

    reference = HyperBand.__new__(HyperBand)
    budgets = geometric_budgets(smallest, largest, eta)
    reference.max_SH_iter = len(budgets)
    reference.eta = eta
    reference.budgets = [float(b) for b in budgets]
    reference.config_generator = type("None", (), {"get_config": None})
    for iteration in range(2 * len(budgets)):
        theirs = reference.get_next_iteration(iteration)
        ours = bracket(iteration, budgets, eta)
        assert list(ours.sizes) == theirs.num_configs
        assert list(ours.budgets) == theirs.budgets


@pytest.mark.parametrize(("smallest", "largest", "eta"), [(4, 108, 3), (25, 100, 2)])
def test_budgets_equal_hpbandsters(smallest: int, largest: int, eta: int) -> None:
    """Only where its logarithms do not round down: 1 to 125 by 5 gives it one rung too few."""
    import numpy as np

    rungs = -int(np.log(smallest / largest) / np.log(eta)) + 1
    theirs = largest * np.power(float(eta), -np.linspace(rungs - 1, 0, rungs))
    assert theirs.tolist() == list(geometric_budgets(smallest, largest, eta))
