"""The searcher as Tune uses it, without Ray."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from search_spaces.errors import UserError
from tests.support.sweeps import run_timeline, small, toy_error, toy_space
from tuning.searcher import SweepSearcher
from tuning.settings import ALGORITHMS
from tuning.trainable import from_config, to_config

every = pytest.mark.parametrize("name", ALGORITHMS)


def drive(searcher: SweepSearcher, seed: int, stop: int | None = None) -> list[Any]:
    """Run trials, also those that the searcher knows as running, up to a number of results."""
    chance, told = random.Random(seed), []
    waiting = dict(searcher.running)
    trials = iter(range(10_000))
    while stop is None or len(told) < stop:
        found: Any = {}
        while isinstance(found, dict):
            trial = f"{seed}-{next(trials)}"
            found = searcher.suggest(trial)
            if isinstance(found, dict):
                waiting[trial] = from_config(found)
        if not waiting:
            assert found == SweepSearcher.FINISHED
            break
        trial = chance.choice(sorted(waiting))
        evaluation = waiting.pop(trial)
        told.append((evaluation, toy_error(evaluation)))
        searcher.on_trial_complete(trial, {"validation_error": told[-1][1]})
    return told


@every
@pytest.mark.parametrize("stop", [1, 17])
def test_saved_and_restored_equals_not_interrupted(name: str, stop: int, tmp_path: Path) -> None:
    """The restored one goes on with the trials that ran, as Tune does."""
    settings = small(name)
    expected, _ = run_timeline(settings)
    searcher = SweepSearcher(settings, toy_space())
    told = drive(searcher, 0, stop)
    searcher.save(str(tmp_path / "state"))
    restored = SweepSearcher(settings, toy_space())
    restored.restore(str(tmp_path / "state"))
    assert restored.running == searcher.running
    told += drive(restored, 1)
    assert sorted(told, key=lambda end: end[0].number) == expected


@every
def test_no_more_trials_than_workers(name: str) -> None:
    searcher = SweepSearcher(small(name, concurrent=3), toy_space())
    found = [searcher.suggest(str(number)) for number in range(5)]
    assert [isinstance(config, dict) for config in found] == [True] * 3 + [False] * 2


def test_a_trial_without_a_number_is_a_failed_evaluation() -> None:
    searcher = SweepSearcher(
        small("hyperband", iterations=1, concurrent=4), toy_space(), resubmissions=0
    )
    for number in range(4):
        searcher.suggest(str(number))
    searcher.on_trial_complete("0", error=True)
    searcher.on_trial_complete("1", {"validation_error": float("nan")})
    searcher.on_trial_complete("2", {})
    searcher.on_trial_complete("3", {"validation_error": 0.5})
    searcher.on_trial_complete("unknown", {"validation_error": 0.1})
    promoted, new = searcher.suggest("4"), searcher.suggest("5")
    assert (promoted["configuration"], promoted["previous"], promoted["epochs"]) == (3, 3, 50)
    assert (new["configuration"], new["previous"], new["epochs"]) == (4, None, 50)


def test_a_trial_that_tune_gives_up_is_suggested_again() -> None:
    searcher = SweepSearcher(small("hyperband", concurrent=1), toy_space(), resubmissions=2)
    for number in range(3):
        config = searcher.suggest(str(number))
        assert config["evaluation"] == 0
        searcher.on_trial_complete(str(number), error=True)
    assert searcher.suggest("3")["evaluation"] == 1, "it has failed now"


def test_a_searcher_of_other_settings_is_not_restored(tmp_path: Path) -> None:
    searcher = SweepSearcher(small("bohb"), toy_space())
    searcher.save(str(tmp_path / "state"))
    other = SweepSearcher(small("bohb", seed=1), toy_space())
    with pytest.raises(UserError, match="searcher with other settings"):
        other.restore(str(tmp_path / "state"))


def test_a_trial_says_everything_about_its_evaluation() -> None:
    for evaluation, _ in run_timeline(small("hyperband"))[0]:
        assert from_config(to_config(evaluation)) == evaluation
