"""The length of a search."""

from __future__ import annotations

from raynas.studies._grid import PUBLISHED_EPOCHS, Claim, QuickSize, Setting, StudyGrid

#: Of the scripts of NAS-Bench-1Shot1.
LENGTHS = (25, 50, 100)

EPOCHS = StudyGrid(
    name="epochs",
    title="The length of one-shot searches",
    question="What does a longer search, with its slower fall of the learning rate, do?",
    settings=tuple(
        Setting({"epochs": length}, {"epochs": length}, default=length == PUBLISHED_EPOCHS)
        for length in LENGTHS
    ),
    source="Searches of 25, 50 and 100 epochs, the learning rate falling by a cosine over all of "
    "them: those of the scripts of NAS-Bench-1Shot1 (Zela et al. 2020).",
    claims=(
        Claim(
            "A longer search with DARTS overfits the architecture",
            "Zela et al. 2020, slides",
            ("darts",),
            "epochs=100",
            "higher",
        ),
    ),
    quick=QuickSize(epochs=20, seeds=5),
)
