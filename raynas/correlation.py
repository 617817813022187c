"""`python -m raynas.correlation STUDY`: do cells rank with shared weights as when trained alone?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from raynas import options
from search_spaces.command_line import run as run_command_line

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def correlation(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY", help="Directory of a comparison or study.")
    ],
    methods: Annotated[
        str | None,
        typer.Option(help="Methods, joined by commas; of a study also one with its setting."),
    ] = None,
    space: Annotated[str | None, typer.Option(help="Spaces, joined by commas.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds, joined by commas.")] = None,
    epochs: Annotated[
        str | None, typer.Option(help="Checkpoints: last (default), all, or epochs such as 5,15.")
    ] = None,
    cells: Annotated[
        int | None, typer.Option(help="So many cells of each space, drawn at random; default all.")
    ] = None,
    labellings: Annotated[
        int | None,
        typer.Option(
            help="Architectures of each cell, drawn at random; its score is their mean. From two "
            "on it is shown how well they agree. Default 1."
        ),
    ] = None,
    images_limit: Annotated[
        int | None, typer.Option(help="So many images of the validation half; default all.")
    ] = None,
    rules: Annotated[
        str | None, typer.Option(help="Evaluation rules: corrected, published; default both.")
    ] = None,
    statistics: Annotated[
        str | None,
        typer.Option(help="Of the corrected rule: batch, running, recalibrated; default all."),
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option(help="surrogate, auto or a path; default the study's.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the draws of cells and images.")] = None,
    actors: Annotated[
        int,
        typer.Option(min=0, help="Supernets that work at once; 0: in this process, without Ray."),
    ] = 2,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    address: options.Address = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Directory of results; default STUDY/correlation.", show_default=False),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue where it stopped.")] = False,
    debug: options.Debug = False,  # noqa: ARG001  (read by the command line's frame)
) -> None:
    """Evaluate cells with the shared weights of a study's searches, and compare their order."""
    from rich.console import Console

    from raynas.analysis.rank_correlation.console import LiveScores, print_coefficients
    from raynas.correlation_study import Request, prepare, run
    from raynas.execution.cluster import probe_cluster
    from raynas.search_request import SearchRequest, search_device
    from search_spaces.errors import UserError, unknown_name

    if device not in ("cpu", "cuda"):
        raise unknown_name("device", device, ["cpu", "cuda"])
    if address is not None and actors == 0:
        raise UserError(
            "--address joins a Ray cluster and --actors 0 uses none; leave one of them out",
            exit_code=2,
        )
    request = Request(
        methods=_names(methods),
        spaces=_names(space),
        seeds=_numbers(seeds),
        epochs=epochs,
        cells=cells,
        labellings=labellings,
        images_limit=images_limit,
        rules=_names(rules),
        statistics=_names(statistics),
        seed=seed,
        benchmark=benchmark,
    )
    request.check()
    # Before a directory is made for what could not run.
    gpus = None if address is None else probe_cluster(address).get("GPU", 0.0)
    search_device(SearchRequest(device=device, cluster_gpus=gpus))
    work = prepare(study, request, out, resume=resume)
    console = Console(highlight=False)
    try:
        with work.log, LiveScores(console, work.evaluations_per_checkpoint()) as live:
            done = run(work, actors=actors, device=device, address=address, listener=live)
    except KeyboardInterrupt:
        raise UserError(
            f"stopped; nothing finished is lost, continue with --resume ({work.log.path})",
            exit_code=130,
        ) from None
    print_coefficients(console, work.benchmark, done.coefficients, done.late)
    places = {"scores": done.paths.scores, "coefficients": done.paths.coefficients}
    if done.late.num_rows:
        places["late means"] = done.paths.late
    for what, path in (places | {"page": done.paths.page}).items():
        console.print(f"{what:<13}{path}", markup=False, soft_wrap=True)


def _names(text: str | None) -> tuple[str, ...] | None:
    """The names that commas join; those within brackets belong to a name."""
    if text is None:
        return None
    parts = re.split(r",(?![^()]*\))", text)
    return tuple(part.strip() for part in parts if part.strip())


def _numbers(text: str | None) -> tuple[int, ...] | None:
    from search_spaces.errors import UserError

    names = _names(text)
    if names is None:
        return None
    if not all(name.isdigit() for name in names):
        raise UserError(f"--seeds is {text!r}; it must be numbers such as 0,1,2", exit_code=2)
    return tuple(map(int, names))


if __name__ == "__main__":
    run_command_line(app)
