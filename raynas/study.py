"""`python -m raynas.study regularisation`: what do settings do to one-shot searches?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from search_spaces.command_line import names
from search_spaces.command_line import run as run_command_line

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

_Text = str | None
_Number = int | None


@app.command()
def study(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="regularisation, learning-rate, epochs or warm-start."),
    ],
    space: Annotated[
        list[str] | None, typer.Option(help="1, 2 or 3; repeat it, or separate by commas.")
    ] = None,
    methods: Annotated[
        list[str] | None, typer.Option(help="Names of one-shot methods, by commas.")
    ] = None,
    search_seeds: Annotated[
        _Number, typer.Option(help="Searches per method, space and setting.")
    ] = None,
    preset: Annotated[
        _Text, typer.Option(help="quick (minutes) or paper (as published, on CIFAR-10).")
    ] = None,
    epochs: Annotated[
        _Number,
        typer.Option(
            help="Length of a search with the default setting (published: 50); all epochs of the "
            "grid are scaled with it."
        ),
    ] = None,
    channels: Annotated[_Number, typer.Option(help="Width of the supernet.")] = None,
    cells: Annotated[_Number, typer.Option(help="Cells of the supernet.")] = None,
    batch_size: Annotated[_Number, typer.Option(help="Images per step of a search.")] = None,
    images: Annotated[
        _Text, typer.Option(help="What is searched on: auto, cifar10, digits, or a path.")
    ] = None,
    device: Annotated[_Text, typer.Option(help="Of searches: auto, cpu or cuda.")] = None,
    precision: Annotated[_Text, typer.Option(help="Of searches: float32 or bf16.")] = None,
    gpus_per_trial: Annotated[
        float | None,
        typer.Option(help="Share of a GPU for a search; by default a dry run finds it."),
    ] = None,
    benchmark: Annotated[
        _Text, typer.Option(help="auto, surrogate, or the path of a store.")
    ] = None,
    seed: Annotated[_Number, typer.Option(help="Root of all random numbers.")] = None,
    out: Annotated[Path | None, typer.Option(help="Directory of the new study.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Study directory to continue.")] = None,
    address: Annotated[
        _Text, typer.Option(help="host:port of a Ray cluster; by default one is started here.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    debug: Annotated[  # noqa: ARG001  (read by the command line's frame)
        bool, typer.Option("--debug", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """Search with every setting of a grid; write a study with a sensitivity table and a page."""
    from rich.console import Console

    from raynas import study_request
    from raynas.console import LiveProgress, print_places
    from raynas.execution.cluster import probe_cluster
    from raynas.search_request import SearchRequest
    from raynas.study_console import ByMethod, opening, result_tables
    from search_spaces.errors import UserError

    if out is not None and resume is not None:
        raise UserError("--out names a new study and --resume an old one; give one", exit_code=2)
    # Before a study is made that could not run.
    cluster_gpus = None if address is None else probe_cluster(address).get("GPU", 0.0)
    searches = SearchRequest(
        epochs=epochs,
        channels=channels,
        cells=cells,
        batch_size=batch_size,
        device=device,
        precision=precision,
        images=images,
        search_seeds=search_seeds,
        gpus_per_trial=gpus_per_trial,
        cluster_gpus=cluster_gpus,
    )
    request = study_request.Request(
        name, names(space), names(methods), benchmark, seed, preset, searches
    )
    console = Console(quiet=quiet, highlight=False, soft_wrap=False)
    begun = study_request.resume(resume, request) if resume else study_request.start(request, out)
    with begun.study:
        console.print(opening(begun), soft_wrap=True, markup=False)
        listener = ByMethod(begun)
        with LiveProgress(console, listener.pairs, listener.methods) as live:
            result = study_request.run(begun, listener.telling(live), address)
    for table in result_tables(result.sensitivity, console.width):
        console.print()
        console.print(table)
    for line in result.outcome.warnings():
        console.print(f"warning: {line}", markup=False, soft_wrap=True)
    print_places(console, begun.study.path, result.report.page)


if __name__ == "__main__":
    run_command_line(app)
