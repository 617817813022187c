"""Build a report from study directories and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from raynas.execution.files import write_atomically, writing
from raynas.execution.manifest import COMPARISON
from search_spaces.errors import UserError

PAGE = "report.html"
FIGURES = "figures"


@dataclass(frozen=True, slots=True)
class ReportPaths:
    """What was written.

    Attributes:
        page: the HTML page.
        figures: the static figures.
    """

    page: Path
    figures: tuple[Path, ...]


def build_report(studies: Sequence[str | Path], out: str | Path) -> ReportPaths:
    """Write `report.html` and `figures/` for one or several finished studies.

    Args:
        studies: their directories. Benchmarks may differ; the page says so then.
        out: directory to write to, made if it is not there; may be a study's own.

    Raises:
        UserError: a directory is no finished study of this layout, or `out` cannot be written.
    """
    from raynas.report.content import contents
    from raynas.report.page import page
    from raynas.report.search_static import write_search_figures
    from raynas.report.static_figures import write_best_cell, write_static_figures
    from raynas.report.studies import merge, read_study

    if not studies:
        raise UserError("a report needs at least one study directory", exit_code=2)
    merged = merge([read_study(Path(study), COMPARISON) for study in studies])
    spaces = contents(merged)
    html = page(merged, spaces)
    out = Path(out)
    with writing(out):
        (out / FIGURES).mkdir(parents=True, exist_ok=True)
    drawn = []
    for space in spaces:
        drawn += write_static_figures(space, out / FIGURES)
        drawn += write_best_cell(space, out / FIGURES)
        drawn += write_search_figures(space, out / FIGURES)
    write_atomically(out / PAGE, lambda path: path.write_text(html, encoding="utf-8"))
    return ReportPaths(out / PAGE, tuple(drawn))
