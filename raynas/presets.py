"""How large a comparison is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from search_spaces.errors import unknown_name


@dataclass(frozen=True)
class SearchPreset:
    """Size of one-shot searches.

    Attributes:
        seeds: searches per method and space.
        images: which images, as `find_images` takes them.
        settings: changes to the published settings of every method.
        method_settings: further changes by method.
    """

    seeds: int
    images: str = "auto"
    settings: Mapping[str, Any] = field(default_factory=dict)
    method_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Preset:
    """Size of a comparison.

    Attributes:
        seeds: runs of a black-box optimizer per space.
        evaluations: full trainings that such a run may spend, 108 epochs each.
        searches: by device ("cpu", "cuda"), the one-shot searches.
    """

    seeds: int
    evaluations: int
    searches: Mapping[str, SearchPreset]


_PUBLISHED = SearchPreset(
    seeds=6, images="cifar10", settings={"channels": 16, "cells": 9, "epochs": 50}
)

#: "paper" is the setting of NAS-Bench-1Shot1 (Zela et al. 2020): 280 evaluations, 500 seeds, and
#: one-shot searches of 50 epochs with 6 seeds. "quick" takes minutes on two cores.
PRESETS = {
    "quick": Preset(
        seeds=10,
        evaluations=280,
        searches={
            "cpu": SearchPreset(
                seeds=2,
                images="digits",
                settings={"channels": 4, "cells": 3, "epochs": 40, "batch_size": 96},
                method_settings={"random_ws": {"candidates": 20, "candidate_batches": 2}},
            ),
            "cuda": SearchPreset(
                seeds=2,
                settings={"channels": 16, "cells": 9, "epochs": 10},
                method_settings={"random_ws": {"candidates": 100}},
            ),
        },
    ),
    "paper": Preset(seeds=500, evaluations=280, searches={"cpu": _PUBLISHED, "cuda": _PUBLISHED}),
}


def find_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        UserError: if there is none.
    """
    if name not in PRESETS:
        raise unknown_name("preset", name, list(PRESETS))
    return PRESETS[name]
