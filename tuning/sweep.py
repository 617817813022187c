"""`python -m tuning.sweep darts --space 3`: tune the hyperparameters of a one-shot method."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    seed: Annotated[_Number, typer.Option(help="Root of all random numbers.")] = None,
    repeat: Annotated[
        _Text,
        typer.Option(help="Training repeat of the benchmark that decides: mean, 0, 1 or 2."),
    ] = None,
    benchmark: Annotated[
        _Text, typer.Option(help="auto, surrogate, or the path of a store.")
    ] = None,
    preset: Annotated[
        _Text, typer.Option(help="quick (minutes), or paper (280 evaluations, full size).")
    ] = None,
    images: Annotated[
        _Text, typer.Option(help="What is searched on: auto, cifar10, digits, or a path.")
    ] = None,
    channels: Annotated[_Number, typer.Option(help="Width of the supernet.")] = None,
    cells: Annotated[_Number, typer.Option(help="Cells of the supernet.")] = None,
    batch_size: Annotated[
        _Number, typer.Option(help="Images per step where it is not tuned.")
    ] = None,
    device: Annotated[_Text, typer.Option(help="auto, cpu or cuda.")] = None,
    precision: Annotated[_Text, typer.Option(help="float32 or bf16.")] = None,
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
    out: Annotated[Path | None, typer.Option(help="Directory of the new study.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Study directory to continue.")] = None,
    address: Annotated[
        _Text, typer.Option(help="host:port of a Ray cluster; by default one is started here.")
    ] = None,
    start_timeout: Annotated[
        float, typer.Option(help="Seconds to wait for a cluster with room for an evaluation.")
    ] = 600.0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    debug: Annotated[  # noqa: ARG001  (read by the command line's frame)
        bool, typer.Option("--debug", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """Tune a one-shot method by what its final cells score, and compare it with its defaults."""
    from rich.console import Console

    from raynas.execution.cluster import probe_cluster
    from raynas.search_request import SearchRequest
    from search_spaces.errors import UserError
    from tuning.found import write_tuned
    from tuning.request import SweepRequest, new_sweep, old_sweep

    if out is not None and resume is not None:
        raise UserError("--out names a new study and --resume an old one; give one", exit_code=2)
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
    result = _run(begun, resume or out or _new_directory(begun), resume is not None, console, place)
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
    console.print(f"\nstudy  {_short(result.path)}", markup=False, soft_wrap=True)
    console.print(f"page   {_short(paths.page)}", markup=False, soft_wrap=True)
    if best is None:
        raise UserError(
            f"every evaluation failed; the column error of {result.path / 'evaluations.parquet'} "
            "says why"
        )


def _opening(begun: Sweep) -> str:
    settings, arguments = begun.settings, begun.arguments
    planned = settings.planned_evaluations
    count = "" if planned is None else f"{planned} evaluations, "
    lines = [f"benchmark: {begun.benchmark.name}"]
    if begun.benchmark.kind == "surrogate":
        lines.append(
            "  predictions, not measurements; `python -m search_spaces.fetch nasbench101` gets "
            "the measured table"
        )
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


def _new_directory(begun: Sweep) -> Path:
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    name = f"sweep-{begun.objective.method}-space-{begun.arguments['space']}-{moment}"
    return Path("studies") / name


def _short(path: Path) -> Path:
    """Relative to the working directory where that is shorter."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path


if __name__ == "__main__":
    run_command_line(app)
