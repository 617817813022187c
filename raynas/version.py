"""Which raynas this is: the version, and of a checkout its revision."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


@cache
def this_version() -> str:
    """For instance "raynas 0.1.0, revision 41a0022de3 with changes"."""
    try:
        name = f"raynas {version('raynas')}"
    except PackageNotFoundError:
        name = "raynas"
    found = revision(_ROOT)
    return name if found is None else f"{name}, revision {found}"


def revision(root: Path) -> str | None:
    """The commit that is checked out in a folder; None if it is no checkout, or without git."""
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=10"]
    try:
        ended = subprocess.run(
            [*command, "--exclude=*"], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    commit, dirty, _ = ended.stdout.strip().partition("-dirty")
    return f"{commit} with changes" if dirty else commit
