from __future__ import annotations

from typing import Any

import pytest

from raynas.optimizers.brackets import bracket
from search_spaces.errors import UserError
from tuning.settings import SweepSettings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"algorithm": "pbt"}, "unknown algorithm 'pbt'; valid are: bohb, hyperband, asha, random"),
        ({"min_epochs": 100, "max_epochs": 25}, "--min-epochs 100 is above --max-epochs 25; excha"),
        ({"eta": 1}, "--eta 1 is too small; give 2 or more"),
        ({"min_epochs": 0}, "--min-epochs 0 is too small; give 1 or more"),
        ({"iterations": 0}, "--iterations 0 is too small; give 1 or more"),
        ({"concurrent": 0}, "--concurrent 0 is too small; give 1 or more"),
        ({"seed": -1}, "--seed -1 is too small; give 0 or more"),
    ],
)
def test_what_makes_no_sweep_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        SweepSettings(**options)
    assert message in str(caught.value) and caught.value.exit_code == 2


def test_arguments_there_and_back() -> None:
    settings = SweepSettings(algorithm="asha", eta=3, restart=True)
    arguments = settings.to_arguments() | {"method": "darts"}
    assert SweepSettings.from_arguments(arguments) == settings


@pytest.mark.parametrize("iterations", [1, 2, 3, 7, 64])
@pytest.mark.parametrize(("least", "most", "eta"), [(25, 100, 2), (1, 81, 3), (7, 7, 2)])
def test_planned_epochs_are_those_of_the_brackets(
    iterations: int, least: int, most: int, eta: int
) -> None:
    settings = SweepSettings(min_epochs=least, max_epochs=most, eta=eta, iterations=iterations)
    costs = [bracket(i, settings.budgets, eta).cost for i in range(iterations)]
    assert settings.planned_epochs == sum(costs)


def test_random_search_gets_as_many_epochs() -> None:
    settings = SweepSettings(algorithm="random")
    assert settings.planned_evaluations == 17_100 // 100
    assert SweepSettings(algorithm="asha").planned_evaluations is None
