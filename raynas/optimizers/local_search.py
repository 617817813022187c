"""Local search: look at every neighbour, move to the best, start again at a local optimum."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

from raynas.optimizers._base import FULL_BUDGET, Optimizer, Proposal, Vector, as_vector


@dataclass(frozen=True, slots=True)
class LocalSearchSettings:
    """Settings of local search.

    Attributes:
        whole_neighbourhood: evaluate all neighbours before moving to the best of them (White et
            al. 2021, algorithm 1); otherwise move to the first better one.
        epochs: training epochs of each evaluation.
    """

    whole_neighbourhood: bool = True
    epochs: int = FULL_BUDGET


@dataclass(slots=True, eq=False)
class Climb:
    """One hill climb: where it stands, and what it still has to look at."""

    vector: Vector
    error: float = math.inf
    best: tuple[float, Vector] | None = None
    unseen: list[Vector] = field(default_factory=list)
    pending: int = 0
    started: bool = False


class LocalSearch(Optimizer):
    """Hill climbing with random restarts (White, Nolen and Savani 2021, algorithm 1).

    Neighbours whose error is known already are compared, but not proposed again.
    While all neighbours of a climb are pending, another climb starts, so no worker waits; older
    climbs go first. A failed evaluation counts as infinitely bad: a failed start restarts.
    """

    name: ClassVar[str] = "ls"
    settings_type = LocalSearchSettings
    settings: LocalSearchSettings

    def _start(self) -> None:
        self.climbs: list[Climb] = []
        self.restarts = 0
        self._known: dict[Vector, float] = {}
        self._owner: dict[int, Climb] = {}

    def _propose(self, number: int) -> tuple[Vector, int]:
        climb = next((climb for climb in self.climbs if climb.unseen), None)
        if climb is None:
            climb = Climb(self._random_vector())
            self.climbs.append(climb)
            self.restarts += 1
            vector = climb.vector
        else:
            vector = climb.unseen.pop()
        climb.pending += 1
        self._owner[number] = climb
        return vector, self.settings.epochs

    def _learn(self, proposal: Proposal, error: float | None) -> None:
        seen = math.inf if error is None else error
        self._known[proposal.vector] = seen
        climb = self._owner.pop(proposal.number)
        climb.pending -= 1
        if not climb.started:
            climb.started, climb.error = True, seen
            self._look_around(climb)
        else:
            self._compare(climb, proposal.vector, seen)
        self._advance(climb)

    def _look_around(self, climb: Climb) -> None:
        """Queue the unknown neighbours in random order; compare with the known ones at once."""
        climb.unseen, climb.best = [], None
        if math.isinf(climb.error):
            return
        neighbours = self.domain.neighbours(climb.vector)
        for row in self._rng.permutation(neighbours):
            vector = as_vector(row)
            if vector in self._known:
                self._compare(climb, vector, self._known[vector])
            else:
                climb.unseen.append(vector)

    def _compare(self, climb: Climb, vector: Vector, error: float) -> None:
        if error < (climb.error if climb.best is None else climb.best[0]):
            climb.best = (error, vector)

    def _advance(self, climb: Climb) -> None:
        """Move while the rule allows it; end the climb at a local optimum."""
        while True:
            scanned = not climb.unseen and not climb.pending
            eager = not self.settings.whole_neighbourhood
            if climb.best is not None and (scanned or eager):
                climb.error, climb.vector = climb.best
                self._look_around(climb)
            elif scanned:
                self.climbs.remove(climb)
                return
            else:
                return
