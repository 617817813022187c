"""How large a study is."""

from __future__ import annotations

from dataclasses import replace

from raynas.presets import PRESETS, Preset, SearchPreset, find_preset
from raynas.studies._grid import PUBLISHED_EPOCHS, StudyGrid

#: Searches per method, space and setting, as in the published warm-start studies (those of weight
#: decay had one, the trajectories twelve).
PAPER_SEEDS = 6
#: On a GPU the quick searches have the published network, and a fifth of the epochs.
_QUICK_GPU_EPOCHS, _QUICK_GPU_SEEDS = 10, 3


def study_preset(grid: StudyGrid, name: str) -> Preset:
    """The size of a study's searches: "quick", or "paper" for the published one.

    Raises:
        UserError: there is no such preset.
    """
    sizes = find_preset(name).searches
    if name == "paper":
        searches = {
            device: replace(size, seeds=PAPER_SEEDS, images="cifar10")
            for device, size in sizes.items()
        }
    else:
        quick = grid.quick
        searches = {
            "cpu": _sized(sizes["cpu"], quick.epochs, quick.seeds),
            "cuda": _sized(sizes["cuda"], _QUICK_GPU_EPOCHS, _QUICK_GPU_SEEDS),
        }
    return replace(PRESETS[name], searches=searches)


def preset_methods(grid: StudyGrid, name: str) -> tuple[str, ...] | None:
    """The methods that a preset runs if none are named; None for all."""
    return grid.quick.methods if name == "quick" else None


def scale_in_words(epochs: int) -> str:
    """How epochs are to the published ones; empty if they are the same."""
    if epochs == PUBLISHED_EPOCHS:
        return ""
    factor = PUBLISHED_EPOCHS / epochs
    way = f"divided by {factor:.3g}" if factor > 1 else f"multiplied by {1 / factor:.3g}"
    return f"all epochs of the published grid are {way}"


def _sized(size: SearchPreset, epochs: int, seeds: int) -> SearchPreset:
    return replace(size, seeds=seeds, settings={**size.settings, "epochs": epochs})
