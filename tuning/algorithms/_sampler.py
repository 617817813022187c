"""Configurations of a space as plain values, each from a random stream of its own."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING

import numpy as np

from raynas.seeds import seed_for
from tuning.evaluation import Configuration, Value

if TYPE_CHECKING:
    import ConfigSpace


class Sampler:
    """Draws configurations.

    Args:
        space: is copied, so its own random state is neither used nor changed.
        seed: of the sweep.
    """

    def __init__(self, space: ConfigSpace.ConfigurationSpace, seed: int) -> None:
        self._space = deepcopy(space)
        self._seed = seed

    def default(self) -> Configuration:
        """Configuration 0."""
        return Configuration(0, plain(self._space.get_default_configuration()))

    def random(self, number: int) -> Configuration:
        """A uniform one, in the sense of the space's distributions."""
        self._space.seed(stream_seed(self._seed, "configuration", number))
        return Configuration(number, plain(self._space.sample_configuration()))


def stream_seed(seed: int, *path: str | int) -> int:
    """A 32-bit seed for generators that take no seed sequence."""
    return int(seed_for(seed, *path).generate_state(1, np.uint32)[0])


def plain(configuration: Mapping[str, object]) -> dict[str, Value]:
    """The values of a configuration without numpy's types, by name."""
    return {name: _plain(value) for name, value in dict(configuration).items()}


def _plain(value: object) -> Value:
    found = value.item() if isinstance(value, np.generic) else value
    if not isinstance(found, str | int | float | bool):
        raise TypeError(f"a hyperparameter has the value {found!r}; only text and numbers may be")
    return found
