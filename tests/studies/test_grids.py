"""The grids of the studies against the published scripts."""

from __future__ import annotations

import pytest

from raynas.oneshot import REGISTRY, method_settings
from raynas.studies import STUDIES, study_preset
from search_spaces import UserError


def values(name: str, setting: str) -> list[float]:
    return [s.changes[setting] for s in STUDIES[name].settings]


def test_the_published_values() -> None:
    assert list(STUDIES) == ["regularisation", "learning-rate", "epochs", "warm-start"]
    grid = STUDIES["regularisation"].settings
    pairs = {(s.changes["weight_decay"], s.changes["cutout_probability"]) for s in grid}
    decays = (1e-4, 3e-4, 9e-4, 27e-4, 81e-4)
    assert pairs == {(d, p) for d in decays for p in (0.0, 1.0)} | {(3e-4, 0.5)}
    assert values("learning-rate", "learning_rate") == [0.0025, 0.025, 0.25]
    assert values("epochs", "epochs") == [25, 50, 100]
    assert values("warm-start", "warm_start_epochs") == [0, 20]


@pytest.mark.parametrize("grid", STUDIES.values(), ids=STUDIES)
def test_the_default_is_what_the_methods_have_anyway(grid) -> None:
    assert sum(setting.default for setting in grid.settings) == 1
    assert len({setting.name for setting in grid.settings}) == len(grid.settings)
    for method in REGISTRY:
        plain = method_settings(method).as_dict()
        if not grid.lacking(method):
            assert {**plain, **grid.default.changes_of(method)} == plain, method


@pytest.mark.parametrize("grid", STUDIES.values(), ids=STUDIES)
def test_claims_are_about_settings_and_methods_that_there_are(grid) -> None:
    others = {setting.name for setting in grid.settings if not setting.default}
    for claim in grid.claims:
        assert claim.setting in others
        assert set(claim.methods) <= set(REGISTRY)


def test_only_the_script_of_darts_lets_the_probability_of_cutout_rise() -> None:
    [on] = [s for s in STUDIES["regularisation"].settings if s.name.endswith("0.0003, cutout=on")]
    ramps = {m for m in REGISTRY if method_settings(m, **on.changes_of(m)).cutout_ramp}
    assert ramps == {"darts", "darts2"}


def test_methods_without_a_hyperparameter_are_known() -> None:
    lacking = {name: [m for m in REGISTRY if grid.lacking(m)] for name, grid in STUDIES.items()}
    assert lacking == {
        "regularisation": [],
        "learning-rate": [],
        "epochs": [],
        "warm-start": ["random_ws"],
    }
    assert STUDIES["warm-start"].lacking("random_ws") == ("warm_start_epochs",)


def test_shorter_searches_scale_all_epochs() -> None:
    names = [setting.name for setting in STUDIES["epochs"].scaled(20)]
    assert names == ["epochs=10", "epochs=20", "epochs=40"]
    assert [s.changes["epochs"] for s in STUDIES["epochs"].scaled(200)] == [100, 200, 400]
    assert STUDIES["warm-start"].scaled(20)[1].changes == {"warm_start_epochs": 8}
    assert STUDIES["learning-rate"].scaled(7) == STUDIES["learning-rate"].settings


@pytest.mark.parametrize("name", ["epochs", "warm-start"])
def test_too_short_searches_are_refused(name: str) -> None:
    grid = STUDIES[name]
    with pytest.raises(UserError, match="some would be the same; give at least 2") as refused:
        grid.scaled(1)
    assert refused.value.exit_code == 2
    shortest = [setting.name for setting in grid.scaled(2)]
    assert len(set(shortest)) == len(shortest)


def test_the_paper_preset_is_the_published_size() -> None:
    for grid in STUDIES.values():
        for size in study_preset(grid, "paper").searches.values():
            assert (size.seeds, size.images) == (6, "cifar10")
            assert size.settings == {"channels": 16, "cells": 9, "epochs": 50}


def test_the_quick_preset_fits_into_ten_minutes_of_two_cores() -> None:
    from raynas.execution.search_plan import SECONDS_PER_EPOCH

    for grid in STUDIES.values():
        size = study_preset(grid, "quick").searches["cpu"]
        assert size.images == "digits"
        usual = size.settings["epochs"]
        epochs = sum(s.changes.get("epochs", usual) for s in grid.scaled(usual))
        seconds = sum(SECONDS_PER_EPOCH[m] for m in grid.quick.methods) * epochs * size.seeds
        assert seconds / 2 < 360, grid.name
