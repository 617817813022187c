"""The studies of hyperparameters that can be run by name: what is varied, and over which values."""

from __future__ import annotations

from raynas.studies._grid import (
    PUBLISHED_EPOCHS,
    Claim,
    Effect,
    QuickSize,
    Setting,
    StudyGrid,
    find_study,
)
from raynas.studies._presets import study_preset
from raynas.studies.epochs import EPOCHS
from raynas.studies.learning_rate import LEARNING_RATE
from raynas.studies.regularisation import REGULARISATION
from raynas.studies.warm_start import WARM_START

#: By name, in the order in which they are listed.
STUDIES: dict[str, StudyGrid] = {
    grid.name: grid for grid in (REGULARISATION, LEARNING_RATE, EPOCHS, WARM_START)
}

__all__ = [
    "PUBLISHED_EPOCHS",
    "STUDIES",
    "Claim",
    "Effect",
    "QuickSize",
    "Setting",
    "StudyGrid",
    "find_study",
    "study_preset",
]
