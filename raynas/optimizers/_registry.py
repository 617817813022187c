"""Every optimizer that a user can name; the classes are imported when they are made."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from raynas.optimizers._base import FULL_BUDGET, Domain, Optimizer
from raynas.optimizers.brackets import geometric_budgets
from search_spaces.errors import unknown_name


@dataclass(frozen=True, slots=True)
class OptimizerInfo:
    """What is known of an optimizer without importing it.

    Attributes:
        name: what the user writes.
        label: what figures show.
        description: one line.
        module: module of `raynas.optimizers` that holds the class.
        class_name: the class; its `settings_type` is the class of its settings.
        multi_fidelity: whether it also asks for short trainings.
    """

    name: str
    label: str
    description: str
    module: str
    class_name: str
    multi_fidelity: bool = False

    @property
    def budgets(self) -> tuple[int, ...]:
        """Epochs that it asks for with its default settings, rising."""
        return geometric_budgets(4, FULL_BUDGET, 3) if self.multi_fidelity else (FULL_BUDGET,)

    def load(self) -> type[Optimizer]:
        """Import and return the class."""
        module = import_module(f"raynas.optimizers.{self.module}")
        loaded: type[Optimizer] = getattr(module, self.class_name)
        return loaded


_ALL = (
    OptimizerInfo(
        "rs", "Random search", "uniform samples with replacement", "random_search", "RandomSearch"
    ),
    OptimizerInfo(
        "re",
        "Regularized evolution",
        "tournaments and mutation; the oldest individual dies",
        "regularized_evolution",
        "RegularizedEvolution",
    ),
    OptimizerInfo(
        "ls",
        "Local search",
        "moves to the best neighbour, restarts at local optima",
        "local_search",
        "LocalSearch",
    ),
    OptimizerInfo(
        "reinforce",
        "REINFORCE",
        "policy gradient on one categorical per choice",
        "reinforce",
        "Reinforce",
    ),
    OptimizerInfo(
        "tpe", "TPE", "tree-structured Parzen estimator (Optuna's sampler)", "tpe", "Tpe"
    ),
    OptimizerInfo(
        "smac",
        "SMAC",
        "random forest, expected improvement and a race, in array code",
        "smac",
        "Smac",
    ),
    OptimizerInfo(
        "hb",
        "Hyperband",
        "successive halving of random configurations",
        "hyperband",
        "Hyperband",
        multi_fidelity=True,
    ),
    OptimizerInfo(
        "bohb",
        "BOHB",
        "Hyperband with kernel densities (HpBandSter's model)",
        "bohb",
        "Bohb",
        multi_fidelity=True,
    ),
    OptimizerInfo("smac3", "SMAC3 (package)", "the smac package itself; slow", "smac3", "Smac3"),
)

OPTIMIZERS: dict[str, OptimizerInfo] = {info.name: info for info in _ALL}


def optimizer_names() -> list[str]:
    """The valid names, in the order in which they are shown."""
    return list(OPTIMIZERS)


def optimizer_info(name: str) -> OptimizerInfo:
    """What is known of an optimizer.

    Raises:
        UserError: there is none of this name.
    """
    if name not in OPTIMIZERS:
        raise unknown_name("method", name, optimizer_names())
    return OPTIMIZERS[name]


def multi_fidelity(name: str) -> bool:
    """Whether the optimizer also asks for trainings of fewer than 108 epochs."""
    return optimizer_info(name).multi_fidelity


def budgets(name: str) -> tuple[int, ...]:
    """Epochs that the optimizer asks for with its default settings, rising."""
    return optimizer_info(name).budgets


def make_optimizer(
    name: str,
    domain: Domain,
    seed: int | np.random.SeedSequence,
    settings: Any | None = None,
    *,
    noisy: bool = True,
) -> Optimizer:
    """A new optimizer.

    Args:
        name: see `optimizer_names`.
        domain: what may be proposed; a `Space` is one.
        seed: root of all its random streams.
        settings: the method's settings object; None for the published defaults.
        noisy: whether evaluating an architecture again may give another error; if not, the
            default settings of methods that repeat evaluations are changed accordingly.

    Raises:
        UserError: there is no optimizer of this name.
        TypeError: the settings belong to another method.
    """
    optimizer = optimizer_info(name).load()
    if settings is None and not noisy:
        settings = optimizer.noise_free_settings()
    return optimizer(domain, seed, settings)
