"""What every algorithm of a sweep promises. A new one is tested by being registered."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.sweeps import digest, run_timeline, small, toy_error, toy_space, true_error
from tuning.algorithms import make_algorithm
from tuning.evaluation import Evaluation
from tuning.settings import ALGORITHMS, SweepSettings

REPOSITORY = Path(__file__).parent.parent.parent
every = pytest.mark.parametrize("name", ALGORITHMS)
few = settings(max_examples=12)


@cache
def undisturbed(name: str) -> tuple[tuple[Evaluation, float | None], ...]:
    return tuple(run_timeline(small(name))[0])


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, str]:
    """What another process under another hash seed proposes."""
    seed = "4" if os.environ.get("PYTHONHASHSEED") == "3" else "3"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-m", "tests.support.sweeps"]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


@every
def test_another_process_with_another_hash_seed_proposes_the_same(
    name: str, elsewhere: dict[str, str]
) -> None:
    assert digest(small(name)) == elsewhere[name]


@every
def test_another_seed_proposes_something_else(name: str) -> None:
    ended, _ = run_timeline(small(name, seed=1))
    assert ended[0][0] == undisturbed(name)[0][0], "the first is the default one"
    assert ended[1][0] != undisturbed(name)[1][0]


@every
def test_the_first_configuration_is_the_default_one(name: str) -> None:
    first = undisturbed(name)[0][0]
    assert first.number == first.configuration.number == 0
    default = dict(toy_space().get_default_configuration())
    assert first.configuration.values == default and not first.configuration.model_based
    later = [e.configuration for e, _ in undisturbed(name) if e.configuration.number]
    assert all(configuration.values != default for configuration in later)


@every
@few
@given(seed=st.integers(0, 2**32), workers=st.integers(1, 6))
def test_any_order_of_completion_gives_the_same_table(name: str, seed: int, workers: int) -> None:
    ended, _ = run_timeline(small(name), workers=workers, chance=random.Random(seed))
    assert tuple(ended) == undisturbed(name)


@every
@few
@given(seed=st.integers(0, 2**32), share=st.floats(0, 1))
def test_failures_never_stall(name: str, seed: int, share: float) -> None:
    """Whichever fail, the plan is carried out: every evaluation once, and only good ones go on."""
    chance = np.random.default_rng(seed)
    fails = chance.random(1000) < share
    ended, _ = run_timeline(
        small(name), lambda e: None if fails[e.number] else toy_error(e), chance=random.Random(seed)
    )
    check_plan(small(name), ended)


@every
@few
@given(st.data())
def test_restarting_equals_not_restarting(name: str, data: st.DataObject) -> None:
    """However often it is stopped; what ended is not run again."""
    whole = undisturbed(name)
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    ended, results = [], {}
    for _ in range(data.draw(st.integers(1, 3))):
        stop = data.draw(st.integers(0, len(whole)))
        part, results = run_timeline(small(name), chance=chance, recorded=results, stop_after=stop)
        ended += part
    ended += run_timeline(small(name), chance=chance, recorded=results)[0]
    assert tuple(sorted(ended, key=lambda end: end[0].number)) == whole


@every
@pytest.mark.parametrize("concurrent", [1, 3, 50])
@pytest.mark.parametrize("restart", [False, True])
def test_any_number_of_workers(name: str, concurrent: int, restart: bool) -> None:
    options = small(name, concurrent=concurrent, restart=restart)
    check_plan(options, run_timeline(options, workers=concurrent)[0])


@every
def test_other_shapes_of_brackets(name: str) -> None:
    options = small(name, min_epochs=1, max_epochs=81, eta=3, iterations=7)
    check_plan(options, run_timeline(options)[0])


def check_plan(options: SweepSettings, ended: list[tuple[Evaluation, float | None]]) -> None:
    numbers = [evaluation.number for evaluation, _ in ended]
    assert numbers == list(range(len(numbers)))
    spent = sum(evaluation.epochs for evaluation, _ in ended)
    if options.planned_evaluations is not None:
        assert len(ended) == options.planned_evaluations
    if options.algorithm in ("bohb", "hyperband"):
        assert spent == options.planned_epochs
    assert options.planned_epochs - options.max_epochs < spent <= options.planned_epochs
    errors = {evaluation.number: error for evaluation, error in ended}
    last: dict[int, Evaluation] = {}
    for evaluation, _ in ended:
        before = last.get(evaluation.configuration.number)
        last[evaluation.configuration.number] = evaluation
        if before is None:
            assert (evaluation.previous, evaluation.previous_epochs) == (None, 0)
            continue
        assert errors[before.number] is not None, "failed evaluations are not promoted"
        assert evaluation.configuration is before.configuration
        assert (evaluation.previous, evaluation.previous_epochs) == (before.number, before.epochs)
        assert evaluation.rung == before.rung + 1 and evaluation.bracket == before.bracket
        assert options.budgets.index(evaluation.epochs) == options.budgets.index(before.epochs) + 1
    assert sorted(last) == list(range(len(last)))


@every
def test_proposals_are_points_of_the_space(name: str) -> None:
    import ConfigSpace

    space = toy_space()
    for evaluation, _ in undisturbed(name):
        values = evaluation.configuration.values
        assert {type(value) for value in values.values()} <= {str, int, float}
        ConfigSpace.Configuration(space, values=dict(values)).check_valid_configuration()


@every
def test_random_states_of_others_are_left_alone(name: str) -> None:
    space = toy_space()
    expected = toy_space().sample_configuration()
    with np.printoptions(threshold=sys.maxsize):
        before = random.getstate(), str(np.random.get_state())  # noqa: NPY002
        run_timeline(small(name), space=space)
        assert (random.getstate(), str(np.random.get_state())) == before  # noqa: NPY002
    assert space.sample_configuration() == expected


@every
def test_only_pending_evaluations_can_be_told(name: str) -> None:
    algorithm = make_algorithm(small(name), toy_space())
    with pytest.raises(ValueError, match="0 is not pending"):
        algorithm.tell(0, 0.5)
    assert algorithm.ask() is not None
    with pytest.raises(ValueError, match="not finite"):
        algorithm.tell(0, float("nan"))
    algorithm.tell(0, 0.5)
    with pytest.raises(ValueError, match="0 is not pending"):
        algorithm.tell(0, 0.5)


def test_random_configurations_are_the_same_for_all() -> None:
    """Comparable from the same start: configuration n is one, whoever asks for it."""
    seen = {
        name: {e.configuration.number: e.configuration.values for e, _ in undisturbed(name)}
        for name in ("hyperband", "asha", "random")
    }
    shared = set.intersection(*(set(found) for found in seen.values()))
    assert len(shared) > 8
    for number in shared:
        assert seen["hyperband"][number] == seen["asha"][number] == seen["random"][number]


def test_conditions_and_forbidden_combinations_are_kept() -> None:
    import ConfigSpace

    space = toy_space()
    extra = ConfigSpace.Float("extra", (0.0, 1.0))
    space.add(extra)
    space.add(ConfigSpace.EqualsCondition(extra, space["kind"], "nested"))
    space.add(
        ConfigSpace.ForbiddenAndConjunction(
            ConfigSpace.ForbiddenEqualsClause(space["kind"], "plain"),
            ConfigSpace.ForbiddenInClause(space["length"], list(range(20, 33))),
        )
    )
    ended, _ = run_timeline(small("bohb", iterations=40, concurrent=1), space=space)
    values = [e.configuration.values for e, _ in ended if e.configuration.model_based]
    assert {"extra" in found for found in values} == {True, False}
    for found in values:
        assert ("extra" in found) == (found["kind"] == "nested")
        assert not (found["kind"] == "plain" and found["length"] >= 20)


def best_true_error(name: str, seed: int) -> float:
    ended, _ = run_timeline(small(name, iterations=60, seed=seed))
    full = [(error, e) for e, error in ended if e.epochs == 100 and error is not None]
    return true_error(min(full, key=lambda pair: (pair[0], pair[1].number))[1].configuration.values)


def test_the_model_beats_chance() -> None:
    mean = {n: np.mean([best_true_error(n, s) for s in range(3)]) for n in ("bohb", "hyperband")}
    assert mean["bohb"] < mean["hyperband"] - 0.01


def test_the_published_sweep_has_280_evaluations() -> None:
    """64 brackets of (4, 2, 1), (2, 1), (3) at 25, 50 and 100 epochs (Zela et al. 2020)."""
    published = SweepSettings(algorithm="hyperband")
    assert published.budgets == (25, 50, 100)
    assert published.planned_evaluations == 280 == 22 * 7 + 21 * 3 + 21 * 3
    assert published.planned_epochs == 17_100
    ended, _ = run_timeline(published, workers=16)
    check_plan(published, ended)
    brackets: dict[int, Counter[int]] = {}
    for evaluation, _ in ended:
        brackets.setdefault(evaluation.bracket, Counter())[evaluation.epochs] += 1
    shapes = [{25: 4, 50: 2, 100: 1}, {50: 2, 100: 1}, {100: 3}]
    assert [brackets[number] for number in range(64)] == [shapes[n % 3] for n in range(64)]


def test_bohb_has_the_brackets_of_hyperband() -> None:
    shapes = [
        sorted((e.bracket, e.rung, e.epochs) for e, _ in run_timeline(small(name))[0])
        for name in ("bohb", "hyperband")
    ]
    assert shapes[0] == shapes[1]


def test_a_wider_window_changes_what_depends_on_results_only() -> None:
    for name in ALGORITHMS:
        wide = run_timeline(replace(small(name), concurrent=8))[0]
        assert (tuple(wide) == undisturbed(name)) == (name == "random")
