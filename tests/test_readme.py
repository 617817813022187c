"""What the README names is there; its Python examples are run by `.ci/run`."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
import torch
import typer

from raynas.artefacts import costs
from raynas.compare import app as compare
from raynas.oneshot import REGISTRY, MethodInfo, Search, method_names, method_settings
from search_spaces.errors import UserError
from tests.support.searches import digest, tiny_search
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


def test_the_times_of_reproductions_are_reckoned_from_the_measured_ones() -> None:
    """The tables of the README and what `raynas.reproduce --list` reckons with agree."""
    speed = section("Speed")
    steps = re.findall(r"^\| `(\w+)` \| [\d,]+ ms \| ([\d,]+) ms", speed, re.M)
    assert {name: int(ms.replace(",", "")) / 1000 for name, ms in steps} == costs.STEP_SECONDS
    asked = dict(re.findall(r"^\| `(\w+)`: one suggestion.* \| ([\d.]+) ms", speed, re.M))
    del asked["smac3"]
    assert round(sum(map(float, asked.values())), 1) == 1000 * costs.SUGGESTION_SECONDS
    assert f"start and end of Ray included | {costs.RAY_SECONDS} s" in speed
    rates = re.findall(
        r"^\| (\w+)(?:, (\w+) rule)? \| .* \| ([\d.]+) instead of [\d.]+ \([\d.]+\) \|$",
        section("Does weight sharing rank cells?"),
        re.M,
    )
    assert {rule or kind: float(rate) for kind, rule, rate in rates} == costs.CELLS_PER_SECOND


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
    missing = [name for name in named if not (ROOT / name).exists()]
    assert missing == ["raynas/oneshot/sharp.py"]  # the example


def test_the_file_of_a_method_and_its_line_are_all_that_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", section("Adding a one-shot method"), re.S)
    module = ModuleType("raynas.oneshot.sharp")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(blocks[0], "sharp.py", "exec", dont_inherit=True), vars(module))
    info = eval(blocks[1], {"MethodInfo": MethodInfo})
    monkeypatch.setitem(REGISTRY, info.name, info)
    assert (info.name, "sharp" in method_names()) == (module.Sharp.name, True)
    search = tiny_search("sharp")
    alphas = search.method.alphas
    alphas.operation.data.copy_(torch.arange(12.0).view(4, 3) % 5)
    mixed = search.method.mixing_weights().operation
    assert torch.equal(mixed > 0, alphas.softmax().operation >= 0.3)
    assert (mixed == 0).any() and (mixed > 0).any()
    search.advance()
    again = Search.from_state(search.state_dict(), search.images)
    for each in (again, search):
        each.advance()
    assert digest(again.state_dict()) == digest(search.state_dict())
    with pytest.raises(UserError, match=r"least = 0\.5"):
        method_settings("sharp", least=0.5)
