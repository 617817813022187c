"""What a test can find with so many runs: power of the Mann-Whitney test, by simulation.

Definition: values of both methods are normal with standard deviation one, and their means differ
by `shift` (so that the probability of superiority is Phi(shift / sqrt 2)); the power is the share
of such experiments in which the two-sided test has p < 0.05. In practice distributions are not
normal; read it as an order of magnitude.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from raynas.analysis.statistics.statement import LEVEL, Statement

SIMULATIONS = 4000
WANTED = 0.8
_LARGEST = 6.0
_SEED = 20_190_221


def mann_whitney_power(
    first: int, second: int | None, shift: float, *, level: float = LEVEL
) -> float | Statement:
    """Power of the two-sided Mann-Whitney test at 1 - `level`, by simulation.

    It assumes independent runs, normal values of one standard deviation, and so no ties.

    Args:
        first: runs of the one method.
        second: runs of the other; None if its distribution is known exactly, as that of a random
            draw is: then the statistic is the mean of the known distribution's quantiles.
        shift: difference of the means in standard deviations.
        level: one minus the test's level.

    Returns:
        With a standard error of at most 0.008; a statement if no outcome reaches the level.
    """
    if first < 1 or (second is not None and second < 1):
        return Statement("no run")
    least = _least_p(first, second)
    if least >= 1 - level:
        return Statement(
            f"{_runs(first, second)} cannot reach p < {1 - level:.2g}: even without any overlap "
            f"p is {least:.2g} (if no values are equal)"
        )
    return float(np.mean(_p_values(first, second, shift) < 1 - level))


def detectable_shift(first: int, second: int | None, *, power: float = WANTED) -> float | Statement:
    """The difference in standard deviations that is found with a given power.

    It assumes what `mann_whitney_power` does; found by bisection, to 0.006 standard deviations.
    """
    top = mann_whitney_power(first, second, _LARGEST)
    if isinstance(top, Statement):
        return top
    low, high = 0.0, _LARGEST
    for _ in range(10):
        middle = (low + high) / 2
        found = mann_whitney_power(first, second, middle)
        assert not isinstance(found, Statement)
        low, high = (middle, high) if found < power else (low, middle)
    return high


def power_statement(first: int, second: int | None) -> str:
    """One sentence on what can be found with so many runs.

    It assumes what `mann_whitney_power` does: read it as an order of magnitude.
    """
    from scipy.special import ndtr

    shift = detectable_shift(first, second)
    if isinstance(shift, Statement):
        return f"{shift}."
    one = mann_whitney_power(first, second, 1.0)
    chance = float(ndtr(shift / np.sqrt(2)))
    return (
        f"{_runs(first, second)}: a true difference of one standard deviation is found (p < 0.05) "
        f"with probability {one:.2f}; found with probability {WANTED:.2f} are differences of "
        f"{shift:.2g} standard deviations, a probability of superiority of {chance:.2f}."
    )


def _runs(first: int, second: int | None) -> str:
    run = f"{first} run{'s' if first != 1 else ''}"
    return f"{run} against a known distribution" if second is None else f"{run} against {second}"


def _least_p(first: int, second: int | None) -> float:
    from math import comb

    # A mean of n uniform quantiles can be as extreme as one likes.
    return 0.0 if second is None else 2 / comb(first + second, first)


@lru_cache(maxsize=256)
def _p_values(first: int, second: int | None, shift: float) -> np.ndarray:
    from scipy import stats
    from scipy.special import ndtr

    rng = np.random.default_rng(_SEED)  # common numbers: power rises with the shift
    x = rng.standard_normal((SIMULATIONS, first)) + shift
    if second is None:
        return uniform_mean_p(ndtr(x).mean(axis=1), first)
    y = rng.standard_normal((SIMULATIONS, second))
    u = stats.mannwhitneyu(x, y, axis=1, method="exact" if max(first, second) <= 50 else "auto")
    return np.asarray(u.pvalue)


def uniform_mean_p(means: np.ndarray, count: int) -> np.ndarray:
    """Two-sided p-values of means of `count` independent uniform values in [0, 1].

    It assumes that, if nothing differs, each value is a draw from the uniform law; ties do not
    occur in it. The law of their sum is that of Irwin (1927) and Hall (1927), beyond 20 values it
    is taken as normal.
    (`scipy.stats.irwinhall` has it too, a thousand times slower.)
    """
    from scipy.special import comb, factorial, ndtr

    distance = np.abs(np.asarray(means, np.float64) - 0.5)
    if count > 20:
        return np.asarray(2 * ndtr(-distance * np.sqrt(12 * count)))
    total = count * (0.5 - distance)
    terms = np.arange(count // 2 + 1)
    signs = (-1.0) ** terms * comb(count, terms) / factorial(count)
    below = np.maximum(total[..., None] - terms, 0.0) ** count @ signs
    return np.asarray(np.clip(2 * below, 0.0, 1.0))
