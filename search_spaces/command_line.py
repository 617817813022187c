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


#: Exit code after Ctrl-C, by the shells' convention: 128 + SIGINT.
_INTERRUPTED = 130

#: A wrong option or argument; typer does not export the class itself.
_UsageError = typer.BadParameter.__bases__[0]


def run(app: typer.Typer) -> None:
    """Run a command line and end the process.

    A `UserError` is printed in one line and ends with its exit code; so is a wrong option (exit
    code 2), and an `OSError` that a full disk or a missing permission caused. `--debug` anywhere
    on the command line shows the traceback instead. An interrupt ends with 130.
    """
    try:
        code = app(standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted", file=sys.stderr)
        sys.exit(_INTERRUPTED)
    except Exception as error:
        line = _explain(error)
        if line is None or "--debug" in sys.argv:
            raise
        stopped = getattr(error, "exit_code", 1) == _INTERRUPTED
        print(line if stopped else f"error: {line}", file=sys.stderr)
        sys.exit(2 if isinstance(error, _UsageError) else getattr(error, "exit_code", 1))
    sys.exit(code or 0)


def names(values: list[str] | None) -> tuple[str, ...] | None:
    """The different names of an option that may be given several times, or joined by commas."""
    if values is None:
        return None
    found = [name.strip() for value in values for name in value.split(",")]
    return tuple(dict.fromkeys(name for name in found if name))


def _explain(error: Exception) -> str | None:
    """The one line to show, or None if this is a fault of the program."""
    if isinstance(error, _UsageError):
        return f"{error.format_message()} (--help lists the options)"  # type: ignore[attr-defined]
    if isinstance(error, UserError):
        return " ".join(str(error).splitlines())
    if not isinstance(error, OSError) or error.errno is None:
        return None
    place = error.filename or "a file"
    if error.errno in _WAYS_OUT:
        return f"cannot write {place}: {_WAYS_OUT[error.errno]}"
    return f"cannot use {place}: {error.strerror}; choose another path"
