"""Which hyperparameters of which one-shot method are tuned, and in which ranges.

Names and ranges of configuration spaces 1 to 3 are those of NAS-Bench-1Shot1's BOHB runs (Zela et
al. 2020). Where the published scripts name no default, the method's own setting is it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from raynas.oneshot import SearchSettings, method_info
from search_spaces.errors import UserError, unknown_name

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

#: Each holds the one before; 4 adds what only some methods have.
LEVELS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One axis of a configuration space.

    Attributes:
        name: as the published spaces have it; also a column of `evaluations.parquet`.
        setting: the field of the method's settings that it becomes.
        low: least value.
        high: largest value.
        log: whether values are drawn evenly on a log scale.
        integer: whether values are whole.
        choices: the values, if only these few are valid.
    """

    name: str
    setting: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    integer: bool = False
    choices: tuple[int, ...] = ()


_WEIGHT_DECAY = Hyperparameter("weight_decay", "weight_decay", 1e-5, 1e-3, log=True)
_CUTOUT = Hyperparameter("cutout_prob", "cutout_probability", 0, 1)
_RATE = Hyperparameter("learning_rate", "learning_rate", 1e-3, 1, log=True)
_LENGTH = Hyperparameter("cutout_length", "cutout_length", 2, 32, log=True, integer=True)
_BATCH = Hyperparameter("batch_size", "batch_size", 16, 128, integer=True)
_CLIP = Hyperparameter("grad_clip", "gradient_clip", 1, 9, integer=True)
_ARCHITECTURE = (
    Hyperparameter("arch_learning_rate", "arch_learning_rate", 1e-5, 1e-2, log=True),
    Hyperparameter("arch_weight_decay", "arch_weight_decay", 1e-4, 1e-1, log=True),
)
_MOMENTUM = Hyperparameter("momentum", "momentum", 0, 0.99)
#: Random search with weight sharing clips at 0.25, far below the published range.
_LOW_CLIP = replace(_CLIP, low=0.05, log=True, integer=False)
_WARM_START = Hyperparameter("warm_start_epochs", "warm_start_epochs", 0, 20, integer=True)

_GRADIENT = (
    (_WEIGHT_DECAY, _CUTOUT),
    (_RATE,),
    (*_ARCHITECTURE, _MOMENTUM, _LENGTH, _BATCH, _CLIP),
)
_SAMPLED = ((_WEIGHT_DECAY, _CUTOUT), (_RATE,), (_MOMENTUM, _LENGTH, _BATCH, _LOW_CLIP))

#: By method: what configuration spaces 1 to 4 add.
TUNED: dict[str, tuple[tuple[Hyperparameter, ...], ...]] = {
    "darts": (*_GRADIENT, (_WARM_START,)),
    "darts2": (
        *_GRADIENT,
        (_WARM_START, Hyperparameter("hessian_radius", "hessian_radius", 1e-3, 0.1, log=True)),
    ),
    "gdas": (
        *_GRADIENT,
        (
            _WARM_START,
            Hyperparameter("tau_max", "tau_max", 1, 20, log=True),
            Hyperparameter("tau_min", "tau_min", 0.05, 1, log=True),
            Hyperparameter("arch_grad_clip", "arch_gradient_clip", 1e-3, 10, log=True),
        ),
    ),
    "pc_darts": (
        *_GRADIENT,
        (_WARM_START, Hyperparameter("partial_channels", "partial_channels", choices=(1, 2, 4, 8))),
    ),
    "random_ws": (
        *_SAMPLED,
        (
            Hyperparameter("candidates", "candidates", 10, 2000, log=True, integer=True),
            Hyperparameter("candidate_batches", "candidate_batches", 1, 20, integer=True),
            Hyperparameter("finalists", "finalists", 1, 20, integer=True),
        ),
    ),
}


@dataclass(frozen=True)
class Limits:
    """What the images and the budgets leave of the ranges.

    Attributes:
        side: pixels of an image's shorter side.
        half: images in each half.
        least_epochs: the smallest budget; a warm start must end before it.
    """

    side: int
    half: int
    least_epochs: int


