"""`python -m raynas.compare --space 3`: compare optimizers on a benchmark."""

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
def compare(
    space: Annotated[
        list[str] | None, typer.Option(help="1, 2, 3 or 101; repeat it, or separate by commas.")
    ] = None,
    methods: Annotated[
        list[str] | None,
        typer.Option(
            help="Names of black-box or one-shot methods, by commas; by default all but smac3."
        ),
    ] = None,
    seeds: Annotated[_Number, typer.Option(help="Runs per black-box method and space.")] = None,
    evaluations: Annotated[
        _Number, typer.Option(help="Full trainings (108 epochs) that each run may spend.")
    ] = None,
    budget_seconds: Annotated[
        float | None, typer.Option(help="Simulated seconds that each run may last.")
    ] = None,
    benchmark: Annotated[
        _Text, typer.Option(help="auto, surrogate, or the path of a store.")
    ] = None,
    repeat: Annotated[
        _Text,
        typer.Option(help="Which training repeat is seen: seeded (drawn), mean, 0, 1 or 2."),
    ] = None,
    incumbent: Annotated[
        _Text, typer.Option(help="validation, or oracle for the published curves' rule.")
    ] = None,
    workers: Annotated[
        _Number, typer.Option(help="Simulated asynchronous workers of each run.")
    ] = None,
    seed: Annotated[_Number, typer.Option(help="Root of all random numbers.")] = None,
    preset: Annotated[_Text, typer.Option(help="quick (10 seeds) or paper (500 seeds).")] = None,
    search_seeds: Annotated[
        _Number, typer.Option(help="Searches per one-shot method and space.")
    ] = None,
    epochs: Annotated[_Number, typer.Option(help="Length of a one-shot search.")] = None,
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
    keep_checkpoints: Annotated[
        _Text, typer.Option(help="Of searches: last, or all to keep that of every epoch.")
    ] = None,
    tuned: Annotated[
        list[Path] | None,
        typer.Option(
            help="Directory of a sweep: its method also runs with the settings that it found; "
            "repeat it for other methods."
        ),
    ] = None,
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
    """Compare neural architecture search methods and write a study with tables and a page."""
    from rich.console import Console

    from raynas import comparison
    from raynas.console import LiveProgress, print_places, result_tables
    from raynas.execution.cluster import probe_cluster
    from raynas.search_request import SearchRequest
    from search_spaces.errors import UserError

    if out is not None and resume is not None:
        raise UserError("--out names a new study and --resume an old one; give one", exit_code=2)
    # Before a study is made that could not run.
    cluster_gpus = None if address is None else probe_cluster(address).get("GPU", 0.0)
    request = comparison.Request(
        names(space),
        names(methods),
        seeds,
        evaluations,
        budget_seconds,
        benchmark,
        repeat,
        incumbent,
        workers,
        seed,
        preset,
        SearchRequest(
            epochs,
            channels,
            cells,
            batch_size,
            device,
            precision,
            images,
            search_seeds,
            gpus_per_trial,
            keep_checkpoints,
            cluster_gpus,
        ),
        tuple(tuned) if tuned else None,
    )
    console = Console(quiet=quiet, highlight=False, soft_wrap=False)
    begun = comparison.resume(resume, request) if resume else comparison.start(request, out)
    with begun.study:
        console.print(_opening(begun), soft_wrap=True)
        with LiveProgress(console, begun.plan.pairs(), begun.plan.searched) as live:
            result = comparison.run(begun, live, address)
    for table in result_tables(result.summary, console.width):
        console.print()
        console.print(table)
    for line in result.outcome.warnings():
        console.print(f"warning: {line}", markup=False, soft_wrap=True)
    print_places(console, begun.study.path, result.report.page)


def _opening(begun: object) -> str:
    from raynas.comparison import Comparison
    from raynas.console import benchmark_lines
    from raynas.report.wording import counted

    assert isinstance(begun, Comparison)
    plan, manifest = begun.plan, begun.study.manifest
    lines = [*benchmark_lines(manifest["benchmark"]), *(f"note: {note}" for note in begun.notes)]
    spaces = f"{'spaces' if len(plan.spaces) > 1 else 'space'} {', '.join(plan.spaces)}"
    if plan.black_box:
        lines.append(
            f"{counted(len(plan.black_box), 'black-box method')}, {spaces}, "
            f"{counted(len(plan.seeds), 'seed')}, "
            f"{counted(plan.evaluations, 'full training')} each"
        )
    if plan.searches is not None:
        epochs = sorted({settings.epochs for settings in plan.searches.settings.values()})
        lines.append(
            f"{counted(len(plan.searched), 'one-shot method')}, {spaces}, "
            f"{counted(len(plan.searches.seeds), 'seed')}, "
            f"{' or '.join(map(str, epochs))} epoch{'' if epochs == [1] else 's'} each"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    run_command_line(app)
