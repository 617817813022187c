"""SMAC's race: challengers must beat the incumbent on the same seeds, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from raynas.optimizers._base import Vector

EXTRA = -1
"""Slot of a run outside the race: nothing new was left to try."""


class Race:
    """Aggressive racing as of SMAC 2.x (its `Intensifier`, one objective, no instances).

    Every configuration has `max_calls` slots, which stand for the seeds of a noisy target. The
    incumbent gets one more slot for each challenger that starts. A challenger runs on 1, 2, 4, ...
    of the incumbent's slots; it is rejected for good as soon as its mean is not below the
    incumbent's mean on the same slots, and replaces it when it has all the incumbent's slots.
    A challenger with a failed run is rejected.

    Args:
        max_calls: most runs per configuration.
        challenger: returns a configuration that never ran, or None if none is left.
        sample: returns a random configuration.
        rng: random stream that orders the slots.
    """

    def __init__(
        self,
        max_calls: int,
        challenger: Callable[[], Vector | None],
        sample: Callable[[], Vector],
        rng: np.random.Generator,
    ) -> None:
        self.max_calls = max_calls
        self.incumbent: Vector | None = None
        self.rejected: set[Vector] = set()
        self.costs: dict[Vector, dict[int, float]] = {}
        self._challenger, self._sample = challenger, sample
        self._rng = rng
        self._running: dict[Vector, set[int]] = {}
        self._queue: list[tuple[Vector, int]] = []
        self._runs = self._schedule()

    def next_run(self) -> tuple[Vector, int]:
        """The next configuration to run and its slot."""
        vector, slot = next(self._runs)
        if slot != EXTRA:
            self._running.setdefault(vector, set()).add(slot)
        return vector, slot

    def register(self, vector: Vector, slot: int, cost: float, *, failed: bool = False) -> None:
        """A run has ended.

        Args:
            vector: configuration that ran.
            slot: slot that it ran on.
            cost: its cost; of a failed run, what the failure counts as.
            failed: whether it failed.
        """
        if slot == EXTRA:
            return
        self._running[vector].discard(slot)
        if not self._running[vector]:
            del self._running[vector]
        self.costs.setdefault(vector, {})[slot] = cost
        if vector == self.incumbent or vector in self.rejected:
            return
        if failed:
            self.rejected.add(vector)
        else:
            self._compare(vector)

    def _compare(self, vector: Vector) -> None:
        if self.incumbent is None:
            self.incumbent = vector
            return
        own, best = self.costs[vector], self.costs[self.incumbent]
        shared = sorted(own.keys() & best.keys())
        if not shared:
            return
        beaten = np.mean([own[s] for s in shared]) >= np.mean([best[s] for s in shared])
        if beaten:
            self.rejected.add(vector)
        elif len(shared) == len(best):
            self.rejected.add(self.incumbent)
            self.incumbent = vector

    def _schedule(self) -> Iterator[tuple[Vector, int]]:
        while True:
            if all(vector in self._running for vector, _ in self._queue):
                yield from self._incumbent_run()
                challenger = self._challenger()
                if challenger is None:
                    yield self._sample(), EXTRA
                else:
                    self._queue.append((challenger, 1))
            else:
                yield from self._challenger_runs()

    def _incumbent_run(self) -> Iterator[tuple[Vector, int]]:
        best = self.incumbent
        if best is not None and best not in self._running:
            for slot in self._open_slots(best, self.max_calls)[:1]:
                yield best, slot

    def _challenger_runs(self) -> Iterator[tuple[Vector, int]]:
        """The runs of the first challenger in the queue that is not running."""
        entry = next(entry for entry in self._queue if entry[0] not in self._running)
        vector, wanted = entry
        if vector not in self.rejected and vector != self.incumbent:
            for slot in self._open_slots(vector, wanted):
                if vector not in self.rejected:
                    yield vector, slot
            if wanted < self.max_calls and (vector, 2 * wanted) not in self._queue:
                self._queue.append((vector, 2 * wanted))
        self._queue.remove(entry)

    def _open_slots(self, vector: Vector, wanted: int) -> list[int]:
        """Slots on which the configuration may still run, in random order, to have `wanted`."""
        allowed = set(range(self.max_calls))
        if self.incumbent not in (None, vector):
            allowed = set(self.costs[self.incumbent])
        taken = allowed & (self.costs.get(vector, {}).keys() | self._running.get(vector, set()))
        missing = sorted(allowed - taken)
        order = self._rng.permutation(len(missing)).tolist()
        return [missing[i] for i in order][: max(0, wanted - len(taken))]
