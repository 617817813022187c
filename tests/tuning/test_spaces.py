"""Ranges, defaults, and that every hyperparameter of every method reaches the search."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from raynas.oneshot import Search, method_names, method_settings
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from tests.support.searches import TINY, digest, result, tiny_images
from tuning.spaces import (
    LEVELS,
    TUNED,
    Limits,
    changes,
    configuration_space,
    default_configuration,
    hyperparameters,
    plain,
    settings_of,
)

CIFAR = Limits(side=32, half=20_000, least_epochs=25)
#: A range, whether on a log scale, and whether of whole numbers: the published spaces.
PUBLISHED = {
    "weight_decay": (1e-5, 1e-3, True, False),
    "cutout_prob": (0, 1, False, False),
    "learning_rate": (1e-3, 1, True, False),
    "arch_learning_rate": (1e-5, 1e-2, True, False),
    "arch_weight_decay": (1e-4, 1e-1, True, False),
    "momentum": (0, 0.99, False, False),
    "cutout_length": (2, 32, True, True),
    "batch_size": (16, 128, False, True),
    "grad_clip": (1, 9, False, True),
}
DEFAULTS = {
    "weight_decay": 3e-4,
    "cutout_prob": 0.0,
    "learning_rate": 0.025,
    "arch_learning_rate": 3e-4,
    "arch_weight_decay": 1e-3,
    "momentum": 0.9,
    "cutout_length": 16,
    "batch_size": 96,
    "grad_clip": 5,
}


def axes_of(method: str, level: int, limits: Limits = CIFAR, **values: Any) -> Any:
    return hyperparameters(method, level, method_settings(method, **values), limits)


@pytest.mark.parametrize("method", ["darts", "darts2", "gdas", "pc_darts"])
def test_the_published_spaces(method: str) -> None:
    axes = {a.name: (a.low, a.high, a.log, a.integer) for a in axes_of(method, 3)}
    assert axes == PUBLISHED
    assert [len(axes_of(method, level)) for level in (1, 2, 3)] == [2, 3, 9]
    space = configuration_space(axes_of(method, 3), method_settings(method), CIFAR)
    assert default_configuration(space) == pytest.approx(DEFAULTS)


def test_random_search_has_no_architecture_parameters_and_clips_lower() -> None:
    axes = {axis.name: axis for axis in axes_of("random_ws", 3)}
    assert set(axes) == {name for name in PUBLISHED if not name.startswith("arch")}
    space = configuration_space(axes_of("random_ws", 3), method_settings("random_ws"), CIFAR)
    assert default_configuration(space)["grad_clip"] == 0.25
    assert default_configuration(space)["batch_size"] == 64


def test_every_method_can_be_tuned_in_every_space() -> None:
    assert list(TUNED) == method_names()
    for method in TUNED:
        sizes = [len(axes_of(method, level)) for level in LEVELS]
        assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("method", TUNED)
@pytest.mark.parametrize("level", LEVELS)
def test_any_configuration_makes_settings(method: str, level: int) -> None:
    defaults = method_settings(method, epochs=25)
    axes = axes_of(method, level)
    space = configuration_space(axes, defaults, CIFAR, seed=1)
    for configuration in space.sample_configuration(20):
        values = plain(configuration)
        settings = settings_of(axes, defaults, values)
        assert all(getattr(settings, axis.setting) == values[axis.name] for axis in axes)


def test_the_default_configuration_is_the_untuned_search() -> None:
    for method in TUNED:
        defaults = method_settings(method, epochs=50, cutout_length=16)
        axes = axes_of(method, 4)
        first = default_configuration(configuration_space(axes, defaults, CIFAR))
        assert settings_of(axes, defaults, first) == defaults


def test_ranges_fit_the_images_and_the_budgets() -> None:
    small = Limits(side=8, half=48, least_epochs=3)
    axes = {axis.name: axis for axis in axes_of("darts", 4, small, batch_size=32)}
    assert (axes["cutout_length"].high, axes["batch_size"].high) == (8, 48)
    assert axes["warm_start_epochs"].high == 2
    wide = {axis.name: axis for axis in axes_of("pc_darts", 4, channels=12)}
    assert wide["partial_channels"].choices == (1, 2, 4)


def test_a_method_without_extras_says_so() -> None:
    with pytest.raises(UserError, match="darts adds no hyperparameter in configuration space 4"):
        axes_of("darts", 4, Limits(32, 20_000, least_epochs=1))


def test_a_default_outside_its_range_is_refused() -> None:
    settings = method_settings("darts", batch_size=8)
    with pytest.raises(UserError, match=r"batch_size = 8 .* not among the values.*16 to 128"):
        configuration_space(hyperparameters("darts", 3, settings, CIFAR), settings, CIFAR)


def test_unknown_names() -> None:
    with pytest.raises(UserError, match="unknown configuration space 5"):
        axes_of("darts", 5)
    with pytest.raises(UserError, match="unknown one-shot method 'enas'"):
        hyperparameters("enas", 1, method_settings("darts"), CIFAR)
    with pytest.raises(UserError, match="unknown hyperparameter 'lr'; valid are: weight_decay"):
        changes(axes_of("darts", 1), {"lr": 1.0})
    with pytest.raises(UserError, match="no value for cutout_prob"):
        changes(axes_of("darts", 1), {"weight_decay": 1e-4})


# Every hyperparameter reaches the search -----------------------------------------------------

#: Another value for each, and what else must differ from the tiny search for it to matter.
OTHER: dict[str, tuple[Any, dict[str, Any]]] = {
    "weight_decay": (1e-3, {}),
    "cutout_prob": (1.0, {}),
    "learning_rate": (0.5, {}),
    "arch_learning_rate": (0.01, {}),
    "arch_weight_decay": (0.1, {}),
    "momentum": (0.1, {}),
    "cutout_length": (2, {"cutout_prob": 1.0}),
    "batch_size": (24, {}),
    "grad_clip": (1, {"learning_rate": 1.0}),
    "warm_start_epochs": (1, {}),
    "hessian_radius": (0.1, {"learning_rate": 0.5}),
    "tau_max": (2.0, {}),
    "tau_min": (0.1, {}),
    "arch_grad_clip": (1e-3, {}),
    "partial_channels": (2, {}),
    "candidates": (60, {}),
    "candidate_batches": (3, {"candidates": 24, "finalists": 1}),
    "finalists": (20, {"candidates": 24}),
}
#: A quarter of the channels has gradients too short for the least clip.
OTHER_FOR = {("pc_darts", "grad_clip"): (1, {"learning_rate": 1.0, "partial_channels": 1})}
SMALL = Limits(side=8, half=32, least_epochs=2)
SMALL_FOR = {"random_ws": {"candidates": 10, "candidate_batches": 1, "finalists": 1}}
# The methods share the code behind the common names: DARTS stands for them in the default run.
CASES = [
    pytest.param(m, axis.name, marks=[pytest.mark.long] if m != "darts" and level < 3 else [])
    for m in TUNED
    for level, part in enumerate(TUNED[m])
    for axis in part
    if m == "darts" or axis.name != "warm_start_epochs"
]


@cache
def trained(method: str, given: tuple[tuple[str, Any], ...]) -> str:
    """A checksum of what a tiny search with a changed default configuration ends with."""
    defaults = method_settings(method, **TINY | SMALL_FOR.get(method, {}))
    axes = hyperparameters(method, 4, defaults, SMALL)
    first = default_configuration(configuration_space(axes, defaults, SMALL))
    settings = settings_of(axes, defaults, first | dict(given))
    search = Search(method, load_space("1"), tiny_images(32), settings, seed=0)
    records = [result(record) for record in search.advance(2)]
    return digest([records, search.state_dict()["method"]])


@pytest.mark.parametrize(("method", "name"), CASES)
def test_the_hyperparameter_reaches_the_search(method: str, name: str) -> None:
    value, needed = OTHER_FOR.get((method, name), OTHER[name])
    before = trained(method, tuple(needed.items()))
    assert trained(method, tuple((needed | {name: value}).items())) != before
