"""Hyperband: successive halving from many cheap starts to a few expensive ones, in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from raynas.optimizers._base import FULL_BUDGET, Optimizer, Proposal, Vector
from raynas.optimizers.brackets import Rounding, bracket, geometric_budgets
from raynas.optimizers.successive_halving import SuccessiveHalving


@dataclass(frozen=True, slots=True)
class HyperbandSettings:
    """Settings of Hyperband; defaults of Zela et al. 2020.

    Attributes:
        min_epochs: smallest budget.
        max_epochs: largest budget.
        eta: one in eta configurations is promoted.
        rounding: how bracket sizes are rounded, see `brackets.first_rung_size`.
    """

    min_epochs: int = 4
    max_epochs: int = FULL_BUDGET
    eta: int = 3
    rounding: Rounding = "hpbandster"


class Hyperband(Optimizer):
    """Hyperband (Li et al. 2018, algorithm 1), with as many brackets open as workers need.

    A proposal comes from the oldest bracket that has one; if all of them wait for pending runs,
    the next bracket starts, so `ask` never returns None (the rule of HpBandSter's master). Every
    budget is a training run of its own. Failed runs are never promoted.
    """

    name: ClassVar[str] = "hb"
    settings_type = HyperbandSettings
    settings: HyperbandSettings

    def _start(self) -> None:
        settings = self.settings
        self.budgets = geometric_budgets(settings.min_epochs, settings.max_epochs, settings.eta)
        self.brackets: list[SuccessiveHalving[Vector]] = []
        self._started = 0
        self._owner: dict[int, tuple[SuccessiveHalving[Vector], int]] = {}

    def _propose(self, number: int) -> tuple[Vector, int]:
        for halving in self.brackets:
            run = halving.next_run()
            if run is not None:
                break
        else:
            halving = self._next_bracket()
            run = halving.next_run()
            assert run is not None, "a new bracket has places in its first rung"
        member, vector, epochs = run
        self._owner[number] = (halving, member)
        return vector, epochs

    def _next_bracket(self) -> SuccessiveHalving[Vector]:
        settings = self.settings
        shape = bracket(self._started, self.budgets, settings.eta, settings.rounding)
        self._started += 1
        halving = SuccessiveHalving(shape, self._new_configuration)
        self.brackets.append(halving)
        return halving

    def _new_configuration(self, epochs: int) -> Vector:  # noqa: ARG002
        return self._random_vector()

    def _learn(self, proposal: Proposal, error: float | None) -> None:
        halving, member = self._owner.pop(proposal.number)
        halving.register(member, proposal.vector, error)
        if halving.finished:
            self.brackets.remove(halving)
