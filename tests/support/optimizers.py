"""Small optimizers for tests of what drives optimizers."""

from __future__ import annotations

import numpy as np

from raynas.optimizers import Evaluation, Proposal
from search_spaces.space import Space


class ToyOptimizer:
    """Proposes at random, near the best it was told; its proposals depend on the order of tells.

    Args:
        space: where to search.
        seed: of its proposals.
        epochs: the budgets that it takes in turn.
        patience: proposals that may be pending before `ask` answers None.
        fails_at: the proposal number at which `ask` raises; None for never.
    """

    def __init__(
        self,
        space: Space,
        seed: int = 0,
        epochs: tuple[int, ...] = (108,),
        patience: int | None = None,
        fails_at: int | None = None,
    ) -> None:
        self.space, self.epochs, self.patience, self.fails_at = space, epochs, patience, fails_at
        self.rng = np.random.default_rng(seed)
        self.best: tuple[float, tuple[int, ...]] | None = None
        self.asked = self.told = self.most_pending = 0

    def ask(self) -> Proposal | None:
        if self.asked == self.fails_at:
            raise ValueError("the model\nbroke")
        if self.patience is not None and self.asked - self.told >= self.patience:
            return None
        vector = self.space.sample(self.rng, 1)[0]
        if self.best is not None and self.rng.random() < 0.5:
            vector = self.space.mutate(self.rng, self.best[1])
        number, self.asked = self.asked, self.asked + 1
        self.most_pending = max(self.most_pending, self.asked - self.told)
        return Proposal(number, tuple(vector.tolist()), self.epochs[number % len(self.epochs)])

    def tell(self, evaluation: Evaluation) -> None:
        self.told += 1
        found = (evaluation.error, evaluation.proposal.vector)
        if evaluation.error is not None and (self.best is None or found < self.best):
            self.best = found
