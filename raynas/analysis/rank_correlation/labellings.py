"""How much of a one-shot accuracy is of the architecture that stood for its cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from raynas.analysis.rank_correlation.scores import Group
from raynas.analysis.statistics import SeedMean, Side, TwoWay


@dataclass(frozen=True, slots=True)
class Labellings:
    """How well two architectures of the same cells agree.

    Attributes:
        most: architectures of each cell at most.
        cells: that have at least two.
        tau: Kendall's tau-b between the accuracies of the first two architectures of these cells,
            which were drawn at random, the mean over seeds with its interval; None where each
            cell has one.
    """

    most: int
    cells: int
    tau: SeedMean | None

    @classmethod
    def of(cls, group: Group, draws: TwoWay) -> Labellings:
        """Those of a group.

        Args:
            group: the scores.
            draws: over the cells of the group.
        """
        most = group.labellings.shape[1]
        if most < 2:
            return cls(most, 0, None)
        several = np.flatnonzero(~np.isnan(group.labellings[0, 1]))
        sides = [Side(lines[0], lines[1], several) for lines in group.labellings]
        return cls(most, len(several), draws.mean_of(sides))

    def columns(self) -> dict[str, float | int | str | None]:
        """As the table of coefficients has them."""
        tau = self.tau or SeedMean(None, None, 0, 0)
        low, high = tau.interval or (None, None)
        return {
            "labellings": self.most,
            "cells_with_several": self.cells,
            "labelling_tau": tau.value,
            "labelling_low": low,
            "labelling_high": high,
            "labelling_statement": tau.statement,
        }
