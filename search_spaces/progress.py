"""A progress bar for bytes, on the terminal's error stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Told how many more bytes are done.
Progress = Callable[[int], object]


@contextmanager
def progress_bar(title: str, total: int, done: int = 0) -> Iterator[Progress]:
    """Show a bar while the block runs, if the error stream is a terminal.

    Args:
        title: what is going on.
        total: bytes in all; 0 if that is not known.
        done: bytes that were done before.

    Yields:
        The function to call with the number of bytes done since its last call.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total or None, completed=done)
        yield lambda count: bar.advance(task, count)
