"""Which one-shot searches a study runs, and on what."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from raynas.execution.log import Run
from raynas.labels import base_method
from raynas.search_request import SEARCHED_SPACES
from search_spaces.errors import UserError, unknown_name

if TYPE_CHECKING:
    from raynas.images import ImageSource
    from raynas.oneshot import OneShotMethod, SearchSettings

DEVICES = ("cpu", "cuda")
KEEP_CHECKPOINTS = ("last", "all")

#: CPU seconds of one epoch on the digits (batch size 96, 4 channels, 3 cells), on one core of an
#: AMD EPYC. Only their proportions matter; a wrong figure costs balance, nothing else.
SECONDS_PER_EPOCH = {
    "darts": 0.5,
    "darts2": 1.5,
    "gdas": 0.4,
    "pc_darts": 0.7,
    "random_ws": 0.6,
}
_UNKNOWN_METHOD = 1.0


@dataclass(frozen=True)
class SearchPlan:
    """Every one-shot method on every searched space with every seed.

    Attributes:
        settings: of each method, by name, in the order of the tables to come.
        spaces: some of `SEARCHED_SPACES`.
        seeds: one search each.
        images: what is searched on.
        device: "cpu" or "cuda".
        gpus_per_trial: share of a GPU that a search gets; None: what a dry run finds.
        keep_checkpoints: "last", or "all" to keep that of every epoch.
        classes: methods of one's own, by name; the others are those of `raynas.oneshot`.
    """

    settings: Mapping[str, SearchSettings]
    spaces: tuple[str, ...]
    seeds: tuple[int, ...]
    images: ImageSource
    device: str = "cpu"
    gpus_per_trial: float | None = None
    keep_checkpoints: Literal["last", "all"] = "last"
    classes: Mapping[str, type[OneShotMethod]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind, value, valid in (
            ("device", self.device, DEVICES),
            ("choice of checkpoints", self.keep_checkpoints, KEEP_CHECKPOINTS),
            *(("space of one-shot methods", space, SEARCHED_SPACES) for space in self.spaces),
        ):
            if value not in valid:
                raise unknown_name(kind, value, list(valid))
        for name in ("settings", "spaces", "seeds"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise UserError(
                    f"{name} of searches must be different and at least one, not {values}",
                    exit_code=2,
                )
        if min(self.seeds) < 0:
            raise UserError("seeds must not be negative", exit_code=2)

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods."""
        return tuple(self.settings)

    def runs(self) -> list[Run]:
        """Every search."""
        return [
            (method, space, seed)
            for method in self.settings
            for space in self.spaces
            for seed in self.seeds
        ]


@dataclass(frozen=True, slots=True)
class SearchUnit:
    """One Tune trial: one search."""

    method: str
    space: str
    seed: int
    cost: float

    @property
    def run(self) -> Run:
        """Method, space, seed."""
        return self.method, self.space, self.seed

    @property
    def seeds(self) -> tuple[int, ...]:
        """The one seed, as blocks have several."""
        return (self.seed,)


def plan_searches(searches: SearchPlan, finished: Collection[Run]) -> list[SearchUnit]:
    """A unit for every search that is not finished, the most expensive first."""
    units = [
        SearchUnit(*run, _seconds(run[0], searches.settings[run[0]]))
        for run in searches.runs()
        if run not in finished
    ]
    return sorted(units, key=lambda unit: -unit.cost)


def _seconds(method: str, settings: SearchSettings) -> float:
    epoch = SECONDS_PER_EPOCH.get(base_method(method), _UNKNOWN_METHOD)
    return epoch * settings.epochs * settings.channels / 4 * settings.cells / 3
