"""`python -m raynas.study regularisation`: what do settings do to one-shot searches?"""

from __future__ import annotations

from typing import Annotated

import typer

from raynas import options
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
    channels: options.Channels = None,
    cells: options.Cells = None,
    batch_size: options.BatchSize = None,
    images: options.Images = None,
    device: options.Device = None,
    precision: options.Precision = None,
    gpus_per_trial: options.GpusPerTrial = None,
    keep_checkpoints: options.KeepCheckpoints = None,
    benchmark: options.Benchmark = None,
    seed: options.Seed = None,
    out: options.Out = None,
    resume: options.ResumeStudy = None,
    address: options.Address = None,
    quiet: options.Quiet = False,
    debug: options.Debug = False,  # noqa: ARG001  (read by the command line's frame)
) -> None:
    """Search with every setting of a grid; write a study with a sensitivity table and a page."""
    from rich.console import Console

    from raynas import study_request
    from raynas.console import LiveProgress, print_places
    from raynas.execution.cluster import probe_cluster
    from raynas.search_request import SearchRequest
    from raynas.study_console import ByMethod, opening, result_tables

    options.new_or_old(out, resume)
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
        keep_checkpoints=keep_checkpoints,
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
    for table in result_tables(result.table, console.width):
        console.print()
        console.print(table)
    for line in result.outcome.warnings():
        console.print(f"warning: {line}", markup=False, soft_wrap=True)
    print_places(console, begun.study.path, result.report.page)


if __name__ == "__main__":
    run_command_line(app)
