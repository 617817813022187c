"""What `python -m raynas.reproduce` shows on the console."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from raynas.artefacts import Artefact, Verdict
from raynas.artefacts.commands import with_needed
from raynas.artefacts.costs import ASSUMED, GPU_BASIS, gpu_seconds, seconds_here
from raynas.report.reproduction_wording import counts, estimate, figures_in_short
from raynas.reproduction import Result, studies_of

#: As wide as their longest words, so that 80 columns leave enough for the names.
_NARROW = {"studies": 15, "here": 9, "one GPU\n(estimate)": 10}


def listing_table(artefacts: Sequence[Artefact], preset: str) -> Iterator[RenderableType]:
    """Names, sources and times of artefacts."""
    from raynas.execution.cluster import available_cores

    cores = max(1, round(available_cores()))
    table = Table(title=f"Artefacts, preset {preset}", title_justify="left")
    table.add_column("name, and what it shows")
    for heading, width in _NARROW.items():
        table.add_column(heading, width=width)
    for artefact in artefacts:
        table.add_row(
            Text.assemble((artefact.name, "bold"), f"\n{artefact.shows} ({artefact.source})"),
            Text("\n".join(artefact.studies) or "–"),
            *map(Text, _times(artefact, preset, cores)),
        )
    yield table
    available = [artefact for artefact in artefacts if artefact.obtain is not None]
    every = with_needed(studies_of(available))
    total = seconds_here(every, preset, cores)
    yield Text(
        f"Times of a study are counted with every artefact that reads it; it runs once. All of "
        f"these studies: {estimate(total)}. {ASSUMED[preset]} Here {cores} cores, in proportion, "
        f"whatever they are. One GPU: {GPU_BASIS}; searches of the quick preset are of the "
        "published size there, but short."
    )


def _times(artefact: Artefact, preset: str, cores: int) -> tuple[str, str]:
    if artefact.obtain is None:
        return "not available", "not available"
    if not artefact.studies:
        return "seconds", "needs no GPU"
    names = with_needed(artefact.studies)
    gpu = gpu_seconds(names, preset)
    on_gpu = "needs no GPU" if gpu is None else estimate(gpu)
    return estimate(seconds_here(names, preset, cores)), on_gpu


def result_table(results: Sequence[Result]) -> Table:
    """Verdict and figures in short, one row per artefact."""
    table = Table(title=counts(results), title_justify="left")
    table.add_column("name", no_wrap=True)
    for heading in ("obtained", "verdict"):
        table.add_column(heading)
    for result in results:
        judged = result.obtained.judged
        if judged.verdict is Verdict.NOT_AVAILABLE and len(results) > 1:
            continue  # the page and --list say what they need
        table.add_row(
            Text(result.artefact.name),
            Text(figures_in_short(result.obtained.readings)),
            Text(f"{judged.verdict}: {judged.reason}"),
        )
    return table
