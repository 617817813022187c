"""`python -m raynas.reproduce NAME|all`: the figures and tables of the sources, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raynas import options
from search_spaces.command_line import run as run_command_line

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME...", help="Of artefacts, or all; --list shows them.", show_default=False
        ),
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", help="Show the artefacts and how long they take.")
    ] = False,
    preset: Annotated[
        str, typer.Option(help="quick (small searches on digits), or paper (as published).")
    ] = "quick",
    benchmark: options.Benchmark = None,
    images: options.Images = None,
    device: options.Device = None,
    study: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=DIR",
            help="Read a study from this directory instead of running it; repeat it for others.",
        ),
    ] = None,
    no_run: Annotated[
        bool, typer.Option("--no-run", help="Run nothing, read the studies that are there.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Directory of the studies, the page and the Markdown file; default "
            "studies/reproduce-PRESET.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue studies that were stopped.")
    ] = False,
    address: options.Address = None,
    debug: options.Debug = False,  # noqa: ARG001  (read by the command line's frame)
) -> None:
    """Run what a figure, table or claim of the sources needs, and say whether it holds here."""
    from rich.console import Console

    from raynas.artefacts import ARTEFACTS, find_artefacts
    from raynas.artefacts.commands import PRESETS, Options
    from raynas.reproduction import reproduce as run
    from raynas.reproduction_console import listing_table, result_table
    from raynas.reproduction_request import Request, parse_existing
    from search_spaces.errors import UserError, unknown_name

    console = Console(highlight=False)
    if preset not in PRESETS:
        raise unknown_name("preset", preset, list(PRESETS))
    if listing:
        wanted = find_artefacts(names) if names else list(ARTEFACTS.values())
        for part in listing_table(wanted, preset):
            console.print(part)
        return
    if not names:
        raise UserError("name artefacts, or all; --list shows them", exit_code=2)
    request = Request(
        names=tuple(names),
        preset=preset,
        out=out,
        resume=resume,
        run=not no_run,
        options=Options(benchmark=benchmark, images=images, device=device, address=address),
        existing=parse_existing(study or []),
    )
    results, outcome, paths = run(
        request, lambda line: console.print(line, markup=False, soft_wrap=True)
    )
    console.print()
    console.print(result_table(results))
    console.print(f"\npage      {paths.page}", markup=False, soft_wrap=True)
    console.print(f"markdown  {paths.markdown}", markup=False, soft_wrap=True)
    if outcome.reasons and not no_run:
        raise UserError(
            f"{len(outcome.reasons)} of the studies did not finish: {', '.join(outcome.reasons)}; "
            "the rest is in the page, --resume tries again"
        )


if __name__ == "__main__":
    run_command_line(app)
