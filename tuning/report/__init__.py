"""The page of a sweep, made from its directory and nothing else."""

from __future__ import annotations

from tuning.report.build import build_report
from tuning.report.wording import improvement_line

__all__ = ["build_report", "improvement_line"]
