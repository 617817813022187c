"""Statistics: intervals, tests, correlations, variances and power.

Everything here takes plain arrays, uses functions of scipy and statsmodels where there are any (but
for Holm's correction, where that of statsmodels collects garbage at each call), and returns a
`Statement` instead of a number where the data do not allow one.
"""

from __future__ import annotations

from raynas.analysis.statistics.agreement import Side, one_against_others, repeat_agreement
from raynas.analysis.statistics.comparison import (
    Equivalence,
    MannWhitney,
    brown_forsythe,
    drawn_mean_test,
    equivalence,
    holm,
    mann_whitney,
    permutation_test,
    superiority,
)
from raynas.analysis.statistics.correlation import (
    Correlation,
    correlation_test,
    kendall_null_deviation,
    kendall_tau,
    pearson,
    sparse_kendall_tau,
    spearman,
)
from raynas.analysis.statistics.descriptive import (
    Description,
    describe,
    mean,
    mean_ranks,
    quartiles,
)
from raynas.analysis.statistics.intervals import (
    RESAMPLES,
    bootstrap,
    difference,
    difference_interval,
    mean_interval,
    ratio,
)
from raynas.analysis.statistics.oracle import oracle_worlds
from raynas.analysis.statistics.power import (
    detectable_shift,
    mann_whitney_power,
    power_statement,
    uniform_mean_p,
)
from raynas.analysis.statistics.selection import top_k_overlap, top_k_regret
from raynas.analysis.statistics.statement import (
    FEWEST,
    LEVEL,
    Estimate,
    Significance,
    Statement,
)
from raynas.analysis.statistics.two_way import (
    KENDALL,
    PEARSON,
    SPEARMAN,
    Measure,
    SeedMean,
    TwoWay,
    left_out,
    sparse_kendall,
)
from raynas.analysis.statistics.variance import VarianceComponents, variance_components

__all__ = [
    "FEWEST",
    "KENDALL",
    "LEVEL",
    "PEARSON",
    "RESAMPLES",
    "SPEARMAN",
    "Correlation",
    "Description",
    "Equivalence",
    "Estimate",
    "MannWhitney",
    "Measure",
    "SeedMean",
    "Side",
    "Significance",
    "Statement",
    "TwoWay",
    "VarianceComponents",
    "bootstrap",
    "brown_forsythe",
    "correlation_test",
    "describe",
    "detectable_shift",
    "difference",
    "difference_interval",
    "drawn_mean_test",
    "equivalence",
    "holm",
    "kendall_null_deviation",
    "kendall_tau",
    "left_out",
    "mann_whitney",
    "mann_whitney_power",
    "mean",
    "mean_interval",
    "mean_ranks",
    "one_against_others",
    "oracle_worlds",
    "pearson",
    "permutation_test",
    "power_statement",
    "quartiles",
    "ratio",
    "repeat_agreement",
    "sparse_kendall",
    "sparse_kendall_tau",
    "spearman",
    "superiority",
    "top_k_overlap",
    "top_k_regret",
    "uniform_mean_p",
    "variance_components",
]
