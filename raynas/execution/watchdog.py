"""Tidies up after a driver that was killed: ends what Ray leaves running, deletes its folder.

Ray's servers die with the driver, but some of its agents stay for another minute. This file runs
as a small process of its own and uses nothing but the standard library. Its input is a pipe that
the driver holds: lines "pid start" name the processes of the cluster, the line "done" says that
the driver has tidied up itself; the end of the input without it says that the driver is dead.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_GRACE_SECONDS = 0.5
_DONE = "done"


@contextlib.contextmanager
def guarded(folder: Path) -> Iterator[Watchdog]:
    """Have a watchdog for as long as `folder` and what runs in it are needed."""
    watchdog = Watchdog(folder)
    try:
        yield watchdog
    finally:
        watchdog.end()


class Watchdog:
    """The driver's end of the pipe."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C is for the driver
        )

    def note_descendants(self) -> None:
        """Name all processes below this one as part of the cluster."""
        for pid in _descendants(os.getpid()):
            if pid != self._process.pid:
                self._say(f"{pid} {_start_time(pid)}")

    def end(self) -> None:
        """Nothing is left to do; may be said twice."""
        self._say(_DONE)
        self._process.wait()

    def _say(self, line: str) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                print(line, file=self._process.stdin, flush=True)


def _watch(folder: str) -> None:
    lines = []
    for line in sys.stdin:
        if line.strip() == _DONE:
            return
        lines.append(line)
    time.sleep(_GRACE_SECONDS)
    for line in lines:
        pid, start = line.split()
        if start != "None" and _start_time(int(pid)) == int(start):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
    time.sleep(_GRACE_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)


def _descendants(pid: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(entry.name)] = int(_stat(int(entry.name))[1])
    found = [pid]
    for one in found:  # grows while it is read
        found.extend(child for child, parent in parents.items() if parent == one)
    return found[1:]


def _start_time(pid: int) -> int | None:
    """Clock ticks between boot and the start of a process: pid and start name it for ever."""
    with contextlib.suppress(OSError):
        return int(_stat(pid)[19])
    return None


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name, from the state on."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


if __name__ == "__main__":
    _watch(sys.argv[1])
