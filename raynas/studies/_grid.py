"""A grid of settings, one of which is the default that the others are held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from raynas.oneshot import REGISTRY
from search_spaces.errors import UserError, unknown_name

PUBLISHED_EPOCHS = 50
"""Length of a search with the default settings; the epochs of all grids are meant for it."""
_EPOCH_SETTINGS = ("epochs", "warm_start_epochs")

Effect = Literal["higher", "lower", "none", "not lower"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One point of a grid.

    Attributes:
        factors: what is varied and its value, as they are shown.
        changes: settings of the searches that give it.
        method_changes: further ones by method, where the published scripts differ.
        default: whether it is the default.
    """

    factors: Mapping[str, float | str]
    changes: Mapping[str, Any]
    method_changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    default: bool = False

    @property
    def name(self) -> str:
        """For instance "weight_decay=0.0027, cutout=off"."""
        shown = (v if isinstance(v, str) else f"{v:g}" for v in self.factors.values())
        return ", ".join(f"{k}={v}" for k, v in zip(self.factors, shown, strict=True))

    def changes_of(self, method: str) -> dict[str, Any]:
        """What is changed in a method's searches."""
        return {**self.changes, **self.method_changes.get(method, {})}

    def scaled(self, epochs: int) -> Setting:
        """The same for searches whose default length is not the published one."""

        def scale(name: str, value: Any) -> Any:
            return _scaled(value, epochs) if name in _EPOCH_SETTINGS else value

        return replace(
            self,
            factors={k: scale(k, v) for k, v in self.factors.items()},
            changes={k: scale(k, v) for k, v in self.changes.items()},
        )


def _scaled(value: int, epochs: int) -> int:
    return int(value * epochs / PUBLISHED_EPOCHS + 0.5)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a source says of one setting, and how it would show.

    Attributes:
        text: the finding, in short.
        source: where it is from.
        methods: that it is about.
        setting: name of the published setting that is held against the default.
        effect: on the final test regret: "higher", "lower", "none" or "not lower".
    """

    text: str
    source: str
    methods: tuple[str, ...]
    setting: str
    effect: Effect


@dataclass(frozen=True, slots=True)
class QuickSize:
    """How large the quick preset is on a CPU.

    Attributes:
        epochs: default length of a search.
        seeds: searches per method, space and setting.
        methods: that it runs if none are named.
    """

    epochs: int
    seeds: int
    methods: tuple[str, ...] = ("darts", "gdas", "pc_darts")


@dataclass(frozen=True, slots=True)
class StudyGrid:
    """A study that can be run by name.

    Attributes:
        name: what a user writes.
        title: of its page.
        question: what it asks, one sentence.
        settings: the grid, one of them the default.
        source: where its values are from.
        claims: findings of the sources.
        quick: size of the quick preset.
    """

    name: str
    title: str
    question: str
    settings: tuple[Setting, ...]
    source: str
    claims: tuple[Claim, ...]
    quick: QuickSize

    @property
    def default(self) -> Setting:
        """What the other settings are held against."""
        return next(setting for setting in self.settings if setting.default)

    def scaled(self, epochs: int) -> tuple[Setting, ...]:
        """The grid for searches of another default length, in the same order.

        Raises:
            UserError: so few epochs that settings would be the same, or nothing would be left
                after the warm start.
        """
        least = next(e for e in range(1, PUBLISHED_EPOCHS + 1) if self._distinct(e))
        if epochs < least:
            raise UserError(
                f"--epochs {epochs} is too short for the study {self.name}: it divides all epochs "
                f"of its settings by {PUBLISHED_EPOCHS / epochs:g}, and some would be the same; "
                f"give at least {least}",
                exit_code=2,
            )
        return tuple(setting.scaled(epochs) for setting in self.settings)

    def _distinct(self, epochs: int) -> bool:
        found = [setting.scaled(epochs) for setting in self.settings]
        lengths = [setting.changes.get("epochs", epochs) for setting in found]
        return len({setting.name for setting in found}) == len(found) and min(lengths) > 0

    def lacking(self, method: str) -> tuple[str, ...]:
        """Settings of the grid that a one-shot method does not have."""
        known = {f.name for f in fields(REGISTRY[method].load().settings_type)}
        changed = {name for s in self.settings for name in s.changes_of(method)}
        return tuple(sorted(changed - known))


def find_study(studies: Mapping[str, StudyGrid], name: str) -> StudyGrid:
    """The study of that name.

    Raises:
        UserError: there is none.
    """
    if name not in studies:
        raise unknown_name("study", name, list(studies))
    return studies[name]
