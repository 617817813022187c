"""What the README names is there; its Python examples are run by `.ci/run`."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer

from raynas.compare import app as compare
from tuning.sweep import app as sweep

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """The text below a heading, up to the next one of its level."""
    return README.split(f"\n## {heading}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    ("app", "heading"),
    [(compare, "What a comparison does"), (sweep, "Tuning the searchers")],
    ids=["compare", "sweep"],
)
def test_the_table_of_options_is_that_of_the_program(app: typer.Typer, heading: str) -> None:
    rows = [line for line in section(heading).splitlines() if line.startswith("| `")]
    told = set(re.findall(r"--[a-z-]+", " ".join(rows)))
    command = typer.main.get_command(app)
    known = {option for parameter in command.params for option in parameter.opts}
    assert told == {option for option in known if option.startswith("--")}


def test_every_module_and_target_is_there() -> None:
    modules = set(re.findall(r"python -m ([a-z_.0-9]*[a-z_0-9])", README)) - {"venv"}
    assert {"raynas.compare", "search_spaces.fetch"} <= modules
    assert [name for name in modules if find_spec(name) is None] == []
    targets = set(re.findall(r"`?make ([a-z-]+)`?", section("Development")))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"test", "lint", "bench"} <= targets
    assert [name for name in targets if not re.search(rf"^{name}:", makefile, re.M)] == []


def test_every_file_that_is_linked_or_named_is_there() -> None:
    named = set(re.findall(r"\]\((?!http)([^)#]+)\)", README))
    named |= set(
        re.findall(r"`((?:raynas|tuning|search_spaces|tests|clusters)/[a-z_/.]+)`", README)
    )
    assert "docs/surrogate.md" in named
    assert [name for name in named if not (ROOT / name).exists()] == []
