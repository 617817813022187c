"""Regularized evolution: tournaments among the youngest, and the oldest dies."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import ClassVar

from raynas.optimizers._base import FULL_BUDGET, Optimizer, Proposal, Vector, as_vector


@dataclass(frozen=True, slots=True)
class RegularizedEvolutionSettings:
    """Settings of regularized evolution; defaults of Zela et al. 2020 (as Ying et al. 2019).

    Attributes:
        population_size: how many individuals are alive; this many are sampled at random first.
        tournament_size: how many of them compete to be the parent, drawn with replacement.
        epochs: training epochs of each evaluation.
    """

    population_size: int = 100
    tournament_size: int = 10
    epochs: int = FULL_BUDGET


class RegularizedEvolution(Optimizer):
    """Aging evolution (Real et al. 2019, algorithm 1).

    Age counts in order of completion, so with several workers the population holds the
    `population_size` most recently finished individuals. A failed individual is never born: while
    the population is filled another random one takes its place, later the cycle is lost.
    """

    name: ClassVar[str] = "re"
    settings_type = RegularizedEvolutionSettings
    settings: RegularizedEvolutionSettings

    def _start(self) -> None:
        self.population: deque[tuple[Vector, float]] = deque(maxlen=self.settings.population_size)

    def _propose(self, number: int) -> tuple[Vector, int]:  # noqa: ARG002
        expected = len(self.population) + len(self.pending)
        if not self.population or expected < self.settings.population_size:
            return self._random_vector(), self.settings.epochs
        child = self.domain.mutate(self._rng, self._parent())
        return as_vector(child), self.settings.epochs

    def _parent(self) -> Vector:
        """The best of a random sample of the living, the first drawn among equals."""
        drawn = self._rng.integers(len(self.population), size=self.settings.tournament_size)
        contestants = [self.population[i] for i in drawn.tolist()]
        return min(contestants, key=lambda individual: individual[1])[0]

    def _learn(self, proposal: Proposal, error: float | None) -> None:
        if error is not None:
            self.population.append((proposal.vector, error))
