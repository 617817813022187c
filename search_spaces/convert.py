"""`python -m search_spaces.convert FILE`: from an official NAS-Bench-101 file to the column store.

Two files are written: the store that `search_spaces.benchmark` opens, and beside it the details
that only the drop-in API needs (`search_spaces.nasbench_details`).
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from search_spaces.benchmark import BUDGETS, Benchmark, write_store
from search_spaces.collector import Collector
from search_spaces.command_line import run
from search_spaces.data_directory import official_store
from search_spaces.errors import UserError
from search_spaces.nasbench_details import details_path, write_details
from search_spaces.official_rows import parse_rows
from search_spaces.progress import Progress, progress_bar
from search_spaces.table_errors import RowError, TableFileError
from search_spaces.tfrecord import read_blocks

#: Checksums of the files that Google published (google-research/nasbench, README).
OFFICIAL_FILES = {
    "4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1": "108 epochs",
    "3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c": "4 to 108 epochs",
}
NUM_CELLS = 423_624  # unique cells of NAS-Bench-101 (Ying et al. 2019)


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion found.

    Attributes:
        store: the store that was written.
        name: what the store calls itself.
        rows: training runs in the file.
        cells: unique cells in the file.
        epochs: the budgets that occur.
        source_sha256: checksum of the file.
        official: whether it is one of the two published files.
    """

    store: Path
    name: str
    rows: int
    cells: int
    epochs: tuple[int, ...]
    source_sha256: str
    official: bool


def convert(
    source: Path, out: Path, *, partial: bool = False, progress: Progress | None = None
) -> Conversion:
    """Convert a file in the official format, in one pass and bounded memory.

    Args:
        source: a `.tfrecord` file with the rows in any order.
        out: the store to write; its details file is written beside it.
        partial: accept a file in which some cells have fewer runs than others.
        progress: told how many bytes are done.

    Raises:
        TableFileError: if the file is truncated, damaged, or another kind of file; nothing is
            written then.
        OSError: if the store cannot be written; nothing is left behind.
    """
    _check_paths(source, out)
    digest = hashlib.sha256()

    def observe(piece: bytes) -> None:
        digest.update(piece)
        if progress is not None:
            progress(len(piece))

    # Made first: a folder that cannot be written to shows before the long work, not after it.
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
        collector = _collect(source, observe)
        if not partial:
            _check_complete(source, collector)
        result = _describe(source, out, collector, digest.hexdigest())
        _write(Path(folder) / out.name, result, source, collector)
        details_path(Path(folder) / out.name).replace(details_path(out))
        (Path(folder) / out.name).replace(out)
    return result


def _check_paths(source: Path, out: Path) -> None:
    if out.is_dir():
        raise UserError(f"--out {out} is a folder; name a file in it", exit_code=2)
    if out.exists() and source.exists() and out.samefile(source):
        raise UserError(f"--out {out} is the file to convert; name another", exit_code=2)


def _collect(source: Path, observe: Callable[[bytes], object]) -> Collector:
    collector = Collector(max_cells=NUM_CELLS)
    for block in read_blocks(source, observe=observe):
        try:
            collector.add(parse_rows(block.payloads))
        except RowError as error:
            row, offset = block.first_row + error.index, int(block.offsets[error.index])
            raise TableFileError.at(source, row, offset, str(error)) from error
    return collector


def _check_complete(source: Path, collector: Collector) -> None:
    """A file that was cut off between two records shows in the number of runs per cell."""
    if (cell := collector.incomplete_cell()) is None:
        return
    raise UserError(
        f"{source}: cell {collector.module_hash(cell)} has fewer runs than other cells, so the "
        f"file seems cut off after its row {collector.rows - 1}; get it again, or pass --partial "
        "to convert what is there"
    )


def _describe(source: Path, out: Path, collector: Collector, sha256: str) -> Conversion:
    budgets = OFFICIAL_FILES.get(sha256)
    return Conversion(
        store=out,
        name=f"NAS-Bench-101 (official, {budgets})" if budgets else source.name,
        rows=collector.rows,
        cells=collector.cells,
        epochs=tuple(BUDGETS[index] for index in collector.budgets_present()),
        source_sha256=sha256,
        official=budgets is not None,
    )


def _write(store: Path, result: Conversion, source: Path, collector: Collector) -> None:
    """Write both files; the details know the checksum of the store."""
    write_store(
        store,
        collector.store_columns(),
        name=result.name,
        kind="official" if result.official else "synthetic",
        metadata={
            "source": source.name,
            "source_sha256": result.source_sha256,
            "rows": result.rows,
            "epochs": list(result.epochs),
        },
    )
    write_details(details_path(store), collector, Benchmark.open(store).sha256)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def main(
    file: Annotated[Path, typer.Argument(help="Official table, or one in its format.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Store to write; by default nasbench101.arrow in the data directory for an "
            "official file, and FILE with the ending .arrow for another.",
        ),
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Accept a table in which cells lack runs.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,  # noqa: ARG001
) -> None:
    """Convert an official NAS-Bench-101 file into the column store.

    A file that is truncated, damaged, or no NAS-Bench-101 table is refused with the row and the
    byte offset, and nothing is written.
    """
    total = file.stat().st_size if file.is_file() else 0
    with progress_bar(f"converting {file.name}", total) as advance:
        store = out or _default_store(file)
        result = convert(file, store, partial=partial, progress=advance)
    print(summary(result))


def _default_store(file: Path) -> Path:
    """The official store for an official file; another table must not take its place."""
    if not file.is_file():
        return official_store()  # `convert` says what is wrong with the file
    with file.open("rb") as source:
        official = hashlib.file_digest(source, "sha256").hexdigest() in OFFICIAL_FILES
    return official_store() if official else file.with_suffix(".arrow")


def summary(result: Conversion) -> str:
    """What a conversion found, for the console."""
    epochs = ", ".join(map(str, result.epochs))
    text = (
        f"{result.store}: {result.name}, {result.rows:,} runs of {result.cells:,} cells "
        f"at {epochs} epochs"
    )
    if not result.official:
        text += (
            f"\nnote: the sha256 {result.source_sha256[:16]}... is none of the published files'; "
            f"they hold {NUM_CELLS:,} cells"
        )
    return text


if __name__ == "__main__":
    run(app)
