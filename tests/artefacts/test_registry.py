from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from raynas.artefacts import ARTEFACTS, find_artefacts
from raynas.artefacts.commands import PRESETS, STUDIES, Options, arguments, command_line
from raynas.artefacts.costs import GPU_BASIS, cost, gpu_seconds, seconds_here
from raynas.artefacts.ledger import Ledger, plan
from raynas.artefacts.running import Outcome
from raynas.artefacts.unavailable import ARTEFACTS as UNAVAILABLE
from raynas.reproduction_commands import commands_of
from raynas.reproduction_request import Request
from search_spaces.errors import UserError
from tests.support.command_line import understood


def test_every_artefact_says_what_it_is() -> None:
    for name, artefact in ARTEFACTS.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name), name
        assert name == artefact.name
        for field in ("family", "shows", "source", "published"):
            value = getattr(artefact, field)
            assert value and not value.endswith("."), (name, field)
        if artefact.obtain is None:
            assert artefact.needs and not artefact.studies, name
        else:
            assert artefact.computed and not artefact.needs, name


def test_names_are_unique_and_studies_exist() -> None:
    from raynas import artefacts

    listed = [a.name for family in artefacts._FAMILIES for a in family.ARTEFACTS]
    assert len(listed) == len(set(listed)) == len(ARTEFACTS)
    assert {s for a in ARTEFACTS.values() for s in a.studies} == set(STUDIES)
    for artefact in ARTEFACTS.values():
        assert {study for study, _ in artefact.figures} <= set(artefact.studies)


def test_what_a_study_needs_comes_before_it() -> None:
    seen: set[str] = set()
    for study in STUDIES.values():
        assert set(study.needs) <= seen
        seen.add(study.name)


def test_an_unknown_name_lists_the_valid_ones() -> None:
    with pytest.raises(UserError, match=r"unknown artefact 'figure-9'.*all, space-definitions"):
        find_artefacts(["cutout", "figure-9"])
    assert len(find_artefacts(["all"])) == len(ARTEFACTS)
    assert [a.name for a in find_artefacts(["cutout", "cutout"])] == ["cutout"]


def test_options_reach_only_commands_that_know_them(tmp_path) -> None:
    options = Options("surrogate", "digits", "cpu", None)
    folders = {name: tmp_path / name for name in STUDIES}
    made = arguments(STUDIES["black-box"], "quick", options, folders)
    assert made[-2:] == ("--benchmark", "surrogate")
    assert "--images" not in made and "--device" not in made
    made = arguments(STUDIES["one-shot"], "paper", options, folders)
    assert made[made.index("--images") + 1] == "digits" and made.count("--images") == 1
    made = arguments(STUDIES["random-policy"], "quick", Options(benchmark="auto"), folders)
    assert made == (str(tmp_path / "black-box"), str(tmp_path / "one-shot"))


def test_commands_resume_in_their_own_way(tmp_path) -> None:
    def command(name: str, resume: bool) -> list[str]:
        return command_line(STUDIES[name], ["x"], tmp_path, resume=resume)

    assert command("one-shot", False) == ["-m", "raynas.compare", "x", "--out", str(tmp_path)]
    assert command("one-shot", True) == ["-m", "raynas.compare", "--resume", str(tmp_path)]
    assert command("correlation", True)[-3:] == ["--out", str(tmp_path), "--resume"]
    assert "--resume" not in command("random-policy", True)


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", STUDIES)
def test_the_commands_are_understood(name: str, preset: str, resume: bool, tmp_path) -> None:
    """The command itself reads its arguments: all that must be there are, and it knows all."""
    study, folders = STUDIES[name], {study: tmp_path / study for study in STUDIES}
    given = arguments(study, preset, Options(benchmark="surrogate"), folders)
    command = command_line(study, given, tmp_path / "out", resume=resume)
    module, read = understood(shlex.join(["python", *command]))
    continued = {"folder": tmp_path / "out", "flag": True, "none": None}[study.resume]
    assert module == study.module
    assert (read.get("resume") or None) == (continued if resume else None)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", [a.name for a in ARTEFACTS.values() if a.obtain is not None])
