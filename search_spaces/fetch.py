"""`python -m search_spaces.fetch nasbench101|cifar10`: download, verify, convert."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from search_spaces.benchmark import Benchmark, BenchmarkError
from search_spaces.command_line import run
from search_spaces.convert import convert, summary
from search_spaces.data_directory import data_directory, official_store
from search_spaces.download import Download, download
from search_spaces.errors import UserError
from search_spaces.progress import progress_bar

_BASE = "https://storage.googleapis.com/nasbench/"

#: The files that Google published, with their checksums (google-research/nasbench, README).
ONLY_108 = Download(
    url=_BASE + "nasbench_only108.tfrecord",
    sha256="4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1",
)
FULL = Download(
    url=_BASE + "nasbench_full.tfrecord",
    sha256="3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c",
)

#: The binary version (Krizhevsky 2009); its page gives the md5 c32a1d4ab5d03f1284b67883e8d87530.
CIFAR10 = Download(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch left: the store, and one line about it."""

    store: Path
    message: str


def fetch_nasbench101(item: Download, *, remove_download: bool = False) -> Fetched:
    """Bring the official table into the data directory, unless it is there already.

    Args:
        item: which of the two files, and from where.
        remove_download: delete the downloaded file after its conversion.

    Raises:
        UserError: if the download fails; what has arrived is kept for the next attempt.
    """
    store = official_store()
    file = data_directory() / item.file_name
    if _converted_from(store) in (item.sha256, FULL.sha256):
        if remove_download:
            file.unlink(missing_ok=True)
        return Fetched(store, f"{store} is there already")
    download(item, data_directory())
    with progress_bar(f"converting {file.name}", file.stat().st_size) as advance:
        result = convert(file, store, progress=advance)
    if remove_download:
        file.unlink()
    return Fetched(store, summary(result))


def fetch_cifar10(item: Download) -> Path:
    """Bring CIFAR-10's binary archive into the data directory, under its official name.

    Raises:
        UserError: if the download fails; what has arrived is kept for the next attempt.
    """
    path = download(item, data_directory())
    return path.replace(data_directory() / CIFAR10.file_name)


def _converted_from(store: Path) -> str | None:
    """Checksum of the file that a store was made from; None without a readable store."""
    try:
        return str(Benchmark.open(store).metadata.get("source_sha256"))
    except BenchmarkError:
        return None


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def main() -> None:
    """Download public tables and data sets into the data directory ($RAYNAS_DATA)."""


@app.command()
def nasbench101(
    full: Annotated[
        bool, typer.Option("--full", help="All four budgets (1.95 GB); else 108 epochs (499 MB).")
    ] = False,
    remove_download: Annotated[
        bool, typer.Option("--remove-download", help="Delete the file after its conversion.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="A mirror of the same file; its checksum must agree.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,  # noqa: ARG001
) -> None:
    """Download NAS-Bench-101, check it, and convert it to the column store.

    An interrupted download is resumed by the same command.
    """
    item = _from_mirror(FULL if full else ONLY_108, url)
    with _resumable():
        print(fetch_nasbench101(item, remove_download=remove_download).message)


@app.command()
def cifar10(
    url: Annotated[
        str | None, typer.Option(help="A mirror of the same file; its checksum must agree.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,  # noqa: ARG001
) -> None:
    """Download CIFAR-10's binary archive (170 MB) and check it.

    An interrupted download is resumed by the same command.
    """
    with _resumable():
        print(f"{fetch_cifar10(_from_mirror(CIFAR10, url))} is complete")


def _from_mirror(item: Download, url: str | None) -> Download:
    return item if url is None else Download(url=url, sha256=item.sha256)


@contextmanager
def _resumable() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise UserError(
            "interrupted; the same command goes on where it stopped", exit_code=130
        ) from None


if __name__ == "__main__":
    run(app)
