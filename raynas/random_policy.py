"""`python -m raynas.random_policy STUDY...`: are the found cells better than random ones?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raynas import options
from search_spaces.command_line import run as run_command_line

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
SEVERAL = Path("raynas-random-policy")


@app.command()
def random_policy(
    studies: Annotated[
        list[Path],
        typer.Argument(
            metavar="STUDY...",
            help="Study directories, or CSV or Parquet files with the columns method, seed and "
            "module_hash (and, if known, space, weight_sharing and seconds).",
            show_default=False,
        ),
    ],
    space: Annotated[
        str | None, typer.Option(help="Space of files that do not say it: 1, 2, 3 or 101.")
    ] = None,
    benchmark: Annotated[
        str | None,
        typer.Option(help="What judges the cells: surrogate, auto or a path; by default a study's"),
    ] = None,
    among: Annotated[
        list[Path] | None,
        typer.Option(help="CSV or Parquet file with module_hash: draw from these cells as well."),
    ] = None,
    margin: Annotated[
        float, typer.Option(help="Difference in percentage points that counts as none.")
    ] = 0.2,
    out: Annotated[
        Path | None,
        typer.Option(help="Directory to write to. Default: the study's own.", show_default=False),
    ] = None,
    debug: options.Debug = False,  # noqa: ARG001  (read by the command line's frame)
) -> None:
    """Compare the final cells of methods with cells drawn at random, and with random search."""
    from rich.console import Console

    from raynas.analysis.random_policy import judge
    from raynas.analysis.random_policy.console import print_judgement
    from raynas.analysis.random_policy.reading import read_inputs
    from raynas.analysis.random_policy.record import Record
    from raynas.execution.manifest import now
    from raynas.report.random_policy import write_random_policy
    from raynas.version import this_version
    from search_spaces.errors import UserError

    if not 0 < margin < float("inf"):
        raise UserError(f"--margin is {margin}; it must be a number above 0", exit_code=2)
    inputs = read_inputs(studies, space, benchmark, among or [])
    judged = judge(
        inputs.finals, inputs.tables, among=inputs.among, margin=margin / 100, notes=inputs.notes
    )
    console = Console(highlight=False)
    print_judgement(console, inputs.benchmark, judged)
    if out is None:
        out = studies[0] if len(studies) == 1 and studies[0].is_dir() else SEVERAL
    record = Record(
        inputs.studies,
        now(),
        this_version(),
        space,
        benchmark,
        tuple(str(path.absolute()) for path in among or []),
        margin,
    )
    paths = write_random_policy(judged, inputs.benchmark, out, record)
    console.print(f"\ntable  {paths.table}", markup=False, soft_wrap=True)
    console.print(f"page   {paths.page}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    run_command_line(app)