def test_the_commands_beside_a_result_are_complete(name: str, preset: str, tmp_path) -> None:
    """Nothing that was asked for is lost, whatever is in the paths."""
    artefact, mine = ARTEFACTS[name], tmp_path / "my $tudies; a 'b'"
    options = Options(str(mine / "a table.arrow"), str(mine), "cpu")
    request = Request((name,), preset, mine, options=options)
    made = plan(artefact.studies, preset, options, Ledger(mine), run=False)
    planned = {one.study.name: one for one in made}
    commands = commands_of(artefact, planned, Outcome({}, {}, {}), request)
    *studies, (module, judges) = map(understood, commands)
    assert len(studies) == len(artefact.studies) and module == "raynas.reproduce"
    wanted = {"names": [name], "preset": preset, "out": mine, "resume": False, "no_run": False}
    assert {option: judges[option] for option in wanted} == wanted
    for study, (module, read) in zip(artefact.studies, studies, strict=True):
        assert module == STUDIES[study].module and read["out"] == mine / "studies" / study
    given = {"benchmark": options.benchmark, "images": options.images, "device": "cpu"}
    for option, value in given.items():
        takers = [
            read
            for s, (_, read) in zip(artefact.studies, studies, strict=True)
            if option in STUDIES[s].takes
        ]
        assert all(read[option] == value for read in [judges, *takers])


@pytest.mark.long
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", STUDIES)
def test_the_commands_are_known(name: str, preset: str, tmp_path) -> None:
    """Every option exists: what they complain of is the benchmark that is not there, or images."""
    folders = {study: tmp_path / study for study in STUDIES}
    given = arguments(STUDIES[name], preset, Options(benchmark="nowhere.arrow"), folders)
    command = command_line(STUDIES[name], given, tmp_path / "out", resume=False)
    ended = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert ended.returncode == 1, ended.stderr
    assert re.search(r"nowhere\.arrow|no study|fetch cifar10", ended.stderr), ended.stderr


def test_times_are_scaled_and_not_invented() -> None:
    paper = cost("tuning-gdas", "paper").seconds
    assert paper is not None
    assert paper == pytest.approx(17_100 * 208 * 2.526 / 2)
    assert seconds_here(["tuning-gdas"], "paper", 4) == pytest.approx(paper / 2)
    assert cost("regularisation", "quick").seconds == 509  # as the ledger of a run has it
    assert gpu_seconds(["black-box", "evolution"], "paper") is None
    # 17,100 epochs of 7 s; those of GDAS in proportion to its steps.
    assert gpu_seconds(["tuning-darts"], "paper") == pytest.approx(33.25 * 3600)
    gdas = 33.25 * 3600 * 2.526 / 3.885
    assert gpu_seconds(["tuning-gdas", "evolution"], "paper") == pytest.approx(gdas)
    assert GPU_BASIS.startswith("an estimate, nothing was measured on a GPU")
    # 20,458 cells, 5 checkpoints, 5 methods, 3 seeds: 10,000 images by both rules.
    scored = 20_458 * 5 * 5 * 3 * (10_000 / 96 * (1 / 22 + 1 / 23)) * 3
    assert cost("correlation", "paper").seconds == pytest.approx(scored / 2)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", STUDIES)
def test_every_study_has_a_time(name: str, preset: str) -> None:
    known = cost(name, preset)
    assert known.seconds > 0 and known.basis
    on_gpu = gpu_seconds([name], preset)
    assert (on_gpu is not None and on_gpu > 0) == ("device" in STUDIES[name].takes)


def test_what_is_not_available_names_what_is_missing() -> None:
    needs = " ".join(artefact.needs for artefact in UNAVAILABLE)
    for method in ("ENAS", "NAO", "recurrent cells", "BayesNAS"):
        assert method in needs
