"""SMAC in array code: a random forest, expected improvement, and a race for the incumbent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from raynas.optimizers._acquisition import MaximizerSettings, expected_improvement, maximize
from raynas.optimizers._base import (
    FULL_BUDGET,
    MAX_REJECTIONS,
    Optimizer,
    Proposal,
    Vector,
    Vectors,
    as_vector,
)
from raynas.optimizers._racing import Race
from raynas.optimizers._random_forest import ForestSettings, RandomForest


@dataclass(frozen=True, slots=True)
class SmacSettings:
    """Settings of SMAC; defaults of Zela et al. 2020, the rest as in SMAC's own facade.

    Attributes:
        random_fraction: share of challengers drawn uniformly.
        max_config_calls: most evaluations of one configuration; 1 for a deterministic target.
        retrain_after: challengers per fit of the forest (1 in Zela et al. 2020; the `smac`
            package's default is 8).
        forest: shape of the forest.
        maximizer: effort of the search for the largest expected improvement.
        epochs: training epochs of each evaluation.
    """

    random_fraction: float = 0.33
    max_config_calls: int = 4
    retrain_after: int = 1
    forest: ForestSettings = field(default_factory=ForestSettings)
    maximizer: MaximizerSettings = field(default_factory=MaximizerSettings)
    epochs: int = FULL_BUDGET


class Smac(Optimizer):
    """Sequential model-based algorithm configuration (Hutter et al. 2011; Lindauer et al. 2022).

    The settings are those of the package's algorithm configuration facade: raw costs, plain
    expected improvement over the lowest predicted mean, one random first configuration, and no
    configuration challenged twice. A failed evaluation counts with the worst cost seen, and as a
    challenger it is out of the race.
    """

    name: ClassVar[str] = "smac"
    settings_type = SmacSettings
    settings: SmacSettings

    @classmethod
    def noise_free_settings(cls) -> SmacSettings:
        """Without a race: there is nothing to learn from evaluating again."""
        return SmacSettings(max_config_calls=1)

    def _start(self) -> None:
        self.forest = RandomForest(self.domain.cardinalities, self.settings.forest)
        self.race = Race(
            self.settings.max_config_calls, self._challenger, self._random_vector, self._rng
        )
        self._observed: list[tuple[Vector, float | None]] = []
        self._fitted = 0
        self._used: set[Vector] = set()
        self._slots: dict[int, int] = {}
        self._challengers = self._select()

    def _propose(self, number: int) -> tuple[Vector, int]:
        vector, self._slots[number] = self.race.next_run()
        return vector, self.settings.epochs

    def _learn(self, proposal: Proposal, error: float | None) -> None:
        self._observed.append((proposal.vector, error))
        cost = self._worst() if error is None else error
        slot = self._slots.pop(proposal.number)
        self.race.register(proposal.vector, slot, cost, failed=error is None)

    def _worst(self) -> float:
        return max((error for _, error in self._observed if error is not None), default=1.0)

    def _challenger(self) -> Vector | None:
        return next(self._challengers)

    def _select(self) -> Iterator[Vector | None]:
        """Challengers without end: uniform ones interleaved with the best by the model."""
        while True:
            ranked: Iterator[Vector] | None = None
            for _ in range(self.settings.retrain_after):
                vector = None
                if self._modelled() and self._rng.random() >= self.settings.random_fraction:
                    ranked = self._by_improvement() if ranked is None else ranked
                    vector = next((v for v in ranked if v not in self._used), None)
                vector = self._unused() if vector is None else vector
                if vector is not None:
                    self._used.add(vector)
                yield vector

    def _modelled(self) -> bool:
        return any(error is not None for _, error in self._observed)

    def _unused(self) -> Vector | None:
        """A uniform vector that was never a challenger; None if 64 draws give none."""
        drawn = map(as_vector, self.domain.sample(self._rng, MAX_REJECTIONS))
        return next((vector for vector in drawn if vector not in self._used), None)

    def _by_improvement(self) -> Iterator[Vector]:
        """Ends of the search for the largest expected improvement, best first."""
        self._fit()
        evaluated = np.array(sorted({vector for vector, _ in self._observed}), dtype=np.uint8)
        mean, _ = self.forest.predict(evaluated)
        promising = np.lexsort((self._rng.random(len(mean)), mean))
        best = float(mean.min())

        def improvement(vectors: Vectors) -> np.ndarray:
            return expected_improvement(*self.forest.predict(vectors), best)

        ends = maximize(
            improvement, self.domain, evaluated[promising], self.settings.maximizer, self._rng
        )
        return map(as_vector, ends)

    def _fit(self) -> None:
        """Grow the forest anew if there is new data."""
        if self._fitted == len(self._observed):
            return
        self._fitted = len(self._observed)
        worst = self._worst()
        vectors = np.array([vector for vector, _ in self._observed], dtype=np.uint8)
        costs = np.array([worst if error is None else error for _, error in self._observed])
        seeds = self._rng.integers(2**31 - 1, size=self.settings.forest.n_trees)
        self.forest.fit(vectors, costs, seeds)