def hyperparameters(
    method: str, level: int, defaults: SearchSettings, limits: Limits
) -> tuple[Hyperparameter, ...]:
    """The axes of one configuration space.

    Args:
        method: name of a one-shot method.
        level: configuration space 1 to 4.
        defaults: settings of the search that is tuned.
        limits: ranges never exceed them.

    Raises:
        UserError: there is no such method or space, or the method adds nothing in space 4.
    """
    method_info(method)
    if method not in TUNED:
        raise unknown_name("tunable method", method, list(TUNED))
    if level not in LEVELS:
        raise unknown_name("configuration space", level, [str(known) for known in LEVELS])
    added = [[_within(axis, defaults, limits) for axis in part] for part in TUNED[method][:level]]
    known = tuple(tuple(axis for axis in part if axis is not None) for part in added)
    if not known[-1]:
        raise UserError(
            f"{method} adds no hyperparameter in configuration space {level} at these sizes; use "
            f"--config-space {level - 1}",
            exit_code=2,
        )
    return tuple(axis for part in known for axis in part)


def configuration_space(
    axes: tuple[Hyperparameter, ...], defaults: SearchSettings, limits: Limits, seed: int = 0
) -> ConfigurationSpace:
    """The axes as ConfigSpace, with the settings of the untuned search as defaults.

    Args:
        axes: see `hyperparameters`.
        defaults: settings of the search that is tuned.
        limits: of the images and budgets.
        seed: of the space's own generator.

    Raises:
        UserError: a default lies outside its range, so that it could not be the first
            configuration.
    """
    from ConfigSpace import ConfigurationSpace

    space = ConfigurationSpace(seed=seed)
    space.add([_parameter(axis, _default(axis, defaults, limits)) for axis in axes])
    return space


def settings_of(
    axes: tuple[Hyperparameter, ...],
    defaults: SearchSettings,
    configuration: Mapping[str, Any],
    **further: Any,
) -> SearchSettings:
    """The settings of the method that a configuration means.

    Args:
        axes: of the configuration space.
        defaults: values of all that is not tuned.
        configuration: a value for each axis, by name.
        further: other settings to change.

    Raises:
        UserError: a name is no axis, an axis has no value, or the method refuses a value.
    """
    return replace(defaults, **(changes(axes, configuration) | further))


def changes(
    axes: tuple[Hyperparameter, ...], configuration: Mapping[str, Any]
) -> dict[str, float | int]:
    """The settings that a configuration changes, by the names of the method's settings.

    Raises:
        UserError: a name is no axis, or an axis has no value.
    """
    names = [axis.name for axis in axes]
    for name in configuration:
        if name not in names:
            raise unknown_name("hyperparameter", name, names)
    for name in names:
        if configuration.get(name) is None:
            raise UserError(f"the configuration has no value for {name}", exit_code=2)
    whole = {axis.name for axis in axes if axis.integer or axis.choices}
    return {
        axis.setting: (int if axis.name in whole else float)(configuration[axis.name])
        for axis in axes
    }


def _within(
    axis: Hyperparameter, defaults: SearchSettings, limits: Limits
) -> Hyperparameter | None:
    """The axis with what fits; None where there is nothing left to choose."""
    if axis.choices:
        fitting = tuple(c for c in axis.choices if defaults.channels % c == 0)
        return replace(axis, choices=fitting) if len(fitting) > 1 else None
    most = {
        "cutout_length": limits.side,
        "batch_size": limits.half,
        "warm_start_epochs": limits.least_epochs - 1,
    }.get(axis.name, math.inf)
    high = min(axis.high, most)
    return replace(axis, high=high) if high > axis.low else None


def _default(axis: Hyperparameter, defaults: SearchSettings, limits: Limits) -> Any:
    value = getattr(defaults, axis.setting)
    if value is None and axis.setting == "cutout_length":
        value = limits.side // 2
    inside = value in axis.choices if axis.choices else axis.low <= value <= axis.high
    if not inside:
        valid = ", ".join(map(str, axis.choices)) or f"{axis.low:g} to {axis.high:g}"
        raise UserError(
            f"{axis.setting} = {value} of the untuned search is not among the values that are "
            f"tuned ({valid}), so it cannot be the first configuration; change it or use a "
            "smaller --config-space",
            exit_code=2,
        )
    return value


def _parameter(axis: Hyperparameter, default: Any) -> Any:
    from ConfigSpace import CategoricalHyperparameter, Float, Integer

    if axis.choices:
        return CategoricalHyperparameter(axis.name, list(axis.choices), default_value=default)
    if axis.integer:
        bounds = (int(axis.low), int(axis.high))
        return Integer(axis.name, bounds, log=axis.log, default=int(default))
    return Float(axis.name, (float(axis.low), float(axis.high)), log=axis.log, default=default)


def default_configuration(space: ConfigurationSpace) -> dict[str, Any]:
    """The configuration of the untuned search, which is evaluated first."""
    return plain(space.get_default_configuration())


def plain(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as numbers of Python, by name."""
    return {name: getattr(v, "item", lambda v=v: v)() for name, v in configuration.items()}
