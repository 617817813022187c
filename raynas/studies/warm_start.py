"""Epochs in which the architecture waits for the shared weights."""

from __future__ import annotations

from raynas.studies._grid import QuickSize, Setting, StudyGrid

#: Without, and as in the warm-start scripts of NAS-Bench-1Shot1.
WARM_STARTS = (0, 20)

WARM_START = StudyGrid(
    name="warm-start",
    title="A warm start of the shared weights",
    question="Does it help to train the shared weights before the architecture moves?",
    settings=tuple(
        Setting({"warm_start_epochs": w}, {"warm_start_epochs": w}, default=w == 0)
        for w in WARM_STARTS
    ),
    source="No epoch, or the first 20 of 50, with the architecture at rest: as in the scripts of "
    "NAS-Bench-1Shot1 (Zela et al. 2020).",
    claims=(),
    quick=QuickSize(epochs=20, seeds=5),
)
