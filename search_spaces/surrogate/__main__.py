"""`python -m search_spaces.surrogate fit|report`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown

from search_spaces.command_line import run
from search_spaces.errors import UserError
from search_spaces.surrogate.report import fidelity_report
from search_spaces.surrogate.settings import QUICK, FitSettings
from search_spaces.surrogate.shipped import read_metadata, shipped_path

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Fit the embedded surrogate, or show its fidelity.",
)

_Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


@app.command()
def fit(
    data: Annotated[
        Path, typer.Option(help="Folder of partial Parquet tables, or a converted official store.")
    ],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    quick: Annotated[
        bool, typer.Option("--quick", help="A tiny fit, to see that it works.")
    ] = False,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of the networks.")] = None,
    folds: Annotated[int | None, typer.Option(min=2, help="Folds over the module hashes.")] = None,
    members: Annotated[int | None, typer.Option(min=1, help="Networks per fold.")] = None,
    draws: Annotated[int | None, typer.Option(min=1, help="Residual draws to try.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the fit.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads.")] = None,
    checkpoints: Annotated[
        Path | None, typer.Option(help="Folder to keep the predictions of finished folds in.")
    ] = None,
    debug: _Debug = False,  # noqa: ARG001 - read by the command line's error handling
) -> None:
    """Fit a surrogate to measured figures and write its file."""
    from search_spaces.surrogate.fit import fit_surrogate

    base = QUICK if quick else FitSettings()
    network = replace(base.network, **_given(epochs=epochs, members=members))
    chosen = _given(folds=folds, draws=draws, seed=seed, threads=threads)
    if not out.parent.is_dir():
        raise UserError(f"no folder {out.parent} to write {out.name} to; create it first")
    if checkpoints is not None:
        checkpoints.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    settings = replace(base, network=network, **chosen)
    fit_surrogate(data, out, settings, console.print, checkpoints)
    console.print(f"wrote {out} ({out.stat().st_size / 1e6:.2f} MB)")


def _given(**options: int | None) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


@app.command()
def report(
    file: Annotated[
        Path | None, typer.Option(help="A surrogate file; by default the one of the package.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print plain Markdown.")] = False,
    debug: _Debug = False,  # noqa: ARG001 - read by the command line's error handling
) -> None:
    """Print how faithful the surrogate is."""
    text = fidelity_report(read_metadata(file or shipped_path()))
    if markdown:
        typer.echo(text)
    else:
        Console().print(Markdown(text))


if __name__ == "__main__":
    run(app)
