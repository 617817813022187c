"""Tidies up after a driver that was killed: ends what Ray leaves running, deletes its folder.

Ray's servers die with the driver, but some of its agents stay for another minute. This file runs
as a small process of its own and uses nothing but the standard library. Its input is a pipe that
the driver holds: the line "done" says that the driver has tidied up itself; the end of the input
without it says that the driver is dead.
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

_PAUSE_SECONDS = 0.5
_QUIET_ROUNDS = 3
_MOST_ROUNDS = 40
_DONE = "done"


@contextlib.contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Have a watchdog for as long as `folder` and the processes that write to it are needed."""
    watchdog = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C is for the driver
    )
    try:
        yield
    finally:
        watchdog.communicate(_DONE + "\n")


def watch(folder: Path) -> None:
    """Wait for the driver's end; unless it was a tidy one, tidy up.

    Processes may still be starting, so there is a look more than once until nobody comes any more.
    """
    if sys.stdin.readline().strip() == _DONE:
        return
    quiet = 0
    for _ in range(_MOST_ROUNDS):
        found = users_of(folder)
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        quiet = 0 if found else quiet + 1
        if quiet == _QUIET_ROUNDS:
            break
        time.sleep(_PAUSE_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)


def users_of(folder: Path) -> list[int]:
    """Processes that have a file below `folder` open, as all of Ray's have their log."""
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _uses(entry, f"{folder}/")]


def _uses(process: Path, prefix: str) -> bool:
    with contextlib.suppress(OSError):
        for file in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if str(file.readlink()).startswith(prefix):
                    return True
    return False


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
