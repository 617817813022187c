"""A command as a process of its own, with what it says in a file."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended.

    Attributes:
        exit_code: 0 if all went well.
        seconds: it took.
        last_line: of what it said.
    """

    exit_code: int
    seconds: float
    last_line: str


Runner = Callable[[Sequence[str], Path], Ran]
"""Runs a command (what follows the interpreter) and writes what it says to a file."""


def run_command(command: Sequence[str], log: Path) -> Ran:
    """Run `python` with these arguments.

    The command is in a process group of its own, so Ctrl-C reaches it once, through us; so does
    the end that `kill` asks for. To be called in the main thread.

    Raises:
        KeyboardInterrupt: after the command has ended on the interrupt.
    """
    began = time.monotonic()
    with log.open("ab") as file, _as_interrupt(signal.SIGTERM):
        process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait()
        except KeyboardInterrupt:
            _stop(process)
            raise
    return Ran(code, time.monotonic() - began, _last_line(log))


@contextmanager
def _as_interrupt(number: signal.Signals) -> Iterator[None]:
    """Take a signal as Ctrl-C for a while."""
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a command as Ctrl-C does, and by force if it does not end."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
