"""`python -m tuning.sweep darts --space 3`: tune the hyperparameters of a one-shot method."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from raynas import options
from search_spaces.command_line import run as run_command_line

if TYPE_CHECKING:
    from rich.console import Console

    from tuning.finals import Finals
    from tuning.request import Sweep, SweepRequest
    from tuning.run import SweepResult

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

_Text = str | None
_Number = int | None


@app.command()
def sweep(
    method: Annotated[
        _Text, typer.Argument(help="darts, darts2, gdas, pc_darts or random_ws.")
    ] = None,
    space: Annotated[_Text, typer.Option(help="1, 2 or 3 (default).")] = None,
    config_space: Annotated[
        _Number,
        typer.Option(
            help="Which hyperparameters: 1 regularisation, 2 and learning rate (default), 3 and "
            "the other published ones, 4 and the method's own."
        ),
    ] = None,
    algorithm: Annotated[
        _Text, typer.Option(help="bohb (default), hyperband, asha or random.")
    ] = None,
    min_epochs: Annotated[_Number, typer.Option(help="The smallest budget.")] = None,
    max_epochs: Annotated[_Number, typer.Option(help="The largest budget.")] = None,
    eta: Annotated[_Number, typer.Option(help="One in eta configurations is promoted.")] = None,
    iterations: Annotated[_Number, typer.Option(help="Number of brackets.")] = None,
    concurrent: Annotated[
        _Number,
        typer.Option(
            help="Evaluations under way at once, by default two for each that there is room for; "
            "proposals depend on it."
        ),
    ] = None,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart",
            help="Train promoted configurations anew, with a schedule for each budget, as "
            "published; by default they continue.",
        ),
    ] = False,
    seed: options.Seed = None,
    repeat: Annotated[
        _Text,
        typer.Option(help="Training repeat of the benchmark that decides: mean, 0, 1 or 2."),
    ] = None,
    benchmark: options.Benchmark = None,
    preset: Annotated[
        _Text, typer.Option(help="quick (minutes), or paper (280 evaluations, full size).")
    ] = None,
    images: options.Images = None,
    channels: options.Channels = None,
    cells: options.Cells = None,
    batch_size: options.BatchSize = None,
    device: options.Device = None,
    precision: options.Precision = None,
    gpus_per_trial: Annotated[
        float | None, typer.Option(help="Share of a GPU for an evaluation; a whole one on cuda.")
    ] = None,
    finalists: Annotated[
        _Number,
        typer.Option(
            help="Configurations that meet the default again with new seeds before one of them is "
            "chosen; 0 chooses the best of the sweep."
        ),
    ] = None,
    final_seeds: Annotated[_Number, typer.Option(help="Searches of each of those.")] = None,
    search_seeds: Annotated[
        _Number,
        typer.Option(help="Searches with default and with tuned settings after the sweep."),
    ] = None,
    seeds: Annotated[
        _Number, typer.Option(help="Runs of each black-box method after the sweep.")
    ] = None,
    skip_comparison: Annotated[
        bool, typer.Option("--skip-comparison", help="End with the sweep itself.")
    ] = False,
    out: options.Out = None,
    resume: options.ResumeStudy = None,
    address: options.Address = None,
    start_timeout: Annotated[
        float, typer.Option(help="Seconds to wait for a cluster with room for an evaluation.")
    ] = 600.0,
    quiet: options.Quiet = False,
    debug: options.Debug = False,  # noqa: ARG001  (read by the command line's frame)
) -> None:
    """Tune a one-shot method by what its final cells score, and compare it with its defaults."""
    from rich.console import Console

    from raynas.execution.cluster import probe_cluster
    from raynas.execution.directory import new_path
    from raynas.search_request import SearchRequest
    from tuning.found import write_tuned
    from tuning.request import SweepRequest, new_sweep, old_sweep

    options.new_or_old(out, resume)
    # Before a study is made that could not run.
    cluster = None if address is None else probe_cluster(address)
    request = SweepRequest(
        method=method,
        space=space,
        config_space=config_space,
        algorithm=algorithm,
        min_epochs=min_epochs,
        max_epochs=max_epochs,
        eta=eta,
        iterations=iterations,
        concurrent=concurrent,
        restart=restart or None,
        seed=seed,
        repeat=repeat,
        benchmark=benchmark,
        preset=preset,
        finalists=finalists,
        final_seeds=final_seeds,
        seeds=seeds,
        searches=SearchRequest(
            channels=channels,
            cells=cells,
            batch_size=batch_size,
            device=device,
            precision=precision,
            images=images,
            search_seeds=search_seeds,
            gpus_per_trial=gpus_per_trial,
            cluster_gpus=None if cluster is None else cluster.get("GPU", 0.0),
        ),
        cluster=cluster,
    )
    begun = old_sweep(resume, request) if resume else new_sweep(request)
    console = Console(quiet=quiet, highlight=False, soft_wrap=False)
    console.print(_opening(begun), soft_wrap=True)
    place = {"address": address, "start_timeout": start_timeout}
    name = f"sweep-{begun.objective.method}-space-{begun.arguments['space']}"
    folder = resume or out or new_path(name)
    result = _run(begun, folder, resume is not None, console, place)
    finals = _run_finals(begun, result, console, place)
    tuned = write_tuned(begun, result, finals)
    if tuned is not None and not skip_comparison:
        _compare(begun, result, request, console, address)
    _finish(begun, result, finals, console)


def _run(
    begun: Sweep, folder: Path, resumed: bool, console: Console, place: dict[str, Any]
) -> SweepResult:
    """The sweep itself."""
    from tuning.console import LiveSweep
    from tuning.run import run_sweep

    with LiveSweep(console) as live:
        return run_sweep(
            begun.settings,
            begun.space,
            begun.objective,
            folder,
            resume=resumed,
            arguments=begun.arguments,
            about=begun.about,
            gpus_per_trial=begun.gpus_per_trial,
            listener=live,
            **place,
        )


def _run_finals(
    begun: Sweep, result: SweepResult, console: Console, place: dict[str, Any]
) -> Finals | None:
    """The best few and the default with new seeds."""
    from tuning.console import LiveSweep
    from tuning.finals import run_finals

    with LiveSweep(console, "finals: ") as live:
        return run_finals(begun, result, live, **place)


def _compare(
    begun: Sweep, result: SweepResult, request: SweepRequest, console: Console, address: str | None
) -> None:
    """Default and tuned settings with yet other seeds, and black-box optimizers."""
    from raynas.console import LiveProgress
    from tuning import confirmation

    count = result.table.num_rows
    check = confirmation.begin(begun, result.path, count, request.searches.cluster_gpus)
    with LiveProgress(console, check.plan.pairs(), check.plan.searched) as live:
        confirmation.run(check, result.path, live, address)


def _finish(begun: Sweep, result: SweepResult, finals: Finals | None, console: Console) -> None:
    """Tables and the page."""
    from raynas.console import print_places
    from search_spaces.errors import UserError
    from tuning.confirmation import final_cells
    from tuning.console import closing_table
    from tuning.finals import chosen_row
    from tuning.found import write_curves
    from tuning.report import build_report, improvement_line
    from tuning.report.content import default_row
    from tuning.report.wording import chosen

    write_curves(begun, result, final_cells(result.path))
    paths = build_report(result.path)
    rows = result.table.to_pylist()
    best = chosen_row(rows, finals)
    console.print()
    console.print(closing_table(begun.axes, default_row(rows), best, finals))
    if finals is not None:
        console.print(chosen(finals), soft_wrap=True)
    console.print(improvement_line(result.path), soft_wrap=True)
    for line in result.warnings():
        console.print(f"warning: {line}", markup=False, soft_wrap=True)
    print_places(console, result.path, paths.page)
    if best is None:
        raise UserError(
            f"every evaluation failed; the column error of {result.path / 'evaluations.parquet'} "
            "says why"
        )


def _opening(begun: Sweep) -> str:
    from raynas.labels import benchmark_lines

    settings, arguments = begun.settings, begun.arguments
    planned = settings.planned_evaluations
    count = "" if planned is None else f"{planned} evaluations, "
    lines = benchmark_lines(begun.benchmark.name, begun.benchmark.kind)
    plan = begun.plan
    lines.append(f"searches on {plan.images.title}, {plan.device}")
    lines.append(
        f"tuning {begun.objective.method} on space {arguments['space']}: "
        f"{', '.join(axis.name for axis in begun.axes)}"
    )
    lines.append(
        f"{settings.algorithm}, {count}{settings.planned_epochs:,} epochs at budgets of "
        f"{', '.join(map(str, settings.budgets))}; promoted configurations "
        f"{'train anew' if settings.restart else 'continue'}"
    )
    if arguments.get("finalists"):
        lines.append(
            f"then the best {arguments['finalists']} and the default with "
            f"{arguments['final_seeds']} new seeds each"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    run_command_line(app)
