"""Algorithms that decide which configuration is trained next and for how long.

They know neither Ray nor clocks: `ask` for an evaluation, `tell` its error. What an algorithm
proposes is a function of its settings and of the sequence of calls, so resuming is replaying.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tuning.algorithms._base import Algorithm

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

    from tuning.evaluation import Value
    from tuning.settings import SweepSettings

__all__ = ["Algorithm", "make_algorithm"]


def make_algorithm(
    settings: SweepSettings,
    space: ConfigurationSpace,
    listed: Sequence[Mapping[str, Value]] | None = None,
) -> Algorithm:
    """The algorithm of some settings, at its beginning.

    Args:
        settings: of the sweep.
        space: what configurations are points of.
        listed: these configurations at the largest budget instead of what would be proposed.

    Raises:
        UserError: it cannot handle a hyperparameter of the space.
    """
    if listed is not None:
        from tuning.algorithms.listed import Listed

        return Listed(settings, space, listed)
    if settings.algorithm == "bohb":
        from tuning.algorithms.bohb import Bohb

        return Bohb(settings, space)
    if settings.algorithm == "hyperband":
        from tuning.algorithms.hyperband import Hyperband

        return Hyperband(settings, space)
    if settings.algorithm == "asha":
        from tuning.algorithms.asha import Asha

        return Asha(settings, space)
    from tuning.algorithms.random import RandomSearch

    return RandomSearch(settings, space)
