"""Regret, statistics and the exact course of random search."""

from __future__ import annotations

from raynas.analysis.reference import CURVES_SCHEMA, reference_curves
from raynas.analysis.summary import CHECKPOINTS, SUMMARY_SCHEMA, summary
from raynas.analysis.trajectory import TRAJECTORY_SCHEMA, trajectory

__all__ = [
    "CHECKPOINTS",
    "CURVES_SCHEMA",
    "SUMMARY_SCHEMA",
    "TRAJECTORY_SCHEMA",
    "reference_curves",
    "summary",
    "trajectory",
]
