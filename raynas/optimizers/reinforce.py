"""REINFORCE: one categorical policy per choice, followed uphill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raynas.optimizers._base import (
    FULL_BUDGET,
    MAX_REJECTIONS,
    Optimizer,
    Proposal,
    Vector,
    is_valid,
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReinforceSettings:
    """Settings of REINFORCE; defaults of Zela et al. 2020 (as Ying et al. 2019).

    Attributes:
        learning_rate: step size of plain gradient ascent on the logits.
        baseline_momentum: of the exponential moving average of the rewards.
        epochs: training epochs of each evaluation.
    """

    learning_rate: float = 0.1
    baseline_momentum: float = 0.9
    epochs: int = FULL_BUDGET


class MovingAverage:
    """Exponential moving average without the bias towards its start at zero."""

    def __init__(self, momentum: float) -> None:
        self.momentum = momentum
        self._sum = 0.0
        self._weight = 0.0

    def update(self, value: float) -> float:
        """Take in a value and return the new average."""
        self._sum = self.momentum * self._sum + (1 - self.momentum) * value
        self._weight = self.momentum * self._weight + (1 - self.momentum)
        return self._sum / self._weight


class Reinforce(Optimizer):
    """Policy gradient with a baseline (Williams 1992).

    The reward is the validation accuracy. The gradient is taken at the logits of the moment when
    the reward arrives, which with one pending proposal are those that it was drawn from. A failed
    evaluation earns the worst reward seen so far, and is ignored before the first reward.
    """

    name: ClassVar[str] = "reinforce"
    settings_type = ReinforceSettings
    settings: ReinforceSettings

    def _start(self) -> None:
        self.logits: list[Floats] = [np.zeros(n) for n in self.domain.cardinalities]
        self._baseline = MovingAverage(self.settings.baseline_momentum)
        self._worst_reward: float | None = None

    def _propose(self, number: int) -> tuple[Vector, int]:  # noqa: ARG002
        for _ in range(MAX_REJECTIONS):
            vector = self._draw()
            if is_valid(self.domain, vector):
                return vector, self.settings.epochs
        return self._random_vector(), self.settings.epochs

    def _draw(self) -> Vector:
        uniform = self._rng.random(len(self.logits)).tolist()
        return tuple(
            min(int(np.searchsorted(np.cumsum(softmax(logits)), u, side="right")), len(logits) - 1)
            for logits, u in zip(self.logits, uniform, strict=True)
        )

    def _learn(self, proposal: Proposal, error: float | None) -> None:
        reward = self._worst_reward if error is None else 1.0 - error
        if reward is None:
            return
        worst = self._worst_reward
        self._worst_reward = reward if worst is None else min(worst, reward)
        advantage = reward - self._baseline.update(reward)
        for logits, gradient in zip(
            self.logits, log_probability_gradient(self.logits, proposal.vector), strict=True
        ):
            logits += self.settings.learning_rate * advantage * gradient


def softmax(logits: Floats) -> Floats:
    """Probabilities of the options."""
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum())


def log_probability_gradient(logits: list[Floats], vector: Vector) -> list[Floats]:
    """Gradient of the log-probability of a vector by the logits: one-hot minus softmax."""
    gradients = [-softmax(choice) for choice in logits]
    for gradient, option in zip(gradients, vector, strict=True):
        gradient[option] += 1.0
    return gradients
