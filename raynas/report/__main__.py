"""`python -m raynas.report DIR...` builds the page of one or several studies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raynas import options
from raynas.report.build import build_report
from search_spaces.command_line import run

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
SEVERAL = Path("raynas-report")


@app.command()
def main(
    studies: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR...",
            help="Directories of comparisons, or of one study of settings.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Directory to write to. Default: the study's own, or ./raynas-report for several.",
            show_default=False,
        ),
    ] = None,
    debug: options.Debug = False,  # noqa: ARG001  (read by the command line's frame)
) -> None:
    """Build report.html and figures/ from finished studies, without running anything."""
    from raynas.execution.manifest import STUDY, read_manifest
    from raynas.study_request import report

    if out is None:
        out = studies[0] if len(studies) == 1 else SEVERAL
    if len(studies) == 1 and read_manifest(studies[0]).get("kind") == STUDY:
        paths = report(studies[0], out)
    else:
        paths = build_report(studies, out)
    print(f"page: {paths.page}")
    print(f"figures: {paths.page.parent / 'figures'} ({len(paths.figures)} files)")


if __name__ == "__main__":
    run(app)
