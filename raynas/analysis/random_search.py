"""The exact expected course of random search, computed from the table instead of run.

Each of n evaluations draws an architecture uniformly (so a unique cell with probability
proportional to its number of raw architectures), independently, and sees an error. The incumbent
is the first draw with the lowest error seen. Its law is that of a sample minimum: with
S(x) = P(seen > x), the minimum of n draws is x with probability S(x-)^n - S(x)^n, and given that,
the incumbent is distributed like one draw that saw x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from search_spaces.space import Space
    from search_spaces.table import Table

Repeat = Literal["mean", "random", 0, 1, 2]
FULL_EPOCHS = 108
_SINGLE = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Draw:
    """What one random evaluation may turn out to be: its possible outcomes, called atoms.

    Attributes:
        seen: (a,) the error that the search sees and chooses by.
        probability: (a,) of each atom; sums to one.
        validation_regret: (a,) of the incumbent if this atom is chosen.
        test_regret: (a,) the same for the test error.
        seconds: expected training seconds of one evaluation.
    """

    seen: np.ndarray
    probability: np.ndarray
    validation_regret: np.ndarray
    test_regret: np.ndarray
    seconds: float


def multiplicities(space: Space) -> np.ndarray:
    """How many raw architectures share each unique cell: (num_unique,) int64."""
    rows = space.rows(space.enumerate())
    return np.bincount(rows[rows >= 0], minlength=space.num_unique)


def draw(table: Table, weights: np.ndarray, repeat: Repeat, *, oracle: bool = False) -> Draw:
    """The law of one evaluation of random search at 108 epochs.

    Args:
        table: the benchmark, aligned to the space.
        weights: (num_unique,) not negative, proportional to the probability of each cell.
        repeat: what an evaluation sees: the mean of three repeats, one repeat drawn anew for each
            evaluation ("random"), or always the same repeat.
        oracle: choose by the test error seen and score the choice by what was seen, against the
            best single repeat (the published rule), instead of choosing by validation error and
            scoring by means.
    """
    if oracle:
        return _oracle_draw(table, weights, repeat)
    rows = np.arange(table.space.num_unique)
    seen = _stack(table, "validation", repeat)
    validation = table.validation_error(rows, FULL_EPOCHS, "mean") - table.best_validation_error
    test = table.test_error(rows, FULL_EPOCHS, "mean") - table.best_test_error
    return _atoms(
        seen,
        weights,
        np.broadcast_to(validation, seen.shape),
        np.broadcast_to(test, seen.shape),
        _seconds(table, weights, repeat),
    )


def _oracle_draw(table: Table, weights: np.ndarray, repeat: Repeat) -> Draw:
    from raynas.analysis.trajectory import best_single

    validation = _stack(table, "validation", repeat)
    test = _stack(table, "test", repeat)
    return _atoms(
        test,
        weights,
        validation - best_single(table, "validation"),
        test - best_single(table, "test"),
        _seconds(table, weights, repeat),
    )


def _repeats(repeat: Repeat) -> tuple[Literal["mean", 0, 1, 2], ...]:
    return (0, 1, 2) if repeat == "random" else (repeat,)


def _stack(table: Table, quantity: str, repeat: Repeat) -> np.ndarray:
    """Errors seen, (repeats, num_unique): each row equally likely."""
    look_up = table.validation_error if quantity == "validation" else table.test_error
    rows = np.arange(table.space.num_unique)
    return np.stack([look_up(rows, FULL_EPOCHS, r) for r in _repeats(repeat)])


def _seconds(table: Table, weights: np.ndarray, repeat: Repeat) -> float:
    rows = np.arange(table.space.num_unique)
    seconds = [table.training_seconds(rows, FULL_EPOCHS, r) for r in _repeats(repeat)]
    return float(np.average(np.mean(seconds, axis=0), weights=weights))


def _atoms(
    seen: np.ndarray,
    weights: np.ndarray,
    validation_regret: np.ndarray,
    test_regret: np.ndarray,
    seconds: float,
) -> Draw:
    share = np.tile(weights / weights.sum() / len(seen), (len(seen), 1))
    return Draw(
        seen=seen.ravel(),
        probability=share.ravel(),
        validation_regret=validation_regret.ravel(),
        test_regret=test_regret.ravel(),
        seconds=seconds,
    )


def incumbent_law(
    seen: np.ndarray, probability: np.ndarray, evaluations: Sequence[int] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The law of the incumbent's error seen after n draws, for several n.

    Args:
        seen: (a,) error seen of each atom.
        probability: (a,) summing to one.
        evaluations: (m,) values of n, at least 1.

    Returns:
        (a,) index of the distinct value that each atom sees, in increasing order of value; and
        (m, values) probability that the minimum of n draws is that value.
    """
    values, group = np.unique(seen, return_inverse=True)
    mass = np.bincount(group, weights=probability, minlength=len(values))
    above = np.append(np.cumsum(mass[::-1])[::-1], 0.0)
    above /= above[0]
    powers = above[None, :] ** np.asarray(evaluations, dtype=np.float64)[:, None]
    return group, powers[:, :-1] - powers[:, 1:]


def expected(
    seen: np.ndarray,
    probability: np.ndarray,
    outcome: np.ndarray,
    evaluations: Sequence[int] | np.ndarray,
) -> np.ndarray:
    """Expected outcome of the incumbent after n draws.

    Args:
        seen: (a,) error seen of each atom.
        probability: (a,) summing to one.
        outcome: (a,) what choosing the atom is worth, for instance its test regret.
        evaluations: (m,) values of n.

    Returns:
        (m,) float64.
    """
    group, law = incumbent_law(seen, probability, evaluations)
    mass = np.bincount(group, weights=probability)
    worth = np.bincount(group, weights=probability * outcome)
    return law @ np.divide(worth, mass, out=np.zeros_like(worth), where=mass > 0)


def quantiles(
    seen: np.ndarray,
    probability: np.ndarray,
    outcome: np.ndarray,
    evaluations: Sequence[int] | np.ndarray,
    levels: Sequence[float],
) -> np.ndarray:
    """Quantiles of the outcome of the incumbent after n draws.

    A quantile is the lowest outcome whose cumulative probability reaches the level.

    Returns:
        (levels, m) float64.
    """
    group, law = incumbent_law(seen, probability, evaluations)
    mass = np.bincount(group, weights=probability)
    share = np.divide(
        probability, mass[group], out=np.zeros_like(probability), where=mass[group] > 0
    )
    order = np.argsort(outcome, kind="stable")
    found = np.empty((len(levels), len(law)))
    for i, chances in enumerate(law):  # one n at a time: atoms times n would not fit
        reached = np.cumsum((chances[group] * share)[order])
        index = np.searchsorted(reached, np.asarray(levels) * reached[-1] * (1 - 1e-12))
        found[:, i] = outcome[order[np.minimum(index, len(order) - 1)]]
    return found
