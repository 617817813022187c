"""BOHB: Hyperband whose new configurations come from kernel densities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from raynas.optimizers._base import MAX_REJECTIONS, Proposal, Vector, is_valid
from raynas.optimizers.hyperband import Hyperband, HyperbandSettings


@dataclass(frozen=True, slots=True)
class BohbSettings(HyperbandSettings):
    """Settings of BOHB; defaults of Zela et al. 2020, except where noted.

    Attributes:
        num_samples: candidates per proposal.
        random_fraction: share of proposals drawn uniformly.
        bandwidth_factor: widening of the bandwidth for continuous choices; spaces of categories
            have none, so it changes nothing here.
        min_bandwidth: lower bound of every bandwidth.
        top_n_percent: share of the observations that count as good (Falkner et al. 2018).
        min_points_in_model: observations at a budget before it is modelled; None for the number
            of choices plus one (Falkner et al. 2018).
    """

    num_samples: int = 64
    random_fraction: float = 0.33
    bandwidth_factor: float = 3.0
    min_bandwidth: float = 0.3
    top_n_percent: int = 15
    min_points_in_model: int | None = None


class Bohb(Hyperband):
    """Bayesian optimization and Hyperband (Falkner, Klein and Hutter 2018).

    The brackets are Hyperband's; the model is HpBandSter's, fitted at the largest budget that has
    enough observations. Failed runs count as infinitely bad observations. A proposal outside the
    domain is thrown away and drawn again, and replaced by a uniform one after 64 attempts.
    """

    name: ClassVar[str] = "bohb"
    settings_type = BohbSettings
    settings: BohbSettings

    def _start(self) -> None:
        from raynas.optimizers.kernel_densities import KernelDensityGenerator

        super()._start()
        self.generator = KernelDensityGenerator(
            self.domain.cardinalities,
            self._integer_seed(),
            self._integer_seed(),
            min_points_in_model=self.settings.min_points_in_model,
            top_n_percent=self.settings.top_n_percent,
            num_samples=self.settings.num_samples,
            random_fraction=self.settings.random_fraction,
            bandwidth_factor=self.settings.bandwidth_factor,
            min_bandwidth=self.settings.min_bandwidth,
        )

    def _new_configuration(self, epochs: int) -> Vector:
        for _ in range(MAX_REJECTIONS):
            vector = self.generator.suggest()
            if is_valid(self.domain, vector):
                return vector
        return super()._new_configuration(epochs)

    def _learn(self, proposal: Proposal, error: float | None) -> None:
        self.generator.learn(proposal.vector, proposal.epochs, error)
        super()._learn(proposal, error)
