"""How long the studies take: stored measurements, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from raynas.artefacts.commands import STUDIES

#: Where the measured seconds are from.
MACHINE = "2 cores of an AMD EPYC, no GPU"
_CORES = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """Time of a study.

    Attributes:
        seconds: wall time on the measured machine.
        basis: what was measured and how it was scaled.
        gpu_seconds: on one GPU, an estimate; None if it needs none.
    """

    seconds: float
    basis: str
    gpu_seconds: float | None = None


#: CPU seconds of a training step, one thread alone on the machine: batch 96 of 32x32, 16 channels,
#: 9 cells, space 3. These and the following figures are those of the README's tables.
STEP_SECONDS = {
    "darts": 3.885,
    "darts2": 10.319,
    "gdas": 2.526,
    "pc_darts": 2.838,
    "random_ws": 0.611,
}
#: Cells scored in a second by one thread on 96 images of CIFAR-10, 16 channels, 3 cells, space 3.
CELLS_PER_SECOND = {"batch": 22.0, "running": 22.0, "recalibrated": 1.9, "published": 23.0}
#: Seconds of a suggestion with its look-up, all eight methods together.
SUGGESTION_SECONDS = 0.0174
#: Of 200 runs of random search, most of which Ray takes.
RAY_SECONDS = 10.5
#: Architecture and weight steps of an epoch with 20,000 images in each half.
STEPS = 208
_SPACES, _PUBLISHED_EPOCHS = 3, 50
_SWEEP_EPOCHS = 17_100
#: What the estimates of a preset rest on, in a sentence.
ASSUMED = {
    "quick": f"Measured once on {MACHINE}, while other work had a part of both cores.",
    "paper": f"Calculated from training steps and scores measured on {MACHINE}, each alone on one "
    "thread, as if every core trained one search on one thread and none held another up; "
    "evaluations during a search are left out.",
}
#: Seconds of an epoch of DARTS on a GPU: not measured, but some 5,000 launches of small kernels a
#: step, at 5 microseconds each, bound it.
GPU_EPOCH = 7.0
GPU_BASIS = (
    f"an estimate, nothing was measured on a GPU: {GPU_EPOCH:g} s for an epoch of DARTS of the "
    "published size, bound by kernel launches, others in proportion to their steps on a CPU"
)
#: Of the same steps, seconds on one thread to one second on a GPU.
_GPU_FACTOR = STEP_SECONDS["darts"] * STEPS / GPU_EPOCH

_EVALUATIONS, _RUNS_THROUGH_RAY = 280, 200

_LOADED = "measured once, while other work had a part of both cores"
_FIRST_ORDER = ("darts", "gdas", "pc_darts")
_SEEDS = 5
#: Quick preset, wall seconds of the commands of `raynas.artefacts.commands`; and the epochs of
#: each first-order method on a GPU, where searches are of the published size but shorter.
_QUICK: dict[str, tuple[float, float]] = {
    "one-shot": (150.0, 20 * _SEEDS),
    "regularisation": (509.0, 11 * 10 * _SEEDS),
    "learning-rate": (295.0, 3 * 10 * _SEEDS),
    "epochs": (332.0, (5 + 10 + 20) * _SEEDS),
    "warm-start": (189.0, 2 * 10 * _SEEDS),
    "tuning-darts": (510.0, 0),
    "tuning-gdas": (427.0, 0),
    "tuning-pc-darts": (1164.0, 0),
}
#: Six brackets of 3, 6 and 12 epochs, and three finalists with three seeds, about.
_QUICK_SWEEP_EPOCHS = 300
_QUICK_CORRELATION, _RANDOM_POLICY, _QUICK_BLACK_BOX = 197.0, 12.0, 1143.0
_QUICK_EVOLUTION, _QUICK_EVOLUTION_SEEDS = 108.0, 200
#: Of the paper preset: cells of the three spaces, checkpoints of each search, seeds, images.
_CELLS, _CHECKPOINTS, _SCORED_SEEDS, _IMAGES = 2_685 + 7_773 + 10_000, 5, 3, 10_000
_RULES = ("batch", "published")
#: Images and supernet of the measured scores; those of the published size are three times as deep.
_SCORED_IMAGES, _DEEPER = 96, 9 / 3


def _training(epochs: dict[str, float]) -> Cost:
    """Searches of so many epochs by method, at the published size, on the measured machine."""
    seconds = sum(STEP_SECONDS[method] * STEPS * count for method, count in epochs.items())
    basis = "training steps measured one by one, each alone on the machine, without evaluations"
    return Cost(seconds / _CORES, basis, seconds / _GPU_FACTOR)


def _every(epochs: float) -> dict[str, float]:
    return dict.fromkeys(STEP_SECONDS, epochs)


def _quick() -> dict[str, Cost]:
    costs = {}
    for name, (seconds, epochs) in _QUICK.items():
        methods: tuple[str, ...] = _FIRST_ORDER
        if name.startswith("tuning-"):
            methods, epochs = (name.removeprefix("tuning-").replace("-", "_"),), _QUICK_SWEEP_EPOCHS
        elif name == "one-shot":
            methods = (*_FIRST_ORDER, "random_ws")
        costs[name] = Cost(seconds, _LOADED, _training(dict.fromkeys(methods, epochs)).gpu_seconds)
    return costs | {
        "correlation": Cost(
            _QUICK_CORRELATION,
            _LOADED,
            _scoring(4 * _SEEDS * 150 * 2 * 3, 256, _RULES) / _GPU_FACTOR,
        ),
        "random-policy": Cost(_RANDOM_POLICY, _LOADED),
        "black-box": Cost(_QUICK_BLACK_BOX, _LOADED),
        "evolution": Cost(_QUICK_EVOLUTION, _LOADED),
    }


def _scoring(count: float, images: int, kinds: Iterable[str]) -> float:
    """Seconds of one thread for scoring cells at the published size, each in all of these ways.

    Scoring takes time in proportion to the images, a recalibration the same for any number.
    """
    seconds = 0.0
    for kind in kinds:
        alike = "running" if kind == "recalibrated" else kind
        seconds += images / _SCORED_IMAGES / CELLS_PER_SECOND[alike]
        seconds += 1 / CELLS_PER_SECOND[kind] - 1 / CELLS_PER_SECOND[alike]
    return count * seconds * _DEEPER


def _paper() -> dict[str, Cost]:
    searches = 6 * _SPACES
    checkpoints = _CHECKPOINTS * len(STEP_SECONDS) * _SCORED_SEEDS
    scored = _scoring(_CELLS * checkpoints, _IMAGES, _RULES)
    costs = {
        "one-shot": _training(_every(12 * _SPACES * _PUBLISHED_EPOCHS)),
        "regularisation": _training(_every(11 * searches * _PUBLISHED_EPOCHS)),
        "learning-rate": _training(_every(3 * searches * _PUBLISHED_EPOCHS)),
        "epochs": _training(_every(searches * (25 + 50 + 100))),
        "warm-start": _training(_every(2 * searches * _PUBLISHED_EPOCHS)),
        "correlation": Cost(
            scored / _CORES,
            "cells scored per second by one thread in a supernet of 3 cells, three times that",
            scored / _GPU_FACTOR,
        ),
        "random-policy": Cost(_RANDOM_POLICY, "as with the quick preset"),
        "black-box": _black_box(500),
        "evolution": Cost(_QUICK_EVOLUTION * 500 / _QUICK_EVOLUTION_SEEDS, f"{_LOADED}, by seeds"),
    }
    for method in _FIRST_ORDER:
        costs[f"tuning-{method.replace('_', '-')}"] = _training({method: _SWEEP_EPOCHS})
    return costs


def _black_box(seeds: int) -> Cost:
    """Eight methods on three spaces, from the time of their suggestions."""
    runs = 8 * _SPACES * seeds
    seconds = SUGGESTION_SECONDS * _EVALUATIONS * _SPACES * seeds / _CORES
    seconds += runs * RAY_SECONDS / _RUNS_THROUGH_RAY
    return Cost(seconds, "suggestions and runs through Ray measured apart on an idle machine")


def cost(study: str, preset: str) -> Cost:
    """What is known of the time of a study."""
    return (_paper() if preset == "paper" else _quick())[study]


def seconds_here(names: Iterable[str], preset: str, cores: int) -> float:
    """Seconds of several studies one after another on this machine.

    Measured wall seconds, scaled by the number of cores in proportion (a core of another kind
    takes another time).
    """
    return sum(cost(name, preset).seconds * _CORES / cores for name in names)


def gpu_seconds(names: Iterable[str], preset: str) -> float | None:
    """Seconds on one GPU of the parts that use it, see `GPU_BASIS`; None if none does."""
    using = [name for name in names if "device" in STUDIES[name].takes]
    if not using:
        return None
    return sum(cost(name, preset).gpu_seconds or 0.0 for name in using)
