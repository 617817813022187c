"""HpBandSter's BOHB generator, drawing from its own random state and many times faster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ConfigSpace
import numpy as np
from hpbandster.optimizers.config_generators.bohb import BOHB
from scipy import special

from raynas.optimizers._configuration_space import categorical_space
from raynas.optimizers._density import Density, Floats, contenders, density_ratios

_FIRST_CAPACITY = 64


class KernelDensities:
    """The two kernel densities of BOHB (Falkner et al. 2018, algorithm 2) over any space.

    Settings and rules are those of HpBandSter's `BOHB` object, and so are the proposals. That
    object makes its arrays anew for each result, evaluates densities candidate by candidate and
    draws from the global numpy generator. Here arrays grow, densities are fitted when they are
    needed and results have come since, and all candidates are evaluated at once.

    Args:
        space: what configurations are drawn from; ordinal hyperparameters are not supported.
        seed: of the random state that stands in for the global one.
        options: keyword arguments of HpBandSter's `BOHB`.

    Attributes:
        space: as given.
        model: HpBandSter's object; its `kde_models` are pairs of `Density`.
    """

    def __init__(self, space: ConfigSpace.ConfigurationSpace, seed: int, **options: Any) -> None:
        self.space = space
        self.model = BOHB(space, **options)
        self._random = np.random.RandomState(seed)
        self._hyperparameters = list(space.items())
        self._results: dict[int, _Results] = {}
        self._unfitted: set[int] = set()

    def reseed(self, seed: int) -> None:
        """Go on with another random stream."""
        self._random.seed(seed)

    def candidate(self) -> list[float] | None:
        """The candidate with the best ratio of densities, as an array of the space.

        Returns:
            None if a random configuration is to be taken: there is no model yet, it is the turn
            of one, or no candidate has a finite ratio.
        """
        models = self.model.kde_models
        if not models:
            self.fit()
        if not models or self._random.rand() < self.model.random_fraction:
            return None
        self.fit()
        densities = models[max(models)]
        return self._best_candidate(densities["good"], densities["bad"])

    def learn_values(self, values: Mapping[str, Any], budget: int, error: float | None) -> None:
        """Register a finished run; a failed one counts as infinitely bad, as in HpBandSter."""
        if budget < max(self.model.kde_models, default=budget):
            return  # smaller budgets than the modelled one are not looked at any more
        point = [
            h.to_vector(values[name]) if name in values else np.nan
            for name, h in self._hyperparameters
        ]
        if budget not in self._results:
            self._results[budget] = _Results(len(point))
        bad = np.inf if error is None or not np.isfinite(error) else error
        self._results[budget].add(point, bad)
        self._unfitted.add(budget)

    def fit(self) -> None:
        """Bring the densities up to date: those of the largest budget that has enough results."""
        for budget in sorted(self._unfitted, reverse=True):
            if self._fit(budget):
                break
        self._unfitted.clear()

    def _fit(self, budget: int) -> bool:
        """Model a budget, if it has enough results."""
        results, model = self._results[budget], self.model
        count, least = results.count, model.min_points_in_model
        good = max(least, model.top_n_percent * count // 100)
        bad = max(least, (100 - model.top_n_percent) * count // 100)
        # Of equal errors the first is better. HpBandSter leaves that to numpy's default sort, which
        # orders them differently on different processors.
        order = np.argsort(results.errors[:count], kind="stable")
        parts = {"good": order[:good], "bad": order[good : good + bad]}
        if min(map(len, parts.values())) <= len(results.points):
            return False
        model.kde_models[budget] = {
            name: Density.fit(
                self._impute(results.points[:, part]), model.vartypes != 0, model.min_bandwidth
            )
            for name, part in parts.items()
        }
        for smaller in [other for other in self._results if other < budget]:
            del self._results[smaller]
        return True

    def _impute(self, points: Floats) -> Floats:
        """Replace NaN, which stands for what a condition leaves out, in the array itself.

        It becomes a random valid value of the same hyperparameter, or any if there is none.
        """
        if not np.isnan(points).any():
            return points
        for row, options in zip(points, self.model.vartypes.tolist(), strict=True):
            missing = np.isnan(row)
            if not missing.any():
                continue
            count = int(missing.sum())
            if not missing.all():
                row[missing] = self._random.choice(row[~missing], count)
            elif options:
                row[:] = self._random.randint(options, size=count)
            else:
                row[:] = self._random.random_sample(count)
        return points

    def _best_candidate(self, good: Density, bad: Density) -> list[float] | None:
        count, tame = self.model.num_samples, good.tame and bad.tame
        state = None if tame else self._random.get_state()
        points = self._candidates(good, count)
        if tame:
            points = points[contenders(bad, good, points)]
            if len(points) == 1:
                return list(points[0].tolist())
        ratios, finite = density_ratios(bad, good, points)
        broken = np.flatnonzero(~np.isfinite(ratios) & finite)
        if broken.size:
            # HpBandSter stops drawing here: draw again up to this candidate.
            assert state is not None, "ratios of tame densities are finite"
            self._random.set_state(state)
            self._candidates(good, int(broken[0]) + 1)
            return list(points[broken[0]].tolist())
        # NaN is never smaller than the best so far.
        ratios = np.where(np.isnan(ratios), np.inf, ratios)
        best = int(ratios.argmin())
        return list(points[best].tolist()) if ratios[best] < np.inf else None

    def _candidates(self, good: Density, count: int) -> Floats:
        """Good points, each choice of which is redrawn; shape (count, hyperparameters)."""
        widths = np.maximum(good.widths, self.model.min_bandwidth)
        draw = self._draw if good.categorical.any() else self._draw_numbers
        drawn = [draw(good, widths.tolist()) for _ in range(count)]
        points = np.array([values for _, values in drawn])
        continuous = ~good.categorical
        if not continuous.any():
            return points
        centres = good.data[:, [index for index, _ in drawn]][continuous].T
        scale = self.model.bw_factor * widths[continuous]
        points[:, continuous] = truncated_normal(points[:, continuous], centres, scale)
        return points

    def _draw(self, good: Density, widths: list[float]) -> tuple[int, list[float]]:
        """The number of a good point, and per hyperparameter an option or a uniform number.

        A choice is redrawn with the probability of its bandwidth; the uniform number of a
        continuous hyperparameter becomes a draw from a truncated normal distribution.
        """
        draw = self._random
        index = int(draw.randint(0, good.data.shape[1]))
        values: list[float] = []
        for old, width, options in zip(
            good.data[:, index].tolist(), widths, self.model.vartypes.tolist(), strict=True
        ):
            first = draw.rand()
            kept = options == 0 or first < 1 - width
            values.append((old if options else first) if kept else float(draw.randint(options)))
        return index, values

    def _draw_numbers(self, good: Density, widths: list[float]) -> tuple[int, list[float]]:
        """The same where all hyperparameters are continuous."""
        index = int(self._random.randint(0, good.data.shape[1]))
        return index, list(self._random.random_sample(len(widths)).tolist())


class _Results:
    """Results at one budget, in arrays that have room for more.

    Attributes:
        count: how many there are.
        errors: of each.
        points: their configurations as columns.
    """

    def __init__(self, width: int) -> None:
        self.count = 0
        self.errors = np.empty(_FIRST_CAPACITY)
        self.points = np.empty((width, _FIRST_CAPACITY))

    def add(self, point: list[float], error: float) -> None:
        """One more."""
        if self.count == len(self.errors):
            self.errors = np.hstack([self.errors, np.empty_like(self.errors)])
            self.points = np.hstack([self.points, np.empty_like(self.points)])
        self.errors[self.count] = error
        self.points[:, self.count] = point
        self.count += 1


def truncated_normal(uniform: Floats, centres: Floats, scale: Floats) -> Floats:
    """Quantiles of normal distributions that end at 0 and 1.

    As `scipy.stats.truncnorm.ppf`, in logarithms, but without the general case around them.

    Args:
        uniform: where to take them, in [0, 1).
        centres: of the distributions, in [0, 1].
        scale: their standard deviations before they were cut.
    """
    low, high = -centres / scale, (1 - centres) / scale
    with np.errstate(divide="ignore"):
        mass = np.log1p(-special.ndtr(low) - special.ndtr(-high))
        from_left = np.logaddexp(special.log_ndtr(low), np.log(uniform) + mass)
        found = special.ndtri_exp(from_left)
        edge = low >= 0  # the other tail is the one that has digits
        if edge.any():
            from_right = np.logaddexp(special.log_ndtr(-high), np.log1p(-uniform) + mass)
            found = np.where(edge, -special.ndtri_exp(from_right), found)
    return np.asarray(found * scale + centres)


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
