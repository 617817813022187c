"""One evaluation: training, continuing, looking up, failing."""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from raynas.images import find_images, load_search_images
from raynas.oneshot import Diverged, method_settings
from raynas.oneshot.checkpoint import read_checkpoint
from search_spaces.errors import UserError
from search_spaces.sources import open_benchmark
from search_spaces.spaces import load_space
from tests.support.searches import TINY
from tuning.objective import CURVE, SearchObjective
from tuning.scores import CellScores
from tuning.spaces import Limits, configuration_space, default_configuration, hyperparameters

SEED = np.random.SeedSequence(5, spawn_key=(1, 2))
LIMITS = Limits(side=8, half=48, least_epochs=1)


@cache
def scores(repeat: str = "mean") -> CellScores:
    return CellScores.of(open_benchmark("surrogate").table(load_space("1")), repeat)


def objective(method: str = "darts", **changed: object) -> SearchObjective:
    defaults = method_settings(method, **TINY)
    axes = hyperparameters(method, 3, defaults, LIMITS)
    made = SearchObjective(
        method, defaults, axes, scores(), find_images("digits"), "cpu", max_epochs=3
    )
    made = replace(made, **changed)
    # What every worker process does, with fewer images.
    made.__dict__["_resident"] = load_search_images(made.images, per_half=48)
    return made


def first(made: SearchObjective) -> dict[str, object]:
    return default_configuration(configuration_space(made.axes, made.defaults, LIMITS))


def test_continuing_equals_one_long_search() -> None:
    made = objective()
    values = first(made) | {"learning_rate": 0.1}
    short = made(values, 1, None, SEED)
    continued = made(values, 3, short.checkpoint, SEED)
    long = made(values, 3, None, SEED)
    assert replace(continued, seconds=0.0, checkpoint=None) == replace(
        long, seconds=0.0, checkpoint=None
    )
    states = [read_checkpoint(outcome.checkpoint or b"") for outcome in (continued, long)]
    assert [epoch[:3] for epoch in states[0][CURVE]] == [epoch[:3] for epoch in states[1][CURVE]]
    assert sum(epoch[3] for epoch in states[0][CURVE]) == pytest.approx(
        short.seconds + continued.seconds
    )


def test_a_restart_ignores_the_checkpoint_and_has_a_schedule_of_its_own() -> None:
    made = objective(restart=True)
    values = first(made)
    short = made(values, 1, None, SEED)
    again = made(values, 2, short.checkpoint, SEED)
    assert replace(again, seconds=0.0, checkpoint=None) == replace(
        made(values, 2, None, SEED), seconds=0.0, checkpoint=None
    )
    state = read_checkpoint(again.checkpoint or b"")
    assert state["identity"]["epochs"] == 2
    assert len(state[CURVE]) == 2


def test_the_final_cell_is_looked_up() -> None:
    made = objective()
    outcome = made(first(made), 1, None, SEED)
    table = open_benchmark("surrogate").table(load_space("1"))
    row = load_space("1").row_of_hash(outcome.module_hash)
    assert outcome.validation_error == table.validation_error(row)
    assert outcome.test_error == table.test_error(row)
    assert 0 <= outcome.one_shot_validation_error <= 1
    assert outcome.seconds > 0
    assert outcome.device == "cpu"


def test_a_single_repeat_decides_where_one_is_asked_for() -> None:
    table = open_benchmark("surrogate").table(load_space("1"))
    rows = np.arange(table.space.num_unique)
    assert (scores("1").validation_error == table.validation_error(rows, 108, 1)).all()
    assert (scores("1").test_error == scores().test_error).all()
    assert (scores("1").validation_error != scores().validation_error).any()
    with pytest.raises(UserError, match="unknown repeat '3'; valid are: mean, 0, 1, 2"):
        scores("3")


def test_a_benchmark_without_the_cell_says_so() -> None:
    nothing = np.full_like(scores().validation_error, np.nan)
    made = objective(scores=replace(scores(), validation_error=nothing))
    with pytest.raises(UserError, match="does not know the validation error at 108 epochs of cell"):
        made(first(made), 1, None, SEED)


def test_a_diverged_search_is_an_error() -> None:
    made = objective()
    made = replace(made, defaults=replace(made.defaults, momentum=0.9, gradient_clip=1e30))
    made.__dict__["_resident"] = load_search_images(made.images, per_half=48)
    axes = tuple(axis for axis in made.axes if axis.name == "learning_rate")
    made = replace(made, axes=axes)
    made.__dict__["_resident"] = load_search_images(made.images, per_half=48)
    with pytest.raises(Diverged):
        made({"learning_rate": 1e30}, 3, None, SEED)


def test_a_damaged_checkpoint_begins_again() -> None:
    made = objective()
    values = first(made)
    begun = made(values, 1, b"no checkpoint", SEED)
    assert begun.module_hash == made(values, 1, None, SEED).module_hash


def test_it_travels_without_images() -> None:
    made = objective()
    packed = pickle.dumps(made)
    assert len(packed) < 200_000
    assert "_resident" not in vars(pickle.loads(packed))
