"""Which studies are run, reused, resumed or refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from raynas.artefacts import running
from raynas.artefacts.commands import Options
from raynas.artefacts.ledger import Ledger, Planned, plan
from raynas.artefacts.process import Ran
from raynas.artefacts.running import Outcome, run_studies
from raynas.execution.manifest import run_manifest, write_manifest
from raynas.version import revision, this_version
from search_spaces.errors import UserError

NONE = Options()
_OF_COMPARISONS = {"benchmark": {"kind": "surrogate"}, "tables": {}}


class Commands:
    """Runs nothing; makes the folder that a command would fill, and fails where asked to."""

    def __init__(self, failing: Sequence[str] = ()) -> None:
        self.failing, self.ran = failing, list[list[str]]()

    def __call__(self, command: Sequence[str], log: Path) -> Ran:
        self.ran.append(list(command))
        flag = "--out" if "--out" in command else "--resume"
        folder = Path(command[command.index(flag) + 1])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "manifest.json").write_text("{}")
        if folder.name in self.failing:
            return Ran(1, 2.0, "error: no luck")
        return Ran(0, 3.0, "page somewhere")


def go(
    out: Path, names: Sequence[str], runner: Commands, **options: object
) -> tuple[list[Planned], Outcome, list[str]]:
    ledger, lines = Ledger(out), list[str]()
    existing = options.pop("existing", {})
    planned = plan(names, "quick", NONE, ledger, existing=existing, **options)  # type: ignore[arg-type]
    outcome = run_studies(
        planned,
        ledger,
        existing,  # type: ignore[arg-type]
        said=lines.append,
        run=bool(options.get("run", True)),
        runner=runner,
    )
    return planned, outcome, lines


def test_what_is_needed_is_run_first_and_once(tmp_path: Path) -> None:
    runner = Commands()
    _, outcome, lines = go(tmp_path, ["correlation", "one-shot", "random-policy"], runner)
    folder = tmp_path / "studies"
    assert [command[1] for command in runner.ran] == [
        "raynas.compare",
        "raynas.compare",
        "raynas.correlation",
        "raynas.random_policy",
    ]
    assert runner.ran[2][2] == str(folder / "one-shot")
    assert outcome.folders["correlation"] == folder / "correlation"
    assert outcome.seconds == dict.fromkeys(outcome.folders, 3.0)
    assert any(line.startswith("one-shot: python -m raynas.compare") for line in lines)


def test_finished_studies_are_reused_also_after_a_move(tmp_path: Path) -> None:
    go(tmp_path / "a", ["correlation"], Commands())
    (tmp_path / "a").rename(tmp_path / "b")
    runner = Commands()
    _, outcome, lines = go(tmp_path / "b", ["correlation"], runner)
    assert runner.ran == [] and set(outcome.folders) == {"one-shot", "correlation"}
    assert "one-shot: finished already" in lines


def test_a_study_of_another_version_is_used_and_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(tmp_path, ["epochs", "warm-start"], Commands(failing=["warm-start"]))
    now = this_version()
    assert Ledger(tmp_path).known("epochs")["made_by"] == now and now.startswith("raynas")
    monkeypatch.setattr(running, "this_version", lambda: "raynas 9, revision f00")
    runner = Commands()
    _, outcome, lines = go(tmp_path, ["epochs", "warm-start"], runner, resume=True)
    assert len(runner.ran) == 1
    assert f"epochs: finished already, by another version ({now}; this is raynas 9" in lines[0]
    assert outcome.made_by["epochs"] == now
    assert outcome.made_by["warm-start"] == f"{now}, then raynas 9, revision f00"


def test_a_ledger_without_versions_is_read(tmp_path: Path) -> None:
    go(tmp_path, ["epochs"], Commands())
    path = tmp_path / "reproduction.json"
    noted = json.loads(path.read_text())
    del noted["studies"]["epochs"]["made_by"]
    path.write_text(json.dumps(noted))
    _, outcome, lines = go(tmp_path, ["epochs"], Commands())
    assert (
        outcome.made_by == {"epochs": "version not recorded"}
        and "may be by another version" in lines[0]
    )


def test_the_revision_is_that_of_the_checkout(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        start = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.run([*start, *words], capture_output=True, text=True, check=True).stdout

    assert revision(tmp_path) is None
    git("init", "-q")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-q", "-m", "one")
    made = git("rev-parse", "--short=10", "HEAD").strip()
    assert revision(tmp_path) == made
    (tmp_path / "file").write_text("two")
    assert revision(tmp_path) == f"{made} with changes"


def test_a_failure_costs_only_what_needs_it(tmp_path: Path) -> None:
    runner = Commands(failing=["one-shot"])
    _, outcome, lines = go(tmp_path, ["correlation", "random-policy", "epochs"], runner)
    assert set(outcome.folders) == {"black-box", "epochs"}
    assert outcome.reasons["one-shot"] == "its command failed: error: no luck"
    assert outcome.reasons["correlation"] == "it needs one-shot"
    assert any("failed (error: no luck)" in line for line in lines)
    with pytest.raises(UserError, match=r"one-shot is not finished; continue it with --resume"):
        go(tmp_path, ["one-shot"], Commands())
    again = Commands()
    _, outcome, _ = go(tmp_path, ["correlation"], again, resume=True)
    assert again.ran[0][1:3] == ["raynas.compare", "--resume"]
    assert outcome.seconds["one-shot"] == 5.0  # both times


def test_other_arguments_are_refused(tmp_path: Path) -> None:
    go(tmp_path, ["epochs"], Commands())
    with pytest.raises(UserError, match=r"was made otherwise .*--out") as raised:
        plan(["epochs"], "paper", NONE, Ledger(tmp_path))
    assert raised.value.exit_code == 2
    with pytest.raises(UserError, match="was made otherwise"):
        plan(["epochs"], "quick", Options(images="cifar10"), Ledger(tmp_path))
    (tmp_path / "studies" / "warm-start").mkdir()
    (tmp_path / "studies" / "warm-start" / "file").touch()
    with pytest.raises(UserError, match="another command"):
        plan(["warm-start"], "quick", NONE, Ledger(tmp_path))


def test_given_studies_are_not_run(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    with pytest.raises(UserError, match=r"there is no manifest.json.*raynas\.compare"):
        plan(["one-shot"], "quick", NONE, Ledger(tmp_path / "out"), existing={"one-shot": mine})
    manifest = run_manifest("comparison", {"methods": ["darts"]}) | _OF_COMPARISONS
    write_manifest(mine, manifest | {"finished": manifest["created"]})
    runner = Commands()
    _, outcome, _ = go(tmp_path / "out", ["correlation"], runner, existing={"one-shot": mine})
    assert runner.ran[0][:3] == ["-m", "raynas.correlation", str(mine)] and len(runner.ran) == 1
    assert outcome.folders["one-shot"] == mine and "one-shot" not in outcome.seconds


def test_a_study_that_its_own_command_finished_in_its_place_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "studies" / "epochs"
    folder.mkdir(parents=True)
    about = {"benchmark": {}, "tables": {}, "search": {}, "study": {}}
    manifest = run_manifest("study", {"name": "epochs"}) | about
    write_manifest(folder, manifest)
    with pytest.raises(UserError, match="was made otherwise"):
        go(tmp_path, ["epochs"], Commands())
    write_manifest(folder, manifest | {"finished": manifest["created"]})
    for run in (True, False):
        runner = Commands()
        planned, outcome, lines = go(tmp_path, ["epochs"], runner, run=run)
        assert runner.ran == [] and outcome.folders == {"epochs": folder}
        assert planned[0].state == "found" and "made by a command of its own" in lines[0]
    with pytest.raises(UserError, match="was made otherwise"):
        (tmp_path / "studies" / "warm-start").mkdir()
        write_manifest(tmp_path / "studies" / "warm-start", manifest | {"finished": "now"})
        go(tmp_path, ["warm-start"], Commands())


def test_without_running_only_what_is_there_is_read(tmp_path: Path) -> None:
    go(tmp_path, ["epochs"], Commands())
    runner = Commands()
    _, outcome, _ = go(tmp_path, ["epochs", "warm-start"], runner, run=False)
    assert runner.ran == [] and set(outcome.folders) == {"epochs"}
    assert outcome.reasons == {"warm-start": "it has not been run"}


def test_a_damaged_ledger_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "reproduction.json").write_text("{")
    with pytest.raises(UserError, match=r"reproduction\.json is damaged"):
        Ledger(tmp_path)
