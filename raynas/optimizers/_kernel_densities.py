"""HpBandSter's BOHB generator, drawing from its own random state and ten times faster."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import ConfigSpace
import numpy as np
import numpy.typing as npt
from hpbandster.core.dispatcher import Job
from hpbandster.optimizers.config_generators.bohb import BOHB

from raynas.optimizers._configuration_space import categorical_space

Floats = npt.NDArray[np.float64]


class KernelDensityGenerator:
    """Proposes vectors by HpBandSter's two kernel densities (Falkner et al. 2018, algorithm 2).

    Fitting and bookkeeping are HpBandSter's `BOHB` object. Its `get_config` evaluates densities
    candidate by candidate and draws from the global numpy generator; `suggest` does the same
    arithmetic for all candidates at once with a generator of its own, and proposes the same.

    Args:
        cardinalities: number of options per choice.
        seed: of the random state that stands in for the global one.
        space_seed: of the configuration space, which random configurations come from.
        options: keyword arguments of HpBandSter's `BOHB`.
    """

    def __init__(
        self, cardinalities: tuple[int, ...], seed: int, space_seed: int, **options: Any
    ) -> None:
        self.space = categorical_space(cardinalities, space_seed)
        self.model = BOHB(self.space, **options)
        self._random = np.random.RandomState(seed)
        self._names = list(self.space.keys())

    def suggest(self) -> tuple[int, ...]:
        """A vector: random, or the candidate with the best ratio of densities."""
        models = self.model.kde_models
        if not models or self._random.rand() < self.model.random_fraction:
            return self._to_vector(self.space.sample_configuration())
        densities = models[max(models)]
        chosen = self._best_candidate(densities["good"], densities["bad"])
        if chosen is None:
            return self._to_vector(self.space.sample_configuration())
        return tuple(chosen)

    def learn(self, vector: tuple[int, ...], budget: int, error: float | None) -> None:
        """Register a finished run; a failed one counts as infinitely bad, as in HpBandSter."""
        job = Job(None, config=self._to_values(vector), budget=budget)
        job.result = None if error is None else {"loss": error}
        with np.errstate(all="ignore"), warnings.catch_warnings():
            # statsmodels announces a new default of a generator that is not used here.
            warnings.simplefilter("ignore", FutureWarning)
            self.model.new_result(job)

    def _best_candidate(self, good: Any, bad: Any) -> list[int] | None:
        state = self._random.get_state()
        count = self.model.num_samples
        candidates = [self._candidate(good) for _ in range(count)]
        ratios, finite = self._ratios(good, bad, np.array(candidates, dtype=np.float64))
        broken = np.flatnonzero(~np.isfinite(ratios) & finite)
        if broken.size:
            # HpBandSter stops drawing here: draw again up to this candidate.
            self._random.set_state(state)
            for _ in range(int(broken[0]) + 1):
                self._candidate(good)
            return candidates[int(broken[0])]
        # NaN is never smaller than the best so far.
        ratios = np.where(np.isnan(ratios), np.inf, ratios)
        best = int(ratios.argmin())
        return candidates[best] if ratios[best] < np.inf else None

    def _candidate(self, good: Any) -> list[int]:
        """A good point with each choice redrawn with the probability of its bandwidth."""
        draw, widths = self._random, np.maximum(good.bw, self.model.min_bandwidth).tolist()
        datum = good.data[draw.randint(0, len(good.data))].tolist()
        return [
            int(value) if draw.rand() < 1 - width else int(draw.randint(options))
            for value, width, options in zip(datum, widths, self.model.vartypes, strict=True)
        ]

    @staticmethod
    def _ratios(good: Any, bad: Any, candidates: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Density ratio bad / good of each candidate, and whether the good one is finite."""
        with np.errstate(all="ignore"):
            numerator = Density.of(bad).at(candidates)
            denominator = Density.of(good).at(candidates)
            # As Python's max(1e-32, x) above and max(x, 1e-32) below, NaN included.
            above = np.where(numerator > 1e-32, numerator, 1e-32)
            ratios = above / np.where(denominator < 1e-32, 1e-32, denominator)
        return ratios, np.isfinite(denominator)

    def _to_vector(self, configuration: ConfigSpace.Configuration) -> tuple[int, ...]:
        return tuple(configuration.get_array().astype(int).tolist())

    def _to_values(self, vector: tuple[int, ...]) -> dict[str, str]:
        return {name: f"{option:04d}" for name, option in zip(self._names, vector, strict=True)}


@dataclass(frozen=True, slots=True)
class Density:
    """Product of Aitchison-Aitken kernels, as statsmodels evaluates it."""

    data: Floats
    same: Floats
    other: Floats

    @classmethod
    def of(cls, kde: Any) -> Density:
        """The kernel values of a fitted statsmodels KDE."""
        levels = np.array([np.unique(column).size for column in kde.data.T])
        return cls(kde.data, 1 - kde.bw, kde.bw / (levels - 1))

    def at(self, points: Floats) -> Floats:
        """Density of each point, shape (n,)."""
        product = np.ones((len(points), len(self.data)))
        for i, column in enumerate(self.data.T):
            equal = points[:, i, None] == column
            product *= np.where(equal, self.same[i], self.other[i])
        return np.asarray(product.sum(axis=1) / len(self.data))
