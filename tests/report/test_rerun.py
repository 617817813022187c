"""The command lines that make studies again."""

from __future__ import annotations

from raynas.report.rerun import rerun_command
from tests.support.command_line import understood


def test_the_command_repeats_the_arguments() -> None:
    manifest = {
        "arguments": {
            "spaces": ["1", "3"],
            "methods": ["rs", "tpe"],
            "seeds": [0, 1, 2],
            "evaluations": 50,
            "budget_seconds": None,
            "repeat": "mean",
            "incumbent": "oracle",
            "workers": 4,
            "seed": 7,
        },
        "benchmark": {"kind": "official", "path": "/data/my table.arrow"},
    }
    assert rerun_command(manifest) == (
        "python -m raynas.compare --space 1 --space 3 --methods rs,tpe --seeds 3 --evaluations 50 "
        "--repeat mean --incumbent oracle --workers 4 --seed 7 --benchmark '/data/my table.arrow'"
    )
    manifest["benchmark"] = {"kind": "surrogate"}
    assert rerun_command(manifest).endswith("--benchmark surrogate")
    assert rerun_command(manifest | {"command": ["a", "b c"]}) == "a 'b c'"


def test_the_command_of_a_sweep_is_understood() -> None:
    given = {"method": "gdas", "space": "1", "restart": True, "finalists": 0, "seed": 0}
    given |= {"search_seeds": [0, 1], "channels": 4, "images": "/my images", "min_epochs": None}
    manifest = {"kind": "sweep", "arguments": given, "benchmark": {"kind": "surrogate"}}
    module, read = understood(rerun_command(manifest))
    assert module == "tuning.sweep"
    wanted = given | {"search_seeds": 2, "benchmark": "surrogate"}
    assert {name: read[name] for name in wanted} == wanted
