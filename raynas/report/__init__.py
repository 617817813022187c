"""From finished studies to one page and static figures."""

from __future__ import annotations

from raynas.report.build import ReportPaths, build_report

__all__ = ["ReportPaths", "build_report"]
