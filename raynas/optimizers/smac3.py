"""SMAC3: the `smac` package itself behind ask and tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from raynas.optimizers._base import FULL_BUDGET, Optimizer, Proposal, Vector

if TYPE_CHECKING:
    from smac.runhistory.dataclasses import TrialInfo


@dataclass(frozen=True, slots=True)
class Smac3Settings:
    """Settings of the `smac` package; defaults of Zela et al. 2020, the rest the package's.

    Attributes:
        random_fraction: share of challengers drawn uniformly.
        n_trees: trees of the random forest.
        max_config_calls: most evaluations of one configuration; 1 for a deterministic target.
        retrain_after: challengers per fit of the forest (default of the package; Zela et al. 2020
            refit for every challenger, which takes seconds each here).
        challengers: random candidates of the acquisition maximizer (default of the package).
        local_searches: start points of its local search of each kind (default of the package).
        epochs: training epochs of each evaluation.
    """

    random_fraction: float = 0.33
    n_trees: int = 10
    max_config_calls: int = 4
    retrain_after: int = 8
    challengers: int = 5000
    local_searches: int = 10
    epochs: int = FULL_BUDGET


class Smac3(Optimizer):
    """The algorithm configuration facade of SMAC3 (Lindauer et al. 2022).

    That facade is the successor of the one behind the published curves: raw costs, plain expected
    improvement. The first configuration is random. A failed evaluation is a crashed run with the
    worst cost seen so far, 1 before the first success. When the package finds no configuration
    that it has not tried, proposals are uniform, and it is not told about them.
    """

    name: ClassVar[str] = "smac3"
    settings_type = Smac3Settings
    settings: Smac3Settings

    @classmethod
    def noise_free_settings(cls) -> Smac3Settings:
        """Without a race: there is nothing to learn from evaluating again."""
        return Smac3Settings(max_config_calls=1)

    def _start(self) -> None:
        from raynas.optimizers._smac3_components import build_facade

        seed = self._integer_seed() & 0x7FFFFFFF
        self.facade = build_facade(
            self.domain, seed, self.settings, self._random_vector(), self._random_vector
        )
        self._trials: dict[int, TrialInfo | None] = {}
        self._worst: float | None = None
        self._exhausted = False

    def _propose(self, number: int) -> tuple[Vector, int]:
        from smac.main.exceptions import ConfigurationSpaceExhaustedException

        trial = None
        if not self._exhausted:
            try:
                trial = self.facade.ask()
            except (ConfigurationSpaceExhaustedException, StopIteration):
                self._exhausted = True
        self._trials[number] = trial
        if trial is None:
            return self._random_vector(), self.settings.epochs
        return tuple(trial.config.get_array().astype(int).tolist()), self.settings.epochs

    def _learn(self, proposal: Proposal, error: float | None) -> None:
        from smac.runhistory.dataclasses import TrialValue
        from smac.runhistory.enumerations import StatusType

        trial = self._trials.pop(proposal.number)
        if error is None:
            cost, status = 1.0 if self._worst is None else self._worst, StatusType.CRASHED
        else:
            cost, status = error, StatusType.SUCCESS
            self._worst = error if self._worst is None else max(error, self._worst)
        if trial is not None:
            self.facade.tell(trial, TrialValue(cost=cost, status=status), save=False)
