"""What no smooth prediction has: residuals of other cells, and a chance to fail of its own.

Both are drawn once per cell when the surrogate is fitted, seeded by the module hash.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search_spaces.errors import UserError
from search_spaces.surrogate.fitting import Predictions
from search_spaces.surrogate.measurements import Measurements
from search_spaces.surrogate.mixing import Words, fractions, random_bits
from search_spaces.surrogate.targets import CHANCE, Levels, levels

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

_STREAM, _FAILURE_STREAM = 10_000, 20_000
_LOWEST, _HIGHEST = 0.105, 0.985
_IMPORTANCE = np.array([1.0, 1.0, 1.0, 2.0])  # of the four budgets when cells are compared


@dataclass(frozen=True, slots=True)
class LevelModel:
    """What is needed to draw levels; all accuracies as minus logarithms of errors.

    Attributes:
        smooth: (2, n, 4) predictions of validation and test.
        residual: (2, n, 4) real minus predicted; NaN where not known.
        nearest: (n, k) possible donors of every cell.
    """

    smooth: Floats
    residual: Floats
    nearest: Index

    def draw(self, keys: Words, *, scale: float, salt: int) -> Floats:
        """Predictions plus the whole residual vector of one donor, (2, n, 4) accuracies.

        Args:
            keys: (n,) one random key per cell.
            scale: factor on the residuals.
            salt: which draw.
        """
        donor = pick_donors(self.nearest, keys, salt)
        levels = 1 - np.exp(-(self.smooth + scale * self.residual[:, donor]))
        drawn: Floats = np.clip(levels, _LOWEST, _HIGHEST)
        return drawn


def level_model(measured: Measurements, predicted: Predictions, neighbours: int) -> LevelModel:
    """Residuals and possible donors: cells with runs that learned at all budgets.

    Raises:
        UserError: if fewer than two cells have runs at all budgets.
    """
    found = levels(measured)
    smooth = log_error(np.stack([predicted.validation, predicted.test]))
    real = np.stack([found.validation, found.test])[:, : measured.covered]
    residual = log_error(real) - smooth
    possible = np.flatnonzero(~np.isnan(residual).any((0, 2)))
    if len(possible) < 2:
        raise UserError("residuals need cells with runs at 4, 12, 36 and 108 epochs; none is known")
    return LevelModel(smooth, residual, nearest_donors(smooth.mean(0), possible, neighbours))


def log_error(accuracy: Floats) -> Floats:
    """Minus the logarithm of the error."""
    value: Floats = -np.log(1 - np.clip(accuracy, 0.0, 0.995))
    return value


def nearest_donors(predictions: Floats, possible: Index, neighbours: int) -> Index:
    """For every cell those of the `possible` cells with the nearest predictions, never itself.

    Args:
        predictions: (n, 4), by budget.
        possible: (m,) cells that may be donors, m >= 2.
        neighbours: how many to find.
    """
    from scipy.spatial import KDTree

    points = predictions / (predictions.std(0) + 1e-9) * _IMPORTANCE
    count = min(neighbours, len(possible) - 1)
    _, found = KDTree(points[possible]).query(points, k=count + 1)
    near = possible[found]
    own = near == np.arange(len(points))[:, None]
    # The cell itself moves to the last place, which is cut off; where it is not among the
    # nearest, the farthest one is cut off.
    order = np.argsort(own, axis=1, kind="stable")
    kept: Index = np.take_along_axis(near, order, axis=1)[:, :count]
    return kept


def pick_donors(nearest: Index, keys: Words, salt: int) -> Index:
    """One of the nearest donors per cell, (n,), by bits of the cell's key."""
    chance = fractions(random_bits(keys, _STREAM + salt))
    pick = (chance * nearest.shape[1]).astype(np.int64)
    chosen: Index = nearest[np.arange(len(nearest)), pick]
    return chosen


def draw_failure_chances(
    found: Levels, predicted: Floats, keys: Words, *, salt: int
) -> tuple[Floats, list[float]]:
    """A chance to fail per cell and budget, (n, 4), and the fitted concentrations.

    Failures of the repeats of one cell come together more often than the predicted chance p
    explains, so the cell's own chance is drawn from a Beta distribution around p, its
    concentration fitted by maximum likelihood to the numbers of failures of three runs. One
    random number serves all budgets: a cell that fails at 36 epochs fails at 108.
    """
    from scipy.stats import beta

    u = fractions(random_bits(keys, _FAILURE_STREAM + salt))
    chances, fitted = np.zeros(predicted.shape), []
    for budget in range(predicted.shape[1]):
        known = np.flatnonzero(found.known[: len(predicted), budget])
        failures = found.failed[known, budget].sum(1)
        p = np.clip(predicted[:, budget], 1e-5, 1 - 1e-5)
        concentration = _concentration(p[known], failures)
        drawn = beta.ppf(u, p * concentration, (1 - p) * concentration)
        chances[:, budget] = np.nan_to_num(drawn)
        fitted.append(concentration)
    return chances, fitted


def _concentration(p: Floats, failures: Index) -> float:
    from scipy.optimize import minimize_scalar
    from scipy.stats import betabinom

    def loss(log_concentration: float) -> float:
        s = np.exp(log_concentration)
        return -float(betabinom.logpmf(failures, 3, p * s, (1 - p) * s).sum())

    best = minimize_scalar(loss, bounds=(-2.0, 6.0), method="bounded", options={"xatol": 0.02})
    return float(np.exp(best.x))


def expected_accuracy(level: Floats, failure: Floats) -> Floats:
    """Mean accuracy of a run, failures included."""
    return level * (1 - failure) + CHANCE * failure
