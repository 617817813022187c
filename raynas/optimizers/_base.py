"""What every optimizer is: it proposes architectures and is told their errors."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.uint8]
Vector = tuple[int, ...]

FULL_BUDGET = 108
"""Training epochs of one full evaluation (NAS-Bench-101, Ying et al. 2019)."""

MAX_REJECTIONS = 64
"""How many invalid proposals of a model are thrown away before a random one replaces them."""


class Domain(Protocol):
    """The points that may be proposed: one small integer per choice."""

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Number of options of each choice."""

    def sample(self, rng: np.random.Generator, size: int) -> Vectors:
        """Uniform valid points, shape (size, choices)."""

    def mutate(self, rng: np.random.Generator, vector: Sequence[int] | Vectors) -> Vectors:
        """One random small change of a valid point, shape (choices,); the result is valid."""

    def neighbours(self, vector: Sequence[int] | Vectors) -> Vectors:
        """Every valid point one change away, shape (m, choices)."""

    def valid(self, vectors: Vectors) -> npt.NDArray[np.bool_]:
        """Which rows are points of the domain, shape (n,)."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An architecture that wants to be trained.

    Attributes:
        number: running number of the proposal, from 0.
        vector: one option index per choice.
        epochs: for how many epochs to train it.
    """

    number: int
    vector: Vector
    epochs: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a proposal ended.

    Attributes:
        proposal: what had been proposed.
        error: validation error in [0, 1]; None if the evaluation failed.
    """

    proposal: Proposal
    error: float | None


class Optimizer(ABC):
    """Proposes architectures (`ask`) and learns from their errors (`tell`).

    The state is a function of the seed, the settings and the sequence of `ask` and `tell` calls,
    and of nothing else: replaying the log of an interrupted run restores it exactly. Evaluations
    may be told in any order, and several proposals may be pending.

    Args:
        domain: what may be proposed.
        seed: root of all random streams of this optimizer. A `SeedSequence` is read, not spawned
            from, so the same object may seed several optimizers.
        settings: the method's settings; None for the published defaults.
    """

    name: ClassVar[str]
    settings_type: ClassVar[type[Any]]
    settings: Any

    def __init__(
        self, domain: Domain, seed: int | np.random.SeedSequence, settings: Any | None = None
    ) -> None:
        if settings is None:
            settings = self.settings_type()
        elif not isinstance(settings, self.settings_type):
            expected, given = self.settings_type.__name__, type(settings).__name__
            raise TypeError(f"settings of {self.name!r} must be {expected}, not {given}")
        self.domain = domain
        self.settings = settings
        self.pending: dict[int, Proposal] = {}
        self._asked = 0
        self._seeds = _copy_of(seed)
        self._rng = np.random.default_rng(self._seeds.spawn(1)[0])
        self._start()

    @classmethod
    def noise_free_settings(cls) -> Any:
        """The default settings where evaluating an architecture again gives the same error."""
        return cls.settings_type()

    def ask(self) -> Proposal | None:
        """The next proposal; None if nothing can be proposed before a pending one is told."""
        choice = self._propose(self._asked)
        if choice is None:
            return None
        vector, epochs = choice
        proposal = Proposal(self._asked, vector, epochs)
        self.pending[proposal.number] = proposal
        self._asked += 1
        return proposal

    def tell(self, evaluation: Evaluation) -> None:
        """Learn how a pending proposal ended.

        Raises:
            ValueError: the proposal is not pending (never asked, or told before), or the error is
                not a finite number.
        """
        proposal = evaluation.proposal
        if self.pending.get(proposal.number) != proposal:
            raise ValueError(f"{proposal} is not pending")
        if evaluation.error is not None and not math.isfinite(evaluation.error):
            raise ValueError(f"error {evaluation.error} of {proposal} is not finite; failed = None")
        del self.pending[proposal.number]
        self._learn(proposal, evaluation.error)

    def _start(self) -> None:  # noqa: B027
        """Set up the method's own state; domain, settings and random streams are there."""

    @abstractmethod
    def _propose(self, number: int) -> tuple[Vector, int] | None:
        """Vector and epochs of the proposal with this number."""

    @abstractmethod
    def _learn(self, proposal: Proposal, error: float | None) -> None:
        """Take in the end of a proposal that is no longer pending."""

    def _random_vector(self) -> Vector:
        return as_vector(self.domain.sample(self._rng, 1)[0])

    def _integer_seed(self) -> int:
        """A fresh 32-bit seed, for a library that takes integers only."""
        return int(self._seeds.spawn(1)[0].generate_state(1)[0])


def as_vector(row: npt.NDArray[Any]) -> Vector:
    """The row as a tuple of Python integers."""
    return tuple(row.tolist())


def is_valid(domain: Domain, vector: Vector) -> bool:
    """Whether one vector is a point of the domain."""
    return bool(domain.valid(np.asarray([vector], dtype=np.uint8))[0])


def _copy_of(seed: int | np.random.SeedSequence) -> np.random.SeedSequence:
    if isinstance(seed, np.random.SeedSequence):
        return np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key)
    return np.random.SeedSequence(seed)
