"""Studies that are given must be what they are given for, and belong together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from raynas.analysis.random_policy.record import Record
from raynas.artefacts.commands import Options
from raynas.artefacts.ledger import Ledger, Planned, made_by, plan
from raynas.execution.manifest import run_manifest, write_manifest
from search_spaces.errors import UserError
from tests.support import artefact_studies as made

_DAYS = {"a": "2026-01-01T00:00:00+00:00", "b": "2026-01-02T00:00:00+00:00"}


def _study(path: Path, kind: str, arguments: Mapping[str, Any], **more: Any) -> Path:
    path.mkdir()
    about = {"benchmark": {}, "tables": {}, "search": {}, "study": {}, "finished": _DAYS["b"]}
    write_manifest(path, run_manifest(kind, arguments) | about | more)
    return path


def _comparison(path: Path, created: str, *methods: str) -> Path:
    return _study(path, "comparison", {"methods": list(methods)}, created=created)


def _plan(out: Path, names: list[str], run: bool = True, **existing: Path) -> list[Planned]:
    given = {name.replace("_", "-"): path for name, path in existing.items()}
    return plan(names, "quick", Options(), Ledger(out), existing=given, run=run)


@pytest.mark.parametrize(
    ("name", "kind", "arguments", "words"),
    [
        ("regularisation", "study", {"name": "learning-rate"}, "not of regularisation"),
        ("regularisation", "comparison", {"methods": ["darts"]}, "a comparison and no study"),
        ("tuning-pc-darts", "sweep", {"method": "darts"}, "a sweep of darts, not of pc_darts"),
        ("one-shot", "comparison", {"methods": ["rs", "re"]}, "a comparison of rs, re; give"),
        ("black-box", "comparison", {"methods": ["darts (tuned)"]}, "methods such as rs,re"),
        ("correlation", "comparison", {"methods": ["darts"]}, "and no correlation"),
    ],
)
def test_another_kind_is_refused(
    name: str, kind: str, arguments: dict[str, Any], words: str, tmp_path: Path
) -> None:
    folder = _study(tmp_path / "mine", kind, arguments)
    with pytest.raises(UserError, match=words) as raised:
        plan([name], "quick", Options(), Ledger(tmp_path), existing={name: folder})
    assert raised.value.exit_code == 2 and f"--study {name}={folder}: that is" in str(raised.value)
    assert "`python -m " in str(raised.value) and "\n" not in str(raised.value)


def test_a_study_that_has_not_finished_is_refused(tmp_path: Path) -> None:
    folder = _study(tmp_path / "mine", "study", {"name": "epochs"}, finished=None)
    with pytest.raises(UserError, match="that is an unfinished study; give the directory of a fin"):
        plan(["epochs"], "quick", Options(), Ledger(tmp_path), existing={"epochs": folder})


@pytest.mark.parametrize("record", ["study_created", "path"])
def test_a_correlation_of_another_comparison_is_refused(record: str, tmp_path: Path) -> None:
    first, second = (_comparison(tmp_path / x, _DAYS[x], "darts") for x in "ab")
    about = {"study_created": _DAYS["a"]} if record == "study_created" else {}
    scores = _study(tmp_path / "scores", "correlation", {"study": str(first)}, **about)
    names, out = ["one-shot", "correlation"], tmp_path / "out"
    planned = _plan(out, names, one_shot=first, correlation=scores)
    assert [one.state for one in planned] == ["given", "given"]
    for run in (True, False):
        with pytest.raises(UserError) as raised:
            _plan(out, names, run, one_shot=second, correlation=scores)
        assert raised.value.exit_code == 2
        for words in (
            f"made from {first}, not from one-shot={second}",
            "leave --study correlation",
        ):
            assert words in str(raised.value)


def test_a_correlation_of_a_comparison_that_is_not_run_yet_is_refused(tmp_path: Path) -> None:
    first = _comparison(tmp_path / "a", _DAYS["a"], "darts")
    scores = _study(tmp_path / "scores", "correlation", {"study": str(first)})
    with pytest.raises(UserError, match="not from one-shot="):
        _plan(tmp_path / "out", ["one-shot", "correlation"], correlation=scores)
    planned = _plan(tmp_path / "out", ["one-shot", "correlation"], run=False, correlation=scores)
    assert [one.state for one in planned] == ["new", "given"]  # nothing is judged then


def _policy(path: Path, *studies: Path) -> Path:
    begun = {str(study): _DAYS[study.name] for study in studies}
    return made.random_policy(path, [{}], Record(begun, _DAYS["b"], "raynas 9, revision f00"))


def test_random_draws_beside_other_studies_are_refused(tmp_path: Path) -> None:
    names, out = ["black-box", "one-shot", "random-policy"], tmp_path / "out"
    first = _comparison(tmp_path / "a", _DAYS["a"], "rs", "darts")
    second = _comparison(tmp_path / "b", _DAYS["b"], "rs", "darts")
    both, one = _policy(tmp_path / "both", first, second), _policy(tmp_path / "one", first)
    planned = _plan(out, names, black_box=first, one_shot=second, random_policy=both)
    assert made_by(planned[-1], Ledger(out)) == "raynas 9, revision f00"
    _plan(out, names, black_box=first, one_shot=first, random_policy=one)
    with pytest.raises(UserError, match=f"made from {first}, not from one-shot={second}"):
        _plan(out, names, black_box=first, one_shot=second, random_policy=one)
    with pytest.raises(UserError, match=f"made from {second}, not from {first} and {first}"):
        _plan(out, names, black_box=first, one_shot=first, random_policy=both)


def test_random_draws_that_do_not_say_what_they_are_of_are_refused(tmp_path: Path) -> None:
    first = _comparison(tmp_path / "a", _DAYS["a"], "rs", "darts")
    old = made.random_policy(tmp_path / "old", [{}])
    with pytest.raises(UserError, match=rf"random_policy {first} {first} --out {old}` makes it"):
        _plan(
            tmp_path / "out",
            ["black-box", "one-shot", "random-policy"],
            black_box=first,
            one_shot=first,
            random_policy=old,
        )
