"""Command lines called in this process: a second less for each than a process of its own."""

from __future__ import annotations

import contextlib
import io
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from search_spaces.command_line import run


def understood(command: str) -> tuple[str, dict[str, Any]]:
    """Module and options of a command line, as the command's own parser reads them."""
    python, flag, module, *arguments = shlex.split(command)
    assert (python, flag) == ("python", "-m"), command
    app = import_module(module).app
    return module, get_command(app).make_context(module, arguments).params


def call(app: typer.Typer, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """What `python -m ...` does with these arguments in the folder `cwd`."""
    output, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["python -m", *arguments])
        patch.setenv("RAYNAS_DATA", str(cwd / "data"))
        patch.setenv("COLUMNS", "120")
        with (
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
            pytest.raises(SystemExit) as ended,
        ):
            run(app)
    code = ended.value.code
    assert isinstance(code, int)
    return subprocess.CompletedProcess(arguments, code, output.getvalue(), errors.getvalue())
