"""A found cell as the network of NAS-Bench-101, trained from scratch.

The names that need torch are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from raynas.training._cells import FoundCell, cell_of_hash, cell_of_run
from raynas.training._settings import TrainingSettings, settings_for

if TYPE_CHECKING:
    from raynas.training._rmsprop import RMSProp
    from raynas.training._training import CellTraining, EpochResult

__all__ = [
    "CellTraining",
    "EpochResult",
    "FoundCell",
    "RMSProp",
    "TrainingSettings",
    "cell_of_hash",
    "cell_of_run",
    "settings_for",
]

_MODULES = {"CellTraining": "_training", "EpochResult": "_training", "RMSProp": "_rmsprop"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
