"""`python -m raynas.reproduce` as a user meets it."""

from __future__ import annotations

import io
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from rich.console import Console

from raynas.analysis.random_policy.record import Record
from raynas.artefacts import ARTEFACTS
from raynas.artefacts.running import Outcome
from raynas.execution.manifest import read_manifest, write_manifest
from raynas.reproduce import app
from raynas.reproduction import _makers
from raynas.reproduction_console import listing_table
from raynas.version import this_version
from search_spaces import load_space
from search_spaces.command_line import run
from tests.support import artefact_studies as made
from tests.support.benchmarks import synthetic_benchmark
from tests.support.command_line import understood
from tests.support.pages import Outline, report_data


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("studies")
    space = load_space(1)
    table = synthetic_benchmark(folder / "1.arrow", space).table(space)
    found = {
        "black-box": made.black_box(folder / "black-box", table),
        "evolution": made.black_box(folder / "evolution", table),
        "one-shot": made.one_shot(folder / "one-shot", table),
        "correlation": made.correlation(folder / "correlation", [{}]),
    }
    manifest = read_manifest(found["one-shot"])
    write_manifest(found["one-shot"], made.with_search(manifest))
    (found["black-box"] / "figures").mkdir()
    (found["black-box"] / "figures" / "space-1-test-regret.png").write_bytes(b"drawn")
    return found


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["reproduce", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "150")
    with pytest.raises(SystemExit) as ended:
        run(app)
    return int(ended.value.code or 0)


def test_the_list_has_every_artefact_and_its_times(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "--list", "--preset", "paper") == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ARTEFACTS)
    words = " ".join(said.split())
    assert "not measured" not in words and "│ needs no │" in words and "days │" in words
    assert "an estimate, nothing was measured on a GPU" in words
    assert "│ available │ available │" in words and "2 cores of an AMD EPYC" in words
    assert "each alone on one thread, as if every core trained one search on one thread" in words


@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_the_list_is_readable_on_80_columns(preset: str) -> None:
    output = io.StringIO()
    console = Console(file=output, width=80, color_system=None)
    for part in listing_table(list(ARTEFACTS.values()), preset):
        console.print(part)
    lines = output.getvalue().splitlines()
    names = [line.split("│")[1].strip() for line in lines if line.startswith("│")]
    assert set(ARTEFACTS) <= set(names)
    assert max(map(len, lines)) <= 80 and "…" not in output.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["figure-9"], "unknown artefact 'figure-9'; valid are: all, space-definitions"),
        (["all", "--preset", "huge"], "unknown preset 'huge'; valid are: quick, paper"),
        ([], "name artefacts, or all; --list shows them"),
        (["cutout", "--study", "here"], "--study here: give NAME=DIR"),
        (["cutout", "--study", "mine=here"], "unknown study 'mine'; valid are: black-box"),
    ],
)
def test_what_names_nothing_is_one_line(
    arguments: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, *arguments) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


def test_a_given_folder_that_is_no_study_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "cutout", "--study", f"regularisation={tmp_path}") == 1
    assert "there is no manifest.json" in capsys.readouterr().err


def test_an_exact_artefact_needs_no_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "evaluation-counts", "--out", tmp_path / "out") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "1 artefact: 1 agrees." in said and "agree: all 3 are equal" in said
    assert not (tmp_path / "out" / "studies").exists()
    written = (tmp_path / "out" / "reproduce.md").read_text()
    (command,) = commands_in(written)
    module, read = understood(command)
    assert module == "raynas.reproduce"
    assert (read["names"], read["out"]) == (["evaluation-counts"], tmp_path / "out")


