"""How every command of the project ends: one line for what a user can set right."""

from __future__ import annotations

import errno
import sys

import typer

from search_spaces.errors import UserError

_WAYS_OUT = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another folder",
    errno.EACCES: "no permission; choose a folder that you may write to",
    errno.EPERM: "no permission; choose a folder that you may write to",
    errno.EROFS: "the file system is read-only; choose another folder",
}


def run(app: typer.Typer) -> None:
    """Run a command line and end the process.

    A `UserError` is printed in one line and ends with its exit code; so is an `OSError` that a
    full disk or a missing permission caused. `--debug` anywhere on the command line shows the
    traceback instead. An interrupt ends with 130.
    """
    try:
        app()
    except (UserError, OSError) as error:
        line = _explain(error)
        if line is None or "--debug" in sys.argv:
            raise
        print(f"error: {line}", file=sys.stderr)
        sys.exit(error.exit_code if isinstance(error, UserError) else 1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _explain(error: UserError | OSError) -> str | None:
    """The one line to show, or None if this is a fault of the program."""
    if isinstance(error, UserError):
        return " ".join(str(error).splitlines())
    if error.errno not in _WAYS_OUT:
        return None
    return f"cannot write {error.filename or 'a file'}: {_WAYS_OUT[error.errno]}"
