"""How large a comparison is."""

from __future__ import annotations

from dataclasses import dataclass

from search_spaces.errors import unknown_name


@dataclass(frozen=True)
class Preset:
    """Size of a comparison of black-box optimizers.

    Attributes:
        seeds: runs per method and space.
        evaluations: full trainings that a run may spend, 108 epochs each.
    """

    seeds: int
    evaluations: int


#: "paper" is the setting of NAS-Bench-1Shot1 (Zela et al. 2020): 280 evaluations, 500 seeds.
PRESETS = {
    "quick": Preset(seeds=10, evaluations=280),
    "paper": Preset(seeds=500, evaluations=280),
}


def find_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        UserError: if there is none.
    """
    if name not in PRESETS:
        raise unknown_name("preset", name, list(PRESETS))
    return PRESETS[name]
