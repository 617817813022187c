"""Build the page of a sweep from its directory."""

from __future__ import annotations

from pathlib import Path

from raynas.execution.files import write_atomically, writing
from raynas.report.build import FIGURES, PAGE, ReportPaths


def build_report(study: str | Path) -> ReportPaths:
    """Write `report.html` and `figures/` into the directory of a sweep.

    Raises:
        UserError: it is no sweep, a file of it is damaged, or it cannot be written to.
    """
    from tuning.report.analysis import importance
    from tuning.report.content import read_content
    from tuning.report.page import page
    from tuning.report.static import write_static_figures

    study = Path(study)
    content = read_content(study)
    found = importance(content)
    html = page(content, found)
    with writing(study):
        (study / FIGURES).mkdir(parents=True, exist_ok=True)
    drawn = write_static_figures(content, found, study / FIGURES)
    write_atomically(study / PAGE, lambda path: path.write_text(html, encoding="utf-8"))
    return ReportPaths(study / PAGE, tuple(drawn))
