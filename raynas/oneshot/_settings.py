"""What can be set in every one-shot search, with the published values."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from search_spaces.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

Flavour = Literal["corrected", "published"]
Statistics = Literal["batch", "running", "recalibrated"]
Precision = Literal["float32", "bf16"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "flavour": ("corrected", "published"),
    "statistics": ("batch", "running", "recalibrated"),
    "precision": ("float32", "bf16"),
}
_AT_LEAST_ONE = ("epochs", "batch_size", "channels", "cells", "calibration_batches")
_POSITIVE = ("learning_rate", "gradient_clip")


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """Settings of a search; methods add theirs and change some values.

    Unless it says otherwise, a value is what NAS-Bench-1Shot1's scripts use for DARTS, GDAS and
    PC-DARTS (Zela et al. 2020), which are those of Liu et al. 2019 but for the batch size.

    Attributes:
        channels: width of the first stack of cells.
        cells: number of cells.
        flavour: "published": pooling with padding and normalisation momentum as released;
            "corrected": as NAS-Bench-101 means them.
        statistics: how an evaluated network normalises: by each "batch", by the "running" means of
            the search, or by means "recalibrated" on training images; None: as the flavour does,
            "batch" where it is corrected and "running" as published.
        calibration_batches: how many batches of the training half these means are taken of.
        epochs: length of the search (50 for DARTS; the scripts of GDAS and PC-DARTS used 100).
        batch_size: images per step, for weights and architecture alike, and when evaluating.
        learning_rate: of the weights in the first epoch.
        learning_rate_min: the value that the cosine would reach after the last epoch.
        momentum: of SGD on the weights.
        weight_decay: of the weights.
        gradient_clip: largest norm of the weights' gradient.
        crop_padding: pixels by which training images move at most; None: an eighth of their side
            (4 of 32, 1 of 8).
        cutout_length: side of the square cut out; None: half of the image's (16 of 32).
        cutout_probability: share of training images with a cut.
        cutout_ramp: let the probability rise linearly from 0 in the first epoch to its value in
            the last, as the DARTS script did; the other scripts did not.
        precision: of convolutions and activations; weights and sums are always float32.
    """

    channels: int = 16
    cells: int = 9
    flavour: Flavour = "corrected"
    statistics: Statistics | None = None
    calibration_batches: int = 10
    epochs: int = 50
    batch_size: int = 96
    learning_rate: float = 0.025
    learning_rate_min: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 3e-4
    gradient_clip: float = 5.0
    crop_padding: int | None = None
    cutout_length: int | None = None
    cutout_probability: float = 0.0
    cutout_ramp: bool = False
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        for name, valid in self.choices().items():
            value = getattr(self, name)
            known = value in valid or (name == "statistics" and value is None)
            self._require(known, name, f"valid are: {', '.join(valid)}")
        for name in _AT_LEAST_ONE:
            self._require(getattr(self, name) >= 1, name, "must be at least 1")
        self._require_positive(*_POSITIVE)
        self._require(0 <= self.cutout_probability <= 1, "cutout_probability", "must be in 0..1")
        self._require(0 <= self.momentum < 1, "momentum", "must be in [0, 1)")
        self._require(math.isfinite(self.learning_rate), "learning_rate", "must be finite")
        # A rate drawn on a logarithmic scale misses its lower bound by rounding.
        self._require(
            0 <= self.learning_rate_min <= self.learning_rate * (1 + 1e-9),
            "learning_rate_min",
            f"must be at least 0 and at most learning_rate = {self.learning_rate!r}",
        )
        self._require_not_negative("weight_decay")

    @classmethod
    def choices(cls) -> dict[str, tuple[str, ...]]:
        """The valid values of settings that name something."""
        return _CHOICES

    def as_dict(self) -> dict[str, Any]:
        """All values by name."""
        return asdict(self)

    def _require_positive(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            self._require(value is None or value > 0, name, "must be positive")

    def _require_not_negative(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            right = value >= 0 and math.isfinite(value)
            self._require(right, name, "must be finite and not negative")

    def _require(self, right: bool, name: str, rule: str) -> None:
        if not right:
            raise UserError(f"{name} = {getattr(self, name)!r}: {rule}", exit_code=2)


@dataclass(frozen=True, kw_only=True)
class GradientSettings(SearchSettings):
    """Settings of the methods that have architecture parameters; values as in `SearchSettings`.

    Attributes:
        warm_start_epochs: epochs at the beginning in which the architecture does not move (20 in
            the warm-start studies).
        arch_learning_rate: of Adam on the architecture parameters.
        arch_weight_decay: of the architecture parameters.
        arch_betas: of Adam.
        arch_gradient_clip: largest norm of the architecture gradient; None: any.
    """

    warm_start_epochs: int = 0
    arch_learning_rate: float = 3e-4
    arch_weight_decay: float = 1e-3
    arch_betas: tuple[float, float] = (0.5, 0.999)
    arch_gradient_clip: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_positive("arch_learning_rate", "arch_gradient_clip")
        self._require_not_negative("arch_weight_decay")
        betas = self.arch_betas
        right = len(betas) == 2 and all(0 <= beta < 1 for beta in betas)
        self._require(right, "arch_betas", "must be two numbers in [0, 1)")
        self._require(
            0 <= self.warm_start_epochs < self.epochs,
            "warm_start_epochs",
            f"must leave something of the {self.epochs} epochs",
        )


def cast(images: Tensor, precision: Precision) -> Tensor:
    """The images in the precision in which the network is to compute."""
    return images.bfloat16() if precision == "bf16" else images


def make_settings(kind: type[SearchSettings], values: dict[str, Any]) -> SearchSettings:
    """Settings with some values changed.

    Raises:
        UserError: a name or a value is not valid; it lists the valid ones.
    """
    names = [field.name for field in fields(kind)]
    for name in values:
        if name not in names:
            raise UserError(f"unknown setting {name!r}; valid are: {', '.join(names)}", exit_code=2)
    return kind(**values)
