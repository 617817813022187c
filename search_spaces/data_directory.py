"""Where downloaded tables and caches live, and how files get there whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def data_directory() -> Path:
    """`$RAYNAS_DATA` if set, else `raynas` in the XDG data home (`~/.local/share`)."""
    if chosen := os.environ.get("RAYNAS_DATA"):
        return Path(chosen).expanduser()
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "raynas"


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it.

    Afterwards the whole file is there or, if `write` raised, nothing has changed.

    Args:
        path: the file to make or replace; its folder must exist.
        write: writes the file at the path that it is given.

    Raises:
        OSError: if the folder cannot be written to.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
