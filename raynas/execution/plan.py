"""What a study runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from raynas.execution.log import Run
from raynas.execution.search_plan import SearchPlan
from raynas.execution.simulation import Limits
from search_spaces.errors import UserError, unknown_name

REPEAT_RULES = ("seeded", "mean", "0", "1", "2")


@dataclass(frozen=True)
class Plan:
    """Every method on every space with every seed, under the same limits.

    Attributes:
        spaces: names that `load_space` knows.
        methods: names that `make_optimizer` knows, and those of `searches`, in the order of the
            tables to come.
        seeds: one run of each black-box method each.
        evaluations: full trainings a run may spend; 108 epochs each, for every method.
        budget_seconds: simulated seconds a run may last; None for no such limit.
        repeat: which training repeat an evaluation sees: "seeded" (drawn), "mean", "0", "1", "2".
        workers: simulated asynchronous workers of a run.
        seed: root of the study's seed tree.
        benchmark: the benchmark file.
        sha256: checksum of its content, as the file's header records it.
        searches: one-shot searches; None for none.
    """

    spaces: tuple[str, ...]
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    evaluations: int
    benchmark: Path
    sha256: str
    budget_seconds: float | None = None
    repeat: str = "seeded"
    workers: int = 1
    seed: int = 0
    searches: SearchPlan | None = None

    def __post_init__(self) -> None:
        if self.repeat not in REPEAT_RULES:
            raise unknown_name("repeat", self.repeat, list(REPEAT_RULES))
        for name in ("evaluations", "workers", "budget_seconds"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise UserError(f"{name} must be greater than 0, not {value}", exit_code=2)
        for name in ("spaces", "methods", "seeds"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise UserError(
                    f"{name} must be different and at least one, not {values}", exit_code=2
                )
        if self.seed < 0 or min(self.seeds) < 0:
            raise UserError("seeds must not be negative", exit_code=2)

        lost = [name for name in self.searched if name not in self.methods]
        if lost:
            raise UserError(f"searches of {', '.join(lost)} that are not among the methods")

    @property
    def searched(self) -> tuple[str, ...]:
        """Names of the one-shot methods."""
        return () if self.searches is None else self.searches.methods

    @property
    def black_box(self) -> tuple[str, ...]:
        """Names of the other methods."""
        return tuple(name for name in self.methods if name not in self.searched)

    def pairs(self) -> list[tuple[str, str]]:
        """Every method and space that have runs, by space."""
        return [
            (method, space)
            for space in self.spaces
            for method in self.methods
            if method in self.black_box or (self.searches and space in self.searches.spaces)
        ]

    def runs(self) -> list[Run]:
        """Every run."""
        table = [(m, s, n) for m in self.black_box for s in self.spaces for n in self.seeds]
        return table + ([] if self.searches is None else self.searches.runs())

    @property
    def limits(self) -> Limits:
        """When each run ends."""
        return Limits(self.evaluations, self.budget_seconds, self.workers)
