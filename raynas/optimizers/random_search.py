"""Random search: every proposal is a fresh uniform sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from raynas.optimizers._base import FULL_BUDGET, Optimizer, Proposal, Vector


@dataclass(frozen=True, slots=True)
class RandomSearchSettings:
    """Settings of random search.

    Attributes:
        epochs: training epochs of each evaluation.
    """

    epochs: int = FULL_BUDGET


class RandomSearch(Optimizer):
    """Uniform samples with replacement (Bergstra and Bengio 2012).

    Failed evaluations change nothing, like all others.
    """

    name: ClassVar[str] = "rs"
    settings_type = RandomSearchSettings
    settings: RandomSearchSettings

    def _propose(self, number: int) -> tuple[Vector, int]:  # noqa: ARG002
        return self._random_vector(), self.settings.epochs

    def _learn(self, proposal: Proposal, error: float | None) -> None:
        pass
