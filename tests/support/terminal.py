"""Commands run in a pseudo-terminal, and what they drew there."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Sequence

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def drawn_by(command: Sequence[str], columns: int = 140) -> tuple[int, str]:
    """Exit code and all output of a command, without the codes for colours and places."""
    mine, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "TERM": "xterm-256color"}
    try:
        process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
        )
    finally:
        os.close(theirs)
    found = bytearray()
    try:
        while part := os.read(mine, 65536):
            found += part
    except OSError:  # how Linux says that the other side is closed
        pass
    finally:
        os.close(mine)
    return process.wait(60), _CODES.sub("", found.decode())
