"""What holds for every registered one-shot method."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from raynas.images import ImageSource, find_images, load_search_images
from raynas.oneshot import (
    Search,
    SearchSettings,
    method_names,
    method_settings,
    read_checkpoint,
    write_checkpoint,
)
from search_spaces.spaces import load_space
from tests.support.searches import digest, result, tiny_images
from tests.support.searches import tiny_search as search_of_some_steps

METHODS = method_names()
PER_HALF = 32
tiny_search = partial(search_of_some_steps, per_half=PER_HALF)
pytestmark = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_published_settings_are_the_default(method: str) -> None:
    settings = method_settings(method)
    assert isinstance(settings, SearchSettings)
    assert (settings.channels, settings.cells, settings.learning_rate) == (16, 9, 0.025)
    assert type(settings)() == settings


def test_the_same_seed_gives_the_same_bytes(method: str) -> None:
    first, second, other = (tiny_search(method, seed=seed) for seed in (3, 3, 4))
    records, same, others = (search.advance(2) for search in (first, second, other))
    assert [result(record) for record in records] == [result(record) for record in same]
    assert digest(first.state_dict()["method"]) == digest(second.state_dict()["method"])
    assert result(records[-1]) != result(others[-1])


def test_nothing_depends_on_global_random_state(method: str) -> None:
    (expected,) = tiny_search(method).advance()
    torch.manual_seed(1)
    state = torch.get_rng_state()
    (record,) = tiny_search(method).advance()
    assert result(record) == result(expected)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_restart_equals_no_restart(method: str, tmp_path: Path) -> None:
    undisturbed = tiny_search(method, epochs=3)
    expected = undisturbed.advance(3)
    stopped = tiny_search(method, epochs=3)
    records = stopped.advance()
    write_checkpoint(tmp_path / "state", stopped.state_dict())
    while not stopped.finished:
        fresh = tiny_search(method, epochs=3)
        fresh.load_state_dict(read_checkpoint(tmp_path / "state"))
        records += fresh.advance()
        write_checkpoint(tmp_path / "state", fresh.state_dict())
        stopped = fresh
    assert [result(record) for record in records] == [result(record) for record in expected]
    assert digest(stopped.state_dict()) == digest(undisturbed.state_dict())


def test_a_state_survives_a_file(method: str, tmp_path: Path) -> None:
    search = tiny_search(method)
    search.advance()
    state = search.state_dict()
    write_checkpoint(tmp_path / "state", state)
    assert digest(torch.load(tmp_path / "state", weights_only=True)) == digest(state)


def test_a_loaded_state_is_the_whole_state(method: str) -> None:
    search, other = tiny_search(method), tiny_search(method)
    search.advance()
    other.load_state_dict(search.state_dict())
    assert digest(other.state_dict()) == digest(search.state_dict())


def test_a_state_brings_its_own_network(method: str) -> None:
    """Evaluating a checkpoint needs no word on the method: partial channels are in it."""
    search = tiny_search(method)
    search.advance()
    again = Search.from_state(search.state_dict(), tiny_images(PER_HALF))
    vectors = search.space.sample(np.random.default_rng(0), 3)
    assert again.evaluate(vectors).tolist() == search.evaluate(vectors).tolist()
    assert again.method.network.settings == search.method.network.settings
    assert result(again.advance()[0]) == result(search.advance()[0])


@pytest.mark.parametrize("space", ["1", "2", "3"])
def test_the_discretised_architecture_is_one_of_the_space(method: str, space: str) -> None:
    search = tiny_search(method, space=space)
    (record,) = search.advance()
    vector = np.array([record.vector], np.uint8)
    assert search.space.valid(vector).all()
    assert (vector[0] < search.space.cardinalities).all()
    row = search.space.rows(vector)[0]
    assert search.space.unique_hashes()[row].tobytes().hex() == record.module_hash


def test_every_alpha_moves(method: str) -> None:
    # Without weight decay, which would move them anyway.
    values = {} if method == "random_ws" else {"arch_weight_decay": 0.0}
    search = tiny_search(method, space="3", **values)
    before = search.alphas()
    assert (before == {}) == (method == "random_ws")
    search.advance(2)
    for name, after in search.alphas().items():
        assert (after != before[name]).all(), name


def test_weights_and_alphas_have_their_own_optimizers(method: str) -> None:
    own = tiny_search(method).method
    weights = {id(tensor) for tensor in own.network.parameters()}
    alphas = {id(tensor) for tensor in own.alphas.tensors()} if own.alphas else set()
    assert ids(own.weight_optimizer) == weights
    if alphas:
        assert ids(own.alpha_optimizer) == alphas
    assert not weights & alphas


def ids(optimizer: torch.optim.Optimizer) -> set[int]:
    return {id(tensor) for group in optimizer.param_groups for tensor in group["params"]}


def test_weight_steps_leave_the_alphas_and_the_other_way_round(method: str) -> None:
    search = tiny_search(method)
    search.method.start_epoch(0)
    batch, other = list(search.images.train.in_order(16))
    before, weights = digest(search.alphas()), digest(list(search.method.network.parameters()))
    search.method.architecture_step(batch, other)
    assert digest(list(search.method.network.parameters())) == weights
    between = digest(search.alphas())
    assert (between == before) == (method == "random_ws")
    search.method.weight_step(batch)
    assert digest(search.alphas()) == between
    assert digest(list(search.method.network.parameters())) != weights


@dataclass(frozen=True)
class Watched(ImageSource):
    """Digits that write down which parts are read."""

    source: ImageSource
    parts: list[str]
    name = "digits"
    title = "watched"
    shape = (1, 8, 8)
    classes = 10
    mirrored = False
    sizes = {}  # noqa: RUF012

    def read(self, part):
        self.parts.append(part)
        return self.source.read(part)


def test_neither_test_nor_validation_images_are_read(method: str) -> None:
    watched = Watched(find_images("digits"), [])
    images = load_search_images(watched, per_half=PER_HALF)
    settings = tiny_search(method).settings
    search = Search(method, load_space("1"), images, settings)
    search.advance(2)
    search.evaluate(search.space.sample(np.random.default_rng(0), 2))
    assert watched.parts == ["search"]


def test_the_final_state_is_recorded(method: str) -> None:
    search = tiny_search(method)
    records = search.advance(10)
    assert [record.epoch for record in records] == [1, 2]
    assert search.finished
    assert search.advance() == []
    assert digest(records[-1].alphas) == digest(search.alphas())
    assert records[-1].vector == tuple(search.method.discretise().tolist())
    if search.method.alphas is not None:
        assert digest(records[0].alphas) != digest(records[1].alphas)


def test_records_hold_plausible_numbers(method: str) -> None:
    for record in tiny_search(method).advance(2):
        assert 0 <= record.train_accuracy <= 1
        assert 0 <= record.validation_accuracy <= 1
        assert 0 < record.train_loss < 10
        assert record.seconds > 0 and record.validation_seconds > 0
        assert record.peak_memory > 1 << 20


def test_evaluating_changes_nothing(method: str) -> None:
    search = tiny_search(method)
    search.advance()
    before = digest(search.state_dict())
    vectors = search.space.sample(np.random.default_rng(0), 3)
    first, second = search.evaluate(vectors), search.evaluate(vectors)
    search.validation_accuracy()
    assert first.tolist() == second.tolist()
    assert first.shape == (3,) and ((first >= 0) & (first <= 1)).all()
    assert digest(search.state_dict()) == before


def test_training_learns_something(method: str) -> None:
    settings = replace(tiny_search(method).settings, epochs=8, learning_rate=0.1, gradient_clip=5.0)
    records = Search(method, load_space("1"), tiny_images(), settings).advance(8)
    assert records[-1].train_loss < records[0].train_loss - 0.1
