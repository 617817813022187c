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
        seconds: wall time on the measured machine; None if nothing was measured to tell it by.
        basis: what was measured and how it was scaled.
        gpu_seconds: on one GPU; None if not measured.
        gpu_basis: likewise.
    """

    seconds: float | None
    basis: str
    gpu_seconds: float | None = None
    gpu_basis: str = "not measured"


#: CPU seconds of a training step, one thread: batch 96 of 32x32, 16 channels, 9 cells, space 3.
STEP_SECONDS = {
    "darts": 4.658,
    "darts2": 12.114,
    "gdas": 3.088,
    "pc_darts": 3.288,
    "random_ws": 0.659,
}
#: Architecture and weight steps of an epoch with 20,000 images in each half.
STEPS = 208
_SPACES, _PUBLISHED_EPOCHS = 3, 50
_SWEEP_EPOCHS = 17_100
#: An estimate, not a measurement: launches of small kernels bound a first-order step on a GPU.
_GPU_EPOCH = 7.0

#: CPU seconds of a suggestion with its look-up on an idle machine, all eight methods together.
_SUGGESTIONS = 0.0175
#: Of the two cheapest, which is less than what Ray takes: 200 runs took 9.6 s.
_RUN_THROUGH_RAY = 9.6 / 200
_EVALUATIONS = 280

_LOADED = "measured once while several times as many processes as cores were busy"
#: Quick preset: wall seconds with the commands of `raynas.artefacts.commands`.
_QUICK: dict[str, Cost] = {
    "one-shot": Cost(518.0, _LOADED),
    "learning-rate": Cost(1118.0, _LOADED),
}


def _black_box(seeds: int) -> Cost:
    """Eight methods on three spaces, from the time of their suggestions."""
    runs = 8 * _SPACES * seeds
    seconds = _SUGGESTIONS * _EVALUATIONS * _SPACES * seeds / _CORES + runs * _RUN_THROUGH_RAY
    return Cost(seconds, "suggestions and runs through Ray measured apart", None, "needs no GPU")


def _evolution(seeds: int) -> Cost:
    return Cost(
        2 * _SPACES * seeds * _RUN_THROUGH_RAY,
        "200 runs through Ray measured",
        None,
        "needs no GPU",
    )


def _training(epochs: dict[str, float]) -> Cost:
    """Searches of so many epochs by method, at the published size, on the measured machine."""
    seconds = sum(STEP_SECONDS[method] * STEPS * count for method, count in epochs.items())
    basis = "training steps measured one by one, without evaluations, all cores busy"
    return Cost(seconds / _CORES, basis)


def _every(epochs: float) -> dict[str, float]:
    return dict.fromkeys(STEP_SECONDS, epochs)


def _paper() -> dict[str, Cost]:
    searches = 6 * _SPACES
    costs = {
        "one-shot": _training(_every(12 * _SPACES * _PUBLISHED_EPOCHS)),
        "regularisation": _training(_every(11 * searches * _PUBLISHED_EPOCHS)),
        "learning-rate": _training(_every(3 * searches * _PUBLISHED_EPOCHS)),
        "epochs": _training(_every(searches * (25 + 50 + 100))),
        "warm-start": _training(_every(2 * searches * _PUBLISHED_EPOCHS)),
        "correlation": Cost(None, "not measured"),
    }
    for method in ("darts", "gdas", "pc_darts"):
        costs[f"tuning-{method.replace('_', '-')}"] = _training({method: _SWEEP_EPOCHS})
    darts = costs["tuning-darts"]
    costs["tuning-darts"] = Cost(
        darts.seconds,
        darts.basis,
        _SWEEP_EPOCHS * _GPU_EPOCH,
        f"an estimate: {_SWEEP_EPOCHS:,} epochs, each {_GPU_EPOCH:g} s if kernel launches bound it",
    )
    return costs


def cost(study: str, preset: str) -> Cost:
    """What is known of the time of a study."""
    paper = preset == "paper"
    known = (_paper() if paper else _QUICK) | {
        "black-box": _black_box(500 if paper else 20),
        "evolution": _evolution(500 if paper else 200),
    }
    return known.get(study, Cost(None, "not measured"))


def seconds_here(names: Iterable[str], preset: str, cores: int) -> float | None:
    """Seconds of several studies one after another on this machine; None if not all are known.

    Measured wall seconds, scaled by the number of cores in proportion (a core of another kind
    takes another time).
    """
    total = 0.0
    for name in names:
        known = cost(name, preset).seconds
        if known is None:
            return None
        total += known * _CORES / cores
    return total


def gpu_seconds(names: Iterable[str], preset: str) -> tuple[float | None, str]:
    """Seconds on one GPU and what they rest on; None if not all are known."""
    studies = [STUDIES[name] for name in names]
    using = [study.name for study in studies if "device" in study.takes]
    if not using:
        return None, "needs no GPU"
    costs = [cost(name, preset) for name in using]
    if any(each.gpu_seconds is None for each in costs):
        return None, "not measured"
    return sum(each.gpu_seconds or 0.0 for each in costs), costs[0].gpu_basis
