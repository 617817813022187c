"""Options that several commands have, so that they are called and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from search_spaces.errors import UserError

# What is searched, on what, and where ---------------------------------------------------------
Channels = Annotated[int | None, typer.Option(help="Width of the supernet.")]
Cells = Annotated[int | None, typer.Option(help="Cells of the supernet.")]
BatchSize = Annotated[
    int | None, typer.Option(help="Images per step of a search, where it is not tuned.")
]
Images = Annotated[
    str | None, typer.Option(help="What is searched on: auto, cifar10, digits, or a path.")
]
Device = Annotated[str | None, typer.Option(help="Of searches: auto, cpu or cuda.")]
Precision = Annotated[str | None, typer.Option(help="Of searches: float32 or bf16.")]
GpusPerTrial = Annotated[
    float | None, typer.Option(help="Share of a GPU for a search; by default a dry run finds it.")
]
KeepCheckpoints = Annotated[
    str | None, typer.Option(help="Of searches: last, or all to keep that of every epoch.")
]
Benchmark = Annotated[str | None, typer.Option(help="auto, surrogate, or the path of a store.")]
Seed = Annotated[int | None, typer.Option(help="Root of all random numbers.")]

# The study, and how it is run -----------------------------------------------------------------
Out = Annotated[Path | None, typer.Option(help="Directory of the new study.")]
ResumeStudy = Annotated[Path | None, typer.Option(help="Study directory to continue.")]
Address = Annotated[
    str | None, typer.Option(help="host:port of a Ray cluster; by default one is started here.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def new_or_old(out: Path | None, resume: Path | None) -> None:
    """Refuse a study that is both new and to be continued."""
    if out is not None and resume is not None:
        raise UserError("--out names a new study and --resume an old one; give one", exit_code=2)
