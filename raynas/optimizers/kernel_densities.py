"""HpBandSter's BOHB generator, drawing from its own random state and many times faster."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ConfigSpace
import numpy as np
import numpy.typing as npt
from hpbandster.core.dispatcher import Job
from hpbandster.optimizers.config_generators.bohb import BOHB
from scipy.stats import truncnorm

from raynas.optimizers._configuration_space import categorical_space

Floats = npt.NDArray[np.float64]
_ROOT_OF_TWO_PI = float(np.sqrt(2 * np.pi))


class KernelDensities:
    """The two kernel densities of BOHB (Falkner et al. 2018, algorithm 2) over any space.

    Fitting and bookkeeping are HpBandSter's `BOHB` object. Its `get_config` evaluates densities
    candidate by candidate and draws from the global numpy generator; `candidate` does the same
    arithmetic for all candidates at once with a generator of its own, and proposes the same.
    Densities are fitted when they are needed and results have come since, not for each result.

    Args:
        space: what configurations are drawn from; ordinal hyperparameters are not supported.
        seed: of the random state that stands in for the global one.
        options: keyword arguments of HpBandSter's `BOHB`.
    """

    def __init__(self, space: ConfigSpace.ConfigurationSpace, seed: int, **options: Any) -> None:
        self.space = space
        self.reseed(seed)
        self.model = _Model(space, **options)
        self._unseen: list[Job] = []

    def reseed(self, seed: int) -> None:
        """Go on with another random stream."""
        self._random = np.random.RandomState(seed)

    def candidate(self) -> list[float] | None:
        """The candidate with the best ratio of densities, as an array of the space.

        Returns:
            None if a random configuration is to be taken: there is no model yet, it is the turn
            of one, or no candidate has a finite ratio.
        """
        if not self.model.kde_models:
            self.fit()
        models = self.model.kde_models
        if not models or self._random.rand() < self.model.random_fraction:
            return None
        self.fit()
        densities = models[max(models)]
        return self._best_candidate(densities["good"], densities["bad"])

    def learn_values(self, values: Mapping[str, Any], budget: int, error: float | None) -> None:
        """Register a finished run; a failed one counts as infinitely bad, as in HpBandSter."""
        job = Job(None, config=dict(values), budget=budget)
        job.result = None if error is None else {"loss": error}
        self._unseen.append(job)

    def fit(self) -> None:
        """Bring the densities up to date."""
        if not self._unseen:
            return
        last = {job.kwargs["budget"]: job for job in self._unseen}
        self.model.random = self._random
        with np.errstate(all="ignore"), warnings.catch_warnings():
            # statsmodels announces a new default of a generator that is not used here.
            warnings.simplefilter("ignore", FutureWarning)
            for job in self._unseen:
                # Of those at one budget only the last model would ever be looked at.
                self.model.new_result(job, update_model=job is last[job.kwargs["budget"]])
        self._unseen = []

    def _best_candidate(self, good: Any, bad: Any) -> list[float] | None:
        state = self._random.get_state()
        count = self.model.num_samples
        candidates = self._candidates(good, count)
        ratios, finite = self._ratios(good, bad, candidates)
        broken = np.flatnonzero(~np.isfinite(ratios) & finite)
        if broken.size:
            # HpBandSter stops drawing here: draw again up to this candidate.
            self._random.set_state(state)
            self._candidates(good, int(broken[0]) + 1)
            return list(candidates[broken[0]].tolist())
        # NaN is never smaller than the best so far.
        ratios = np.where(np.isnan(ratios), np.inf, ratios)
        best = int(ratios.argmin())
        return list(candidates[best].tolist()) if ratios[best] < np.inf else None

    def _candidates(self, good: Any, count: int) -> Floats:
        """Good points, each choice of which is redrawn; shape (count, hyperparameters)."""
        widths = np.maximum(good.bw, self.model.min_bandwidth)
        drawn = [self._draw(good, widths.tolist()) for _ in range(count)]
        points = np.array([values for _, values in drawn])
        continuous = self.model.vartypes == 0
        if not continuous.any():
            return points
        centres = good.data[[index for index, _ in drawn]][:, continuous]
        scale = self.model.bw_factor * widths[continuous]
        points[:, continuous] = truncnorm.ppf(
            points[:, continuous], -centres / scale, (1 - centres) / scale, centres, scale
        )
        return points

    def _draw(self, good: Any, widths: list[float]) -> tuple[int, list[float]]:
        """The number of a good point, and per hyperparameter an option or a uniform number.

        A choice is redrawn with the probability of its bandwidth; the uniform number of a
        continuous hyperparameter becomes a draw from a truncated normal distribution.
        """
        draw = self._random
        index = int(draw.randint(0, len(good.data)))
        values: list[float] = []
        for old, width, options in zip(
            good.data[index].tolist(), widths, self.model.vartypes.tolist(), strict=True
        ):
            first = draw.rand()
            kept = options == 0 or first < 1 - width
            values.append((old if options else first) if kept else float(draw.randint(options)))
        return index, values

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


class KernelDensityGenerator(KernelDensities):
    """`KernelDensities` over vectors of small integers.

    Args:
        cardinalities: number of options per choice.
        seed: of the random state that stands in for the global one.
        space_seed: of the configuration space, which random configurations come from.
        options: keyword arguments of HpBandSter's `BOHB`.
    """

    def __init__(
        self, cardinalities: tuple[int, ...], seed: int, space_seed: int, **options: Any
    ) -> None:
        super().__init__(categorical_space(cardinalities, space_seed), seed, **options)
        self._names = list(self.space.keys())

    def suggest(self) -> tuple[int, ...]:
        """A vector: random, or the candidate with the best ratio of densities."""
        chosen = self.candidate()
        if chosen is None:
            chosen = self.space.sample_configuration().get_array().tolist()
        return tuple(int(option) for option in chosen)

    def learn(self, vector: tuple[int, ...], budget: int, error: float | None) -> None:
        """Register a finished run; a failed one counts as infinitely bad, as in HpBandSter."""
        values = {n: f"{option:04d}" for n, option in zip(self._names, vector, strict=True)}
        self.learn_values(values, budget, error)


class _Model(BOHB):  # type: ignore[misc,unused-ignore]
    """HpBandSter's, which fills in what a condition leaves out from the global generator."""

    random: np.random.RandomState

    def impute_conditional_data(self, array: Floats) -> Floats:
        """Replace NaN by a random valid value of the column, or by any if there is none."""
        result = np.array(array)
        for column, options in zip(result.T, self.vartypes.tolist(), strict=True):
            missing = np.isnan(column)
            if not missing.any():
                continue
            count = int(missing.sum())
            if missing.all():
                column[:] = (
                    self.random.randint(options, size=count)
                    if options
                    else (self.random.rand(count))
                )
            else:
                column[missing] = self.random.choice(column[~missing], count)
        return result


