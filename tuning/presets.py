"""How large a sweep is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from search_spaces.errors import unknown_name


@dataclass(frozen=True)
class SweepSize:
    """Budgets and numbers of a sweep.

    Attributes:
        min_epochs: the smallest budget.
        max_epochs: the largest budget.
        eta: one in eta configurations is promoted.
        iterations: brackets.
        concurrent: evaluations under way at once, at least.
        finalists: configurations that are searched with again, beside the default, before one of
            them is chosen.
        final_seeds: searches of each finalist.
        search_seeds: searches with default and with tuned settings in the comparison afterwards.
        seeds: runs of each black-box method in it.
    """

    min_epochs: int
    max_epochs: int
    eta: int
    iterations: int
    concurrent: int
    finalists: int
    final_seeds: int
    search_seeds: int
    seeds: int


_PUBLISHED = SweepSize(25, 100, 2, 64, 16, 4, 3, 6, 100)

#: By preset and device. "paper" is Zela et al. 2020: 64 brackets at 25, 50 and 100 epochs with 16
#: workers. "quick" takes minutes on two cores, or on one GPU. The size of the supernet and the
#: images are those of `raynas.presets` under the same names.
PRESETS: Mapping[str, Mapping[str, SweepSize]] = {
    "quick": {
        "cpu": SweepSize(10, 40, 2, 6, 4, 3, 3, 5, 10),
        "cuda": SweepSize(3, 12, 2, 6, 2, 3, 3, 3, 10),
    },
    "paper": {"cpu": _PUBLISHED, "cuda": _PUBLISHED},
}


def find_size(preset: str, device: str) -> SweepSize:
    """The size of a preset on a device.

    Raises:
        UserError: there is no such preset.
    """
    if preset not in PRESETS:
        raise unknown_name("preset", preset, list(PRESETS))
    return PRESETS[preset][device]
