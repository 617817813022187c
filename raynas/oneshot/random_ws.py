"""Random search with weight sharing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from raynas.images import Pass
from raynas.oneshot._base import OneShotMethod
from raynas.oneshot._evaluation import Evaluator
from raynas.oneshot._settings import SearchSettings
from raynas.supernet.weights import ArchitectureWeights, one_hot
from search_spaces.space import Vectors


@dataclass(frozen=True, kw_only=True)
class RandomWsSettings(SearchSettings):
    """Settings of random search with weight sharing, as in Zela et al. 2020.

    `batch_size` and `gradient_clip` have other values than those of the gradient methods.

    Attributes:
        candidates: random architectures that are evaluated after each epoch.
        candidate_batches: validation batches that each of them sees.
        finalists: how many of the best of them see the whole validation half.
        final_rounds: further rounds after the last epoch; None: one per 10,000 steps of the
            search, at least one.
    """

    batch_size: int = 64
    gradient_clip: float = 0.25
    candidates: int = 1000
    candidate_batches: int = 10
    finalists: int = 5
    final_rounds: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("candidates", "candidate_batches", "finalists"):
            self._require(getattr(self, name) >= 1, name, "must be at least 1")
        rounds = self.final_rounds
        self._require(rounds is None or rounds >= 0, "final_rounds", "must not be negative")


class RandomWs(OneShotMethod):
    """Each step trains one random path; each epoch ends with a tournament of random architectures.

    Li and Talwalkar, "Random Search and Reproducibility for Neural Architecture Search", UAI 2019.
    Architectures are drawn uniformly from all vectors of the space, loose ends included. The
    candidates of a round see the same batches. After the last epoch the winners of the further
    rounds compete with its own.
    """

    name = "random_ws"
    settings_type = RandomWsSettings
    settings: RandomWsSettings

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._paths = self._new_stream()
        self._best: Vectors = self.space.sample(self._paths, 1)[0]

    def start_epoch(self, epoch: int) -> None:  # noqa: ARG002
        """Start a new stream of random paths."""
        self._paths = self._new_stream()

    def mixing_weights(self) -> ArchitectureWeights:
        """A random architecture; nothing else is computed."""
        return self._weights(self.space.sample(self._paths, 1)[0])

    def evaluation_weights(self) -> ArchitectureWeights:
        """The best architecture."""
        return self._weights(self._best)

    def discretise(self) -> Vectors:
        """The winner of the last tournament."""
        return self._best

    def end_epoch(self, epoch: int, evaluator: Evaluator) -> None:
        """Hold a tournament; after the last epoch several."""
        rounds = 1
        if epoch + 1 == self.settings.epochs:
            steps = len(evaluator.images.train) // self.settings.batch_size * (epoch + 1)
            further = self.settings.final_rounds
            rounds += max(1, steps // 10_000) if further is None else further
        winners = [self._round(evaluator) for _ in range(rounds)]
        self._best = max(winners, key=lambda winner: winner[0])[1]

    def _round(self, evaluator: Evaluator) -> tuple[float, Vectors]:
        """Accuracy on the whole validation half, and vector, of the best of new candidates."""
        settings = self.settings
        candidates = self.space.sample(self._new_stream(), settings.candidates)
        few = Pass.draw(evaluator.images.validation, settings.batch_size, self.generator)
        batches = [few[step] for step in range(min(len(few), settings.candidate_batches))]
        first = evaluator.accuracies(candidates, batches)
        finalists = candidates[np.argsort(-first, kind="stable")[: settings.finalists]]
        final = evaluator.accuracies(finalists, evaluator.validation_batches())
        winner = int(final.argmax())
        return float(final[winner]), finalists[winner]

    def _weights(self, vector: Vectors) -> ArchitectureWeights:
        return one_hot(self.space, vector, skip=True, device=self.device)

    def _new_stream(self) -> np.random.Generator:
        return np.random.default_rng(torch.randint(2**62, (4,), generator=self.generator).tolist())

    def state_dict(self) -> dict[str, Any]:
        """See `OneShotMethod.state_dict`."""
        return super().state_dict() | {"best": self._best.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `OneShotMethod.load_state_dict`."""
        super().load_state_dict(state)
        self._best = np.array(state["best"], np.uint8)