@dataclass(frozen=True, slots=True)
class Density:
    """Product of Aitchison-Aitken and Gaussian kernels, as statsmodels evaluates it."""

    data: Floats
    widths: Floats
    categorical: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, kde: Any) -> Density:
        """The kernels of a fitted statsmodels KDE."""
        return cls(kde.data, kde.bw, np.array([kind == "u" for kind in kde.var_type]))

    def at(self, points: Floats) -> Floats:
        """Density of each point, shape (n,)."""
        product = np.ones((len(points), len(self.data)))
        for i in np.flatnonzero(self.categorical):
            column, width = self.data[:, i], self.widths[i]
            other = width / (np.unique(column).size - 1)
            product *= np.where(points[:, i, None] == column, 1 - width, other)
        if not self.categorical.all():
            product *= self._gaussian(points)
        return np.asarray(product.sum(axis=1) / len(self.data))

    def _gaussian(self, points: Floats) -> Floats:
        """The continuous kernels of all pairs of points, shape (points, data)."""
        widths = self.widths[~self.categorical]
        distance = np.zeros((len(points), len(self.data)))
        for i, width in zip(np.flatnonzero(~self.categorical), widths, strict=True):
            distance += ((points[:, i, None] - self.data[:, i]) / width) ** 2
        return np.asarray(np.exp(-0.5 * distance) / np.prod(_ROOT_OF_TWO_PI * widths))
