"""What a statistic gives back: a number with what is known of its certainty, or why there is none.

A function of this package that cannot say anything returns a `Statement` where it would have
returned a number, so that tables and pages show the reason and no figure without a meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
"""Coverage of intervals; tests are at one minus it."""
FEWEST = 3
"""Values that an interval needs: that of two would be the two values themselves."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Why there is no number.

    Attributes:
        text: one clause without a full stop, for a cell of a table.
    """

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its interval.

    Attributes:
        value: the number.
        interval: lower and upper end, or why there is none.
    """

    value: float
    interval: tuple[float, float] | Statement

    def __str__(self) -> str:
        if isinstance(self.interval, Statement):
            return f"{self.value:.3g} ({self.interval})"
        return f"{self.value:.3g} [{self.interval[0]:.3g}, {self.interval[1]:.3g}]"


@dataclass(frozen=True, slots=True)
class Significance:
    """The outcome of a test.

    Attributes:
        statistic: what was tested.
        p: two-sided p-value.
        method: how p was found: "exact", "simulated" or "asymptotic".
    """

    statistic: float
    p: float
    method: str


def known(values: npt.ArrayLike) -> Floats:
    """The values that are not nan, flat."""
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    return flat[~np.isnan(flat)]


def too_few(count: int, fewest: int = FEWEST) -> Statement | None:
    """The statement for a sample that is too small; None if it is not."""
    if count >= fewest:
        return None
    have = ("no value", "one value")[count] if count < 2 else f"{count} values"
    return Statement(f"{have}, at least {fewest} are needed")
