"""Where variance comes from: one search run to the next, or one training to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics.statement import Statement, known


@dataclass(frozen=True, slots=True)
class VarianceComponents:
    """Variances of a nested design.

    Attributes:
        between: of the groups' expectations (search seeds); never below zero.
        within: of the values of one group (training repeats).
        negative: the estimate of `between` came out below zero and was set to it: the groups
            differ no more than their values do by chance.
        groups: number of groups.
        values: number of values.
    """

    between: float
    within: float
    negative: bool
    groups: int
    values: int

    @property
    def share_between(self) -> float:
        """Part of the variance of one value that is between groups; nan if there is none."""
        total = self.between + self.within
        return self.between / total if total > 0 else float("nan")


def variance_components(groups: Sequence[npt.ArrayLike]) -> VarianceComponents | Statement:
    """Variance between and within groups: one-way random effects, by the analysis of variance.

    It assumes value = mean + group effect + residual, effects and residuals independent with one
    variance each, of any distribution. The expected mean square within groups is `within`, that
    between groups is within + n0 between, where n0 is the mean group size less its spread (Searle,
    Casella and McCulloch, "Variance components", 1992, chapter 3). Groups may differ in size.

    Args:
        groups: for instance the test errors of the trainings of the cell that each search seed
            found; nan is left out, and so are groups without a value.
    """
    found = [values for group in groups if len(values := known(group))]
    if len(found) < 2:
        return Statement("one group" if found else "no run has a value")
    sizes = np.array([len(values) for values in found], dtype=np.float64)
    total = sizes.sum()
    if total == len(found):
        return Statement("one value per group, so its parts cannot be told apart")
    means = np.array([values.mean() for values in found])
    grand = float((sizes * means).sum() / total)
    within = sum(float(((values - values.mean()) ** 2).sum()) for values in found)
    within /= total - len(found)
    between = float((sizes * (means - grand) ** 2).sum()) / (len(found) - 1)
    size = (total - (sizes**2).sum() / total) / (len(found) - 1)
    effect = (between - within) / size
    return VarianceComponents(max(effect, 0.0), within, effect < 0, len(found), int(total))
