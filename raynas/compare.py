"""`python -m raynas.compare --space 3`: compare optimizers on a benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raynas import options
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
    benchmark: options.Benchmark = None,
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
    seed: options.Seed = None,
    preset: Annotated[_Text, typer.Option(help="quick (10 seeds) or paper (500 seeds).")] = None,
    search_seeds: Annotated[
        _Number, typer.Option(help="Searches per one-shot method and space.")
    ] = None,
    epochs: Annotated[_Number, typer.Option(help="Length of a one-shot search.")] = None,
    channels: options.Channels = None,
    cells: options.Cells = None,
    batch_size: options.BatchSize = None,
    images: options.Images = None,
    device: options.Device = None,
    precision: options.Precision = None,
    gpus_per_trial: options.GpusPerTrial = None,
    keep_checkpoints: options.KeepCheckpoints = None,
    tuned: Annotated[
        list[Path] | None,
        typer.Option(
            help="Directory of a sweep: its method also runs with the settings that it found; "
            "repeat it for other methods."
        ),
    ] = None,
    out: options.Out = None,
    resume: options.ResumeStudy = None,
    address: options.Address = None,
    quiet: options.Quiet = False,
    debug: options.Debug = False,  # noqa: ARG001  (read by the command line's frame)
) -> None:
    """Compare neural architecture search methods and write a study with tables and a page."""
    from rich.console import Console

    from raynas import comparison
    from raynas.console import LiveProgress, print_places, result_tables
    from raynas.execution.cluster import probe_cluster
    from raynas.search_request import SearchRequest

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
    request = comparison.Request(
        spaces=names(space),
        methods=names(methods),
        seeds=seeds,
        evaluations=evaluations,
        budget_seconds=budget_seconds,
        benchmark=benchmark,
        repeat=repeat,
        incumbent=incumbent,
        workers=workers,
        seed=seed,
        preset=preset,
        searches=searches,
        tuned=tuple(tuned) if tuned else None,
    )
    console = Console(quiet=quiet, highlight=False, soft_wrap=False)
    begun = comparison.resume(resume, request) if resume else comparison.start(request, out)
    with begun.study:
        console.print(_opening(begun), soft_wrap=True)
        with LiveProgress(console, begun.plan.pairs(), begun.plan.searched) as live:
            result = comparison.run(begun, live, address)
    for table in result_tables(result.table, console.width):
        console.print()
        console.print(table)
    for line in result.outcome.warnings():
        console.print(f"warning: {line}", markup=False, soft_wrap=True)
    print_places(console, begun.study.path, result.report.page)


def _opening(begun: object) -> str:
    from raynas.comparison import Comparison
    from raynas.labels import benchmark_lines
    from raynas.report.wording import counted

    assert isinstance(begun, Comparison)
    plan, manifest = begun.plan, begun.study.manifest
    benchmark = manifest["benchmark"]
    lines = benchmark_lines(benchmark["name"], benchmark["kind"])
    lines += [f"note: {note}" for note in begun.notes]
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
