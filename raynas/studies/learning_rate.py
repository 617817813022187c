"""The learning rate of the shared weights."""

from __future__ import annotations

from raynas.studies._grid import Claim, QuickSize, Setting, StudyGrid

#: Of the scripts of NAS-Bench-1Shot1; the cosine ends at 0.001 with all of them.
LEARNING_RATES = (0.0025, 0.025, 0.25)
_SLIDES = "Zela et al. 2020, slides"
_HIGH = "learning_rate=0.25"

LEARNING_RATE = StudyGrid(
    name="learning-rate",
    title="The learning rate of the shared weights",
    question="What does the learning rate of the shared weights do to the cells found?",
    settings=tuple(
        Setting({"learning_rate": rate}, {"learning_rate": rate}, default=rate == 0.025)
        for rate in LEARNING_RATES
    ),
    source="Learning rates 0.0025, 0.025 and 0.25 of SGD on the shared weights, cosine to 0.001: "
    "those of the scripts of NAS-Bench-1Shot1 (Zela et al. 2020).",
    claims=(
        Claim(
            "A high learning rate makes DARTS and GDAS less stable",
            _SLIDES,
            ("darts", "gdas"),
            _HIGH,
            "higher",
        ),
        Claim("A high learning rate makes PC-DARTS better", _SLIDES, ("pc_darts",), _HIGH, "lower"),
    ),
    quick=QuickSize(epochs=20, seeds=5),
)
