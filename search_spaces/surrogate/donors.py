"""What no smooth prediction has: residuals of other cells, and a chance to fail of its own.

Both are drawn once per cell when the surrogate is fitted, seeded by the module hash.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from search_spaces.surrogate.fitting import Predictions
from search_spaces.surrogate.measurements import Measurements
from search_spaces.surrogate.mixing import Words, fractions, random_bits
from search_spaces.surrogate.targets import CHANCE, Levels, levels

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

_STREAM = 1_000
_LOWEST, _HIGHEST = 0.105, 0.985
_IMPORTANCE = np.array([1.0, 1.0, 1.0, 2.0])  # of the four budgets when cells are compared


def draw_levels(
    measured: Measurements,
    predicted: Predictions,
    keys: Words,
    *,
    neighbours: int,
    scale: float,
    salt: int,
) -> tuple[Floats, Floats]:
    """Predictions plus the whole residual vector of one other cell of similar predictions.

    Args:
        measured: the known figures; cells with learned runs at all budgets can be donors.
        predicted: the smooth predictions.
        keys: (n,) one random key per cell.
        neighbours: donors to choose from, the nearest in the predictions of all budgets.
        scale: factor on the residuals, which are differences of logarithms of errors.
        salt: which draw.

    Returns:
        Validation and test levels, (n, 4) each.
    """
    found = levels(measured)
    smooth = log_error(np.stack([predicted.validation, predicted.test]))
    real = np.stack([found.validation, found.test])[:, : measured.covered]
    residual = log_error(real) - smooth
    possible = np.flatnonzero(~np.isnan(residual).any((0, 2)))
    donor = choose_donors(smooth.mean(0), possible, keys, neighbours, salt)
    levels_drawn = 1 - np.exp(-(smooth + scale * residual[:, donor]))
    levels_drawn = np.clip(levels_drawn, _LOWEST, _HIGHEST)
    return levels_drawn[0], levels_drawn[1]


def log_error(accuracy: Floats) -> Floats:
    """Minus the logarithm of the error."""
    value: Floats = -np.log(1 - accuracy)
    return value


def choose_donors(
    predictions: Floats, possible: Index, keys: Words, neighbours: int, salt: int
) -> Index:
    """For every cell one of the `possible` cells with similar predictions, never itself.

    Args:
        predictions: (n, 4).
        possible: (m,) cells that may be donors, m >= 2.
        keys: (n,) random keys.
        neighbours: how many of the nearest to choose from.
        salt: which draw.
    """
    from scipy.spatial import KDTree

    points = predictions / (predictions.std(0) + 1e-9) * _IMPORTANCE
    count = min(neighbours, len(possible) - 1)
    _, nearest = KDTree(points[possible]).query(points, k=count + 1)
    near = possible[nearest]
    own = near == np.arange(len(points))[:, None]
    # The own place moves to the end, where it is never drawn; for other cells that is the
    # farthest neighbour.
    order = np.argsort(own, axis=1, kind="stable")
    near = np.take_along_axis(near, order, axis=1)[:, :count]
    pick = (fractions(random_bits(keys, _STREAM + salt)) * count).astype(np.int64)
    chosen: Index = near[np.arange(len(points)), pick]
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

    u = fractions(random_bits(keys, _STREAM + salt + 500))
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
