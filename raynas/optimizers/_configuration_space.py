"""A domain as ConfigSpace, for the libraries that want one."""

from __future__ import annotations

import ConfigSpace


def categorical_space(cardinalities: tuple[int, ...], seed: int) -> ConfigSpace.ConfigurationSpace:
    """One categorical per choice; the array form of a configuration is the vector itself."""
    space = ConfigSpace.ConfigurationSpace(seed=seed)
    # Names are sorted by ConfigSpace, so they are padded.
    space.add(
        ConfigSpace.CategoricalHyperparameter(f"choice_{i:04d}", [f"{j:04d}" for j in range(n)])
        for i, n in enumerate(cardinalities)
    )
    return space
