"""Weight decay, and cutout off, on or of some images."""

from __future__ import annotations

from typing import Any

from raynas.studies._grid import Claim, QuickSize, Setting, StudyGrid

#: Of the scripts of NAS-Bench-1Shot1: 1, 3 (the default), 9, 27 and 81 times 1e-4.
WEIGHT_DECAYS = (1e-4, 3e-4, 9e-4, 27e-4, 81e-4)
DEFAULT_WEIGHT_DECAY = 3e-4
#: The scripts have cutout off or on all images (probability 1.0); the tuned methods of the same
#: study vary the probability over 0..1, of which this is the middle.
CUTOUT = {"off": 0.0, "on": 1.0}
MIDDLE_PROBABILITY = 0.5
#: In the DARTS script the probability rises linearly over the search; in the others it is constant.
_RAMP: dict[str, dict[str, Any]] = {
    "darts": {"cutout_ramp": True},
    "darts2": {"cutout_ramp": True},
}
_SLIDES = "Zela et al. 2020, slides"
_GRADIENT = ("darts", "gdas", "pc_darts")


def _setting(weight_decay: float, cutout: str | float, probability: float) -> Setting:
    return Setting(
        factors={"weight_decay": weight_decay, "cutout": cutout},
        changes={"weight_decay": weight_decay, "cutout_probability": probability},
        method_changes=_RAMP if probability else {},
        default=(weight_decay, probability) == (DEFAULT_WEIGHT_DECAY, 0.0),
    )


_MIDDLE = _setting(DEFAULT_WEIGHT_DECAY, MIDDLE_PROBABILITY, MIDDLE_PROBABILITY)
_FACTORIAL = [_setting(w, name, p) for name, p in CUTOUT.items() for w in WEIGHT_DECAYS]
_CUTOUT_ON = "weight_decay=0.0003, cutout=on"

REGULARISATION = StudyGrid(
    name="regularisation",
    title="Weight decay and cutout in one-shot searches",
    question="What do weight decay and cutout of the shared weights do to the cells found?",
    settings=(*_FACTORIAL, _MIDDLE),
    source="Weight decays 1e-4 to 81e-4 and cutout off or on (half the image's side, on every "
    "image) are those of the scripts of NAS-Bench-1Shot1 (Zela et al. 2020); cutout of half of "
    "the images is the middle of the range that the tuned methods there have. With DARTS the "
    "probability rises linearly over the search, as in its script.",
    claims=(
        Claim("Cutout largely stabilises DARTS", _SLIDES, ("darts",), _CUTOUT_ON, "lower"),
        Claim("Cutout has little effect on GDAS", _SLIDES, ("gdas",), _CUTOUT_ON, "none"),
        Claim("PC-DARTS does not gain by cutout", _SLIDES, ("pc_darts",), _CUTOUT_ON, "not lower"),
        Claim(
            "More weight decay makes all methods less stable",
            _SLIDES,
            _GRADIENT,
            "weight_decay=0.0081, cutout=off",
            "higher",
        ),
    ),
    quick=QuickSize(epochs=10, seeds=3),
)
