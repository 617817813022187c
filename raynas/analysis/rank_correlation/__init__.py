"""Do cells rank under shared weights as they do when trained alone?"""

from __future__ import annotations

from raynas.analysis.rank_correlation.coefficients import (
    COEFFICIENTS_SCHEMA,
    MAIN,
    coefficients,
)
from raynas.analysis.rank_correlation.late import LATE_SCHEMA, late_means
from raynas.analysis.rank_correlation.scale import ALL, BEST_SCORED, BEST_TRUE
from raynas.analysis.rank_correlation.scores import SCORES_SCHEMA, Group, OnImages, groups_of
from raynas.analysis.rank_correlation.truth import Truth

__all__ = [
    "ALL",
    "BEST_SCORED",
    "BEST_TRUE",
    "COEFFICIENTS_SCHEMA",
    "LATE_SCHEMA",
    "MAIN",
    "SCORES_SCHEMA",
    "Group",
    "OnImages",
    "Truth",
    "coefficients",
    "groups_of",
    "late_means",
]
