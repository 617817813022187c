"""Where downloaded and converted tables lie, and how files get there in one step."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

#: The official table, as `search_spaces.fetch` and `search_spaces.convert` leave it.
OFFICIAL_STORE = "nasbench101.arrow"


def data_directory() -> Path:
    """The folder of tables: `$RAYNAS_DATA`, else `raynas` in the user's data folder.

    The latter is `$XDG_DATA_HOME`, by default `~/.local/share` (XDG Base Directory
    Specification). The folder need not exist.
    """
    if chosen := os.environ.get("RAYNAS_DATA"):
        return Path(chosen).expanduser()
    home = os.environ.get("XDG_DATA_HOME", "")
    # The specification says that a relative path is to be ignored.
    base = Path(home) if os.path.isabs(home) else Path("~/.local/share").expanduser()  # noqa: PTH117
    return base / "raynas"


def official_store() -> Path:
    """Where the converted official table is looked for."""
    return data_directory() / OFFICIAL_STORE


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that afterwards either the whole of it is there, or what was before.

    Args:
        path: the file; its folder must exist.
        write: writes the content to the temporary path that it is given.

    Raises:
        OSError: if the folder is missing, full, or not writable.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o644)  # mkstemp makes a file that only its owner may read
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