def test_existing_studies_give_a_page_and_markdown(
    studies: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [word for item in studies.items() for word in ("--study", "=".join(map(str, item)))]
    names = [
        "evolution-against-random-search",
        "black-box-curves",
        "rank-correlation",
        "cutout",
        "penn-treebank",
    ]
    assert call(monkeypatch, *names, "--no-run", *given, "--out", tmp_path) == 0
    assert "2 agree in direction" in capsys.readouterr().out
    html = (tmp_path / "reproduce.html").read_text()
    outline = Outline(html)
    assert all(a.startswith(("#", "data:")) for a in outline.addresses)
    assert report_data(html) == {"figures": [], "styles": {}}
    written = (tmp_path / "reproduce.md").read_text()
    for text in (outline.text, written.replace("**", "")):
        for words in (
            "5 artefacts: 2 agree in direction, 1 not comparable, 1 not run, 1 not available.",
            "0.276 and 0.209 points in space 1",
            "space 1, re less rs",
            "6 runs",
            "6 seeds of 12 evaluations",
            "a synthetic benchmark instead of the measured table",
            "python -m raynas.compare --space 1 --methods rs,re",
            f"python -m raynas.correlation {studies['one-shot']} --cells 1000",
            "study regularisation: it has not been run",
            "needs recurrent cells and the Penn Treebank",
            "ENAS 61.91 ± 0.50",
            "ceiling 0.90",
            "The conditions differ from the source's",
            this_version(),
            "study evolution: raynas",
            "revision not recorded",
        ):
            assert words in text, words
    assert "python -m raynas.study regularisation" in outline.text
    assert f"`python -m raynas.reproduce cutout --out {tmp_path}` runs it" in written
    assert html.count('<img src="data:image/png;base64,') == 1


def test_given_studies_are_made_and_judged_by_the_commands_beside_them(
    studies: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each fills the directory that the next one reads, whatever is in its name."""
    mine = tmp_path / "all of my 'studies'"
    shutil.copytree(studies["one-shot"].parent, mine)
    begun = {
        str(studies[n]): read_manifest(studies[n])["created"] for n in ("black-box", "one-shot")
    }
    made.random_policy(mine / "random-policy", [{}], Record(begun, "now", "raynas 9"))
    given = [("black-box", "one-shot", "random-policy"), ("one-shot", "correlation")]
    for name, needs in zip(("similar-to-random", "rank-correlation"), given, strict=True):
        words = [word for n in needs for word in ("--study", f"{n}={mine / n}")]
        assert call(monkeypatch, name, "--no-run", *words, "--out", mine) == 0
        found = commands_in((mine / "reproduce.md").read_text())
        *makers, (module, judges) = map(understood, found)
        assert module == "raynas.reproduce" and judges["out"] == mine
        assert judges["study"] == [
            f"{n}={read['out']}" for n, (_, read) in zip(needs, makers, strict=True)
        ]
    assert makers[1][1]["study"] == mine / "one-shot"


def test_the_last_command_judges_what_the_commands_before_it_made(
    studies: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A reader runs them in their order; the studies are where the commands put them."""
    out = tmp_path / "my copy"
    shutil.copytree(studies["one-shot"], out / "studies" / "one-shot")
    assert call(monkeypatch, "local-optima", "--out", out) == 0, capsys.readouterr().err
    assert "one-shot: taken as it is in" in " ".join(capsys.readouterr().out.split())
    *before, last = commands_in((out / "reproduce.md").read_text())
    (module, read) = understood(before[0])
    assert module == "raynas.compare" and read["out"] == out / "studies" / "one-shot"
    first = (out / "reproduce.md").read_text()
    assert call(monkeypatch, *shlex.split(last)[3:]) == 0, capsys.readouterr().err
    assert (out / "reproduce.md").read_text() == first


def test_what_was_read_without_some_studies_is_judged_so_again(
    studies: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    begun = read_manifest(studies["one-shot"])["created"]
    record = Record({str(studies["one-shot"]): begun}, "now", "raynas 9")
    random = made.random_policy(tmp_path / "random", [{}], record)
    given = ["--study", f"one-shot={studies['one-shot']}", "--study", f"random-policy={random}"]
    options = ("similar-to-random", *given, "--no-run", "--out", tmp_path / "out")
    assert call(monkeypatch, *options) == 0, capsys.readouterr().err
    commands = commands_in((tmp_path / "out" / "reproduce.md").read_text())
    assert not any("black-box" in command for command in commands)
    _, read = understood(commands[-1])
    assert read["no_run"] and set(read["study"]) == set(given[1::2])
    assert call(monkeypatch, *shlex.split(commands[-1])[3:]) == 0, capsys.readouterr().err


def test_a_directory_that_stands_for_two_studies_is_made_once(
    studies: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = studies["black-box"]
    begun = {str(mine): read_manifest(mine)["created"]}
    manifest = read_manifest(mine)
    both = shutil.copytree(mine, tmp_path / "both")
    methods = [*manifest["arguments"]["methods"], "darts"]
    write_manifest(both, manifest | {"arguments": manifest["arguments"] | {"methods": methods}})
    policy = made.random_policy(tmp_path / "policy", [{}], Record(begun, "now", "raynas 9"))
    given = {"black-box": both, "one-shot": both, "random-policy": policy}
    words = [word for item in given.items() for word in ("--study", "=".join(map(str, item)))]
    assert call(monkeypatch, "similar-to-random", "--no-run", *words, "--out", tmp_path) == 0
    modules = [understood(c)[0] for c in commands_in((tmp_path / "reproduce.md").read_text())]
    assert modules == ["raynas.compare", "raynas.random_policy", "raynas.reproduce"]


def commands_in(markdown: str) -> list[str]:
    return re.findall(r"^- `(python .*)`$", markdown, re.MULTILINE)


def test_a_study_of_another_revision_is_marked(tmp_path: Path) -> None:
    found = ARTEFACTS["cutout"]
    for maker, words in (
        (this_version(), ""),
        ("raynas 0.0.1, revision f00", " (not that of this page)"),
        ("version not recorded", ""),
    ):
        outcome = Outcome({}, {}, {}, {"regularisation": maker})
        assert _makers(found, outcome) == (f"study regularisation: {maker}{words}",)


def test_the_page_escapes_what_it_shows(
    studies: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"method": "<b>|darts", "statement": "a <i> & | b"}]
    bad = made.correlation(tmp_path / "bad", rows)
    given = ("--study", f"one-shot={studies['one-shot']}", "--study", f"correlation={bad}")
    assert call(monkeypatch, "rank-correlation", "--no-run", *given, "--out", tmp_path) == 0
    html = (tmp_path / "reproduce.html").read_text()
    assert "<b>|darts" not in html and "&lt;b&gt;|darts" in html
    assert "\\|darts" in (tmp_path / "reproduce.md").read_text()


def test_failed_studies_are_named_and_the_rest_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command itself is real: a benchmark that lacks cells ends it at once."""
    benchmark = synthetic_benchmark(tmp_path / "1.arrow", load_space(1)).path
    given = ("--benchmark", benchmark, "--out", tmp_path / "out")
    assert call(monkeypatch, "black-box-curves", "evaluation-counts", *given) == 1
    said = capsys.readouterr()
    assert "1 of the studies did not finish: black-box" in said.err
    assert "agree: all 3 are equal" in said.out
    written = (tmp_path / "out" / "reproduce.md").read_text()
    assert "its command failed: error: " in written and "lacks" in written
    assert "lacks" in (tmp_path / "out" / "log" / "black-box.txt").read_text()


def test_a_benchmark_that_is_not_there_ends_it_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--benchmark", tmp_path / "nowhere.arrow", "--out", tmp_path / "out")
    assert call(monkeypatch, "random-draw-nas-bench-101", *given) != 0
    assert "no benchmark file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
