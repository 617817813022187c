"""Algorithms that decide which configuration is trained next and for how long.

They know neither Ray nor clocks: `ask` for an evaluation, `tell` its error. What an algorithm
proposes is a function of its settings and of the sequence of calls, so resuming is replaying.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuning.algorithms._base import Algorithm

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

    from tuning.settings import SweepSettings

__all__ = ["Algorithm", "make_algorithm"]


def make_algorithm(settings: SweepSettings, space: ConfigurationSpace) -> Algorithm:
    """The algorithm of some settings, at its beginning.

    Raises:
        UserError: it cannot handle a hyperparameter of the space.
    """
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
