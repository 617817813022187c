"""One-shot methods: one shared supernet, trained while an architecture is found in it.

The names that need torch are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from raynas.oneshot._record import Diverged, EpochRecord
from raynas.oneshot._registry import (
    REGISTRY,
    MethodInfo,
    method_info,
    method_names,
    method_settings,
)
from raynas.oneshot._settings import GradientSettings, SearchSettings

if TYPE_CHECKING:
    from raynas.oneshot._base import OneShotMethod
    from raynas.oneshot._gradient import GradientMethod
    from raynas.oneshot.checkpoint import read_checkpoint, write_checkpoint
    from raynas.oneshot.search import Search

__all__ = [
    "REGISTRY",
    "Diverged",
    "EpochRecord",
    "GradientMethod",
    "GradientSettings",
    "MethodInfo",
    "OneShotMethod",
    "Search",
    "SearchSettings",
    "method_info",
    "method_names",
    "method_settings",
    "read_checkpoint",
    "write_checkpoint",
]

_MODULES = {
    "OneShotMethod": "_base",
    "GradientMethod": "_gradient",
    "Search": "search",
    "read_checkpoint": "checkpoint",
    "write_checkpoint": "checkpoint",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
