"""What can be set when a cell is trained, with the values of NAS-Bench-101."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from search_spaces.errors import UserError

PRECISIONS = ("float32", "bf16")
_AT_LEAST_ONE = ("channels", "epochs", "batch_size")
_POSITIVE = ("learning_rate", "epsilon")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Settings of a training; the defaults are those of NAS-Bench-101's program.

    Ying et al., "NAS-Bench-101", ICML 2019, and the configuration in its repository.

    Attributes:
        channels: width of the stem and of the first stack.
        epochs: length of the training; the learning rate falls to 0 over it.
        batch_size: images per step.
        learning_rate: at the beginning (0.1 on each of two shards, which it sums).
        momentum: of RMSProp.
        decay: share of the old value in RMSProp's mean of squares (TensorFlow's default).
        epsilon: added to that mean.
        weight_decay: of all parameters; its gradient is this times the parameter.
        norm_momentum: weight of the newest batch in the running statistics.
        precision: of convolutions and activations; parameters are always float32.
    """

    channels: int = 128
    epochs: int = 108
    batch_size: int = 256
    learning_rate: float = 0.2
    momentum: float = 0.9
    decay: float = 0.9
    epsilon: float = 1.0
    weight_decay: float = 1e-4
    norm_momentum: float = 0.003
    precision: Literal["float32", "bf16"] = "float32"

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ONE:
            self._require(getattr(self, name) >= 1, name, "must be at least 1")
        for name in _POSITIVE:
            self._require(getattr(self, name) > 0, name, "must be positive")
        for name in ("momentum", "decay"):
            self._require(0 <= getattr(self, name) < 1, name, "must be in [0, 1)")
        self._require(self.weight_decay >= 0, "weight_decay", "must not be negative")
        self._require(0 < self.norm_momentum <= 1, "norm_momentum", "must be in (0, 1]")
        valid = ", ".join(PRECISIONS)
        self._require(self.precision in PRECISIONS, "precision", f"valid are: {valid}")

    def as_dict(self) -> dict[str, Any]:
        """All values by name."""
        return asdict(self)

    def _require(self, right: bool, name: str, rule: str) -> None:
        if not right:
            raise UserError(f"{name} = {getattr(self, name)!r}: {rule}", exit_code=2)


#: About a minute on one core. A few hundred steps are too few for slow running statistics.
_DIGITS = {
    "channels": 16,
    "epochs": 20,
    "batch_size": 64,
    "learning_rate": 0.05,
    "norm_momentum": 0.1,
}


def settings_for(images: str, **values: Any) -> TrainingSettings:
    """NAS-Bench-101's settings, or small ones for scikit-learn's digits.

    Args:
        images: name of an image source.
        values: changes.

    Raises:
        UserError: a value is not valid.
    """
    preset: dict[str, Any] = _DIGITS if images == "digits" else {}
    return TrainingSettings(**preset | values)
