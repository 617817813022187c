"""What a sweep is asked to do: everything that its table depends on beside space and objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

from raynas.optimizers.brackets import bracket, geometric_budgets, total_evaluations
from search_spaces.errors import UserError, unknown_name

ALGORITHMS = ("bohb", "hyperband", "asha", "random")
"""Names of the algorithms."""


@dataclass(frozen=True)
class SweepSettings:
    """Settings of a sweep; defaults of Zela et al. 2020.

    Attributes:
        algorithm: one of `ALGORITHMS`.
        min_epochs: the smallest budget is not below this.
        max_epochs: the largest budget.
        eta: one in eta configurations is promoted; each budget is eta times the one below.
        iterations: number of brackets. ASHA and random search, which have none, may spend as many
            epochs as these brackets have, every evaluation counted in full.
        seed: root of all random streams.
        concurrent: how many evaluations may be under way at once. A proposal knows the results of
            those that would have ended by then on so many workers of equal speed, however fast
            the real ones are, so a sweep does not depend on the machines that it runs on. Twice
            as many as there are real workers keep these busy where durations vary.
        restart: train a promoted configuration anew instead of continuing.
    """

    algorithm: str = "bohb"
    min_epochs: int = 25
    max_epochs: int = 100
    eta: int = 2
    iterations: int = 64
    seed: int = 0
    concurrent: int = 16
    restart: bool = False

    def __post_init__(self) -> None:
        """Refuse what makes no sweep.

        Raises:
            UserError: an unknown algorithm, budgets out of order, or a number out of range.
        """
        if self.algorithm not in ALGORITHMS:
            raise unknown_name("algorithm", self.algorithm, list(ALGORITHMS))
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value < least:
                option = f"--{name.replace('_', '-')}"
                raise UserError(f"{option} {value} is too small; give {least} or more", exit_code=2)
        if self.min_epochs > self.max_epochs:
            raise UserError(
                f"budgets out of order: --min-epochs {self.min_epochs} is above --max-epochs "
                f"{self.max_epochs}; exchange them",
                exit_code=2,
            )

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> SweepSettings:
        """The settings in the arguments of a manifest, which may hold others, too."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: arguments[name] for name in names if name in arguments})

    def to_arguments(self) -> dict[str, Any]:
        """What a manifest records."""
        return asdict(self)

    @cached_property
    def budgets(self) -> tuple[int, ...]:
        """All budgets, rising: 25, 50 and 100 epochs by default."""
        return geometric_budgets(self.min_epochs, self.max_epochs, self.eta)

    @cached_property
    def planned_epochs(self) -> int:
        """Sum of the budgets of all evaluations, each counted in full: 17,100 by default."""
        cycle = [bracket(i, self.budgets, self.eta).cost for i in range(len(self.budgets))]
        whole, rest = divmod(self.iterations, len(cycle))
        return whole * sum(cycle) + sum(cycle[:rest])

    @property
    def planned_evaluations(self) -> int | None:
        """How many evaluations there will be; None if that depends on the results (ASHA)."""
        if self.algorithm == "random":
            return self.planned_epochs // self.max_epochs
        if self.algorithm == "asha":
            return None
        return total_evaluations(self.iterations, self.budgets, self.eta)


_LEAST = {"min_epochs": 1, "eta": 2, "iterations": 1, "seed": 0, "concurrent": 1}
