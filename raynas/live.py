"""What is drawn anew on a terminal while work goes on."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.progress import Progress


class LiveDisplay:
    """Drawn for the length of a `with` block; nothing is where the output is no terminal.

    Args:
        console: where to.
        drawn: what Rich draws there.
    """

    def __init__(self, console: Console, drawn: Live | Progress) -> None:
        self._console, self._drawn = console, drawn

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._drawn.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._drawn.stop()
