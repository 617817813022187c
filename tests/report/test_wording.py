from __future__ import annotations

from pathlib import Path

import pytest

from raynas.report import wording
from raynas.report.content import contents
from raynas.report.studies import merge, read_study
from search_spaces.table import Table
from tests.support.studies import random_log, write_study


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "5 seconds"), (600, "10.0 minutes"), (36000, "10.0 hours"), (864000, "10.0 days")],
)
def test_durations(seconds: float, words: str) -> None:
    assert wording.duration(seconds) == words


def finding(table: Table, path: Path, draws: int, seeds: int) -> str:
    """What is found when evolution has `draws` evaluations and random search has two."""
    logs = [
        random_log(table, {"rs": 0.0}, seeds=seeds, evaluations=2, seed=4),
        random_log(table, {"re": 0.0}, seeds=seeds, evaluations=draws, seed=5),
    ]
    study = write_study(path, {table.space.name: table}, logs)
    [words] = wording.findings(contents(merge([read_study(study)]))[0])
    return words


def test_a_clear_winner_is_called_one(tables: dict[str, Table], tmp_path: Path) -> None:
    text = finding(tables["1"], tmp_path / "study", draws=60, seeds=8)
    assert text.startswith("Regularized evolution ends with the lowest mean test regret")
    assert "exclude zero" in text


def test_equal_methods_are_not_told_apart(tables: dict[str, Table], tmp_path: Path) -> None:
    text = finding(tables["1"], tmp_path / "study", draws=2, seeds=8)
    assert "do not tell it apart" in text


def test_few_runs_prove_nothing(tables: dict[str, Table], tmp_path: Path) -> None:
    text = finding(tables["1"], tmp_path / "study", draws=60, seeds=4)
    assert "may be chance" in text


def test_one_thing_is_no_plural() -> None:
    assert [wording.counted(n, "run") for n in (0, 1, 2, 3000)] == [
        "0 runs",
        "1 run",
        "2 runs",
        "3,000 runs",
    ]
