"""Bracket arithmetic of Hyperband: which budgets, and how many runs at each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Rounding = Literal["hpbandster", "paper"]


@dataclass(frozen=True, slots=True)
class Bracket:
    """One run of successive halving.

    Attributes:
        sizes: number of configurations at each rung, falling.
        budgets: budget of each rung, rising; the last one is the maximum.
    """

    sizes: tuple[int, ...]
    budgets: tuple[int, ...]

    @property
    def evaluations(self) -> int:
        """Number of runs in the bracket, each rung counted in full."""
        return sum(self.sizes)

    @property
    def cost(self) -> int:
        """Sum of the budgets of all runs (epochs, if budgets are epochs)."""
        return sum(n * budget for n, budget in zip(self.sizes, self.budgets, strict=True))


def geometric_budgets(smallest: int, largest: int, eta: int) -> tuple[int, ...]:
    """Budgets largest / eta^i that are not below `smallest`, rising and rounded to integers.

    Raises:
        ValueError: unless 1 <= smallest <= largest and eta >= 2.
    """
    if not 1 <= smallest <= largest:
        raise ValueError(f"need 1 <= smallest <= largest, got {smallest} and {largest}")
    if eta < 2:
        raise ValueError(f"eta must be at least 2, got {eta}")
    falling = [largest]
    divisor = eta
    while largest >= smallest * divisor:
        falling.append(round(largest / divisor))
        divisor *= eta
    return tuple(reversed(falling))


def first_rung_size(s: int, s_max: int, eta: int, rounding: Rounding = "hpbandster") -> int:
    """How many configurations start in the bracket that has s promotions.

    The paper (Li et al. 2018, algorithm 1) rounds up the product (s_max + 1) / (s + 1) * eta^s.
    HpBandSter 0.7.4, with which the published curves were made, rounds down the quotient first:
    with budgets 25, 50, 100 it gives (4, 2, 1), (2, 1), (3), the paper (4, 2, 1), (3, 1), (3).
    """
    if rounding == "hpbandster":
        return (s_max + 1) // (s + 1) * int(eta**s)
    return -(-(s_max + 1) * int(eta**s) // (s + 1))


def bracket(
    iteration: int, budgets: tuple[int, ...], eta: int, rounding: Rounding = "hpbandster"
) -> Bracket:
    """The bracket of an iteration: s cycles through s_max, ..., 1, 0.

    Args:
        iteration: running number of the bracket, from 0.
        budgets: all budgets, rising, as of `geometric_budgets`.
        eta: one in eta configurations is promoted.
        rounding: see `first_rung_size`.
    """
    s_max = len(budgets) - 1
    s = s_max - iteration % (s_max + 1)
    n = first_rung_size(s, s_max, eta, rounding)
    return Bracket(tuple(max(n // eta**i, 1) for i in range(s + 1)), budgets[s_max - s :])


def total_evaluations(
    iterations: int, budgets: tuple[int, ...], eta: int, rounding: Rounding = "hpbandster"
) -> int:
    """Runs in the first `iterations` brackets."""
    return sum(bracket(i, budgets, eta, rounding).evaluations for i in range(iterations))
