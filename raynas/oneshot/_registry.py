"""Every one-shot method that a user can name; the classes are imported when they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from search_spaces.errors import unknown_name

if TYPE_CHECKING:
    from raynas.oneshot._base import OneShotMethod
    from raynas.oneshot._settings import SearchSettings


@dataclass(frozen=True, slots=True)
class MethodInfo:
    """What is known of a method without importing it.

    Attributes:
        name: what the user writes; also the module of `raynas.oneshot` that holds the class.
        label: what figures show.
        description: one line.
        class_name: the class.
    """

    name: str
    label: str
    description: str
    class_name: str

    def load(self) -> type[OneShotMethod]:
        """Import and return the class."""
        module = import_module(f"raynas.oneshot.{self.name}")
        loaded: type[OneShotMethod] = getattr(module, self.class_name)
        return loaded


_ALL = (
    MethodInfo("darts", "DARTS (1st order)", "softmax over operations and edges", "Darts"),
    MethodInfo(
        "darts2", "DARTS (2nd order)", "DARTS after a virtual step of the weights", "Darts2"
    ),
    MethodInfo("gdas", "GDAS", "one sampled operation per block, Gumbel-softmax", "Gdas"),
    MethodInfo("pc_darts", "PC-DARTS", "DARTS on a part of the channels", "PcDarts"),
    MethodInfo(
        "random_ws",
        "Random search WS",
        "random paths train, random architectures compete",
        "RandomWs",
    ),
)

REGISTRY: dict[str, MethodInfo] = {info.name: info for info in _ALL}


def method_names() -> list[str]:
    """The valid names, in the order in which they are shown."""
    return list(REGISTRY)


def method_info(name: str) -> MethodInfo:
    """What is known of a method.

    Raises:
        UserError: there is none of this name.
    """
    if name not in REGISTRY:
        raise unknown_name("one-shot method", name, method_names())
    return REGISTRY[name]


def method_settings(name: str, **values: Any) -> SearchSettings:
    """The published settings of a method, with some values changed.

    Raises:
        UserError: the method, a setting or a value is not valid; it lists the valid ones.
    """
    from raynas.oneshot._settings import make_settings

    return make_settings(method_info(name).load().settings_type, values)
