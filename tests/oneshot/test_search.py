from __future__ import annotations

import math
import mmap
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from raynas.images import SearchImages
from raynas.oneshot import (
    Diverged,
    Search,
    method_settings,
    read_checkpoint,
    write_checkpoint,
)
from raynas.oneshot._memory import peak_memory, reset_peak_memory
from raynas.oneshot.darts import Darts
from raynas.oneshot.darts2 import Darts2
from raynas.supernet.weights import ArchitectureWeights
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from tests.support.searches import digest, result, tiny_images, tiny_search


def watch(search: Search) -> list[tuple[str, ...]]:
    """Replace both steps by ones that write down what they are given."""
    seen = []
    architecture_step, weight_step = search.method.architecture_step, search.method.weight_step

    def watched_architecture_step(train, validation):
        seen.append(("architecture", train, validation))
        architecture_step(train, validation)

    def watched_weight_step(train):
        seen.append(("weights", train))
        return weight_step(train)

    search.method.architecture_step = watched_architecture_step
    search.method.weight_step = watched_weight_step
    return seen


def test_an_architecture_step_precedes_each_weight_step_on_the_same_batch() -> None:
    search = tiny_search("darts")
    seen = watch(search)
    search.advance()
    assert [step[0] for step in seen] == ["architecture", "weights"] * 3
    assert all(a[1] is b[1] for a, b in zip(seen[::2], seen[1::2], strict=True))


def test_validation_batches_are_not_augmented_and_training_batches_are() -> None:
    search = tiny_search("darts", crop_padding=2)
    seen = watch(search)
    search.advance()
    known = {half: plain(search.images, half) for half in ("train", "validation")}
    for _, train, validation in seen[::2]:
        assert all(image.numpy().tobytes() in known["validation"] for image in validation.images)
        unchanged = sum(image.numpy().tobytes() in known["train"] for image in train.images)
        assert unchanged < len(train.labels) / 2


def plain(images: SearchImages, half: str) -> set[bytes]:
    (batch,) = getattr(images, half).in_order(1000)
    return {image.numpy().tobytes() for image in batch.images}


def test_the_halves_do_not_mix() -> None:
    search = tiny_search("darts", crop_padding=0)
    seen = watch(search)
    search.advance()
    train, validation = plain(search.images, "train"), plain(search.images, "validation")
    for _, first, second in seen[::2]:
        assert {image.numpy().tobytes() for image in first.images} <= train
        assert {image.numpy().tobytes() for image in second.images} <= validation


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_cutout_reaches_the_training_batches(probability: float) -> None:
    """The squares are exactly 0, which no normalised pixel of these images is."""
    search = tiny_search("darts", cutout_probability=probability, crop_padding=0)
    seen = watch(search)
    search.advance()
    for _, train, validation in seen[::2]:
        cut = (train.images == 0).flatten(1).any(1)
        assert cut.all() if probability else not cut.any()
        assert not (validation.images == 0).any()


def test_the_cutout_ramp_is_linear() -> None:
    search = tiny_search("darts", epochs=5, cutout_probability=0.8, cutout_ramp=True)
    ramp = [search.augmentation_of(epoch).cutout_probability for epoch in range(5)]
    assert ramp == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    constant = tiny_search("darts", epochs=5, cutout_probability=0.8)
    assert {constant.augmentation_of(epoch).cutout_probability for epoch in range(5)} == {0.8}


def test_lengths_follow_the_size_of_the_images() -> None:
    augmentation = tiny_search("darts").augmentation
    assert (augmentation.padding, augmentation.cutout_length) == (1, 4)
    assert not augmentation.mirror


def test_the_learning_rate_follows_a_cosine_once_per_epoch() -> None:
    search = tiny_search("darts", epochs=4, learning_rate=0.4, learning_rate_min=0.2)
    rates = []
    step = search.method.weight_optimizer.step

    def watched_step(*arguments):
        rates.append(search.method.weight_optimizer.param_groups[0]["lr"])
        return step(*arguments)

    search.method.weight_optimizer.step = watched_step
    records = search.advance(4)
    expected = [0.2 + 0.1 * (1 + math.cos(math.pi * epoch / 4)) for epoch in range(4)]
    assert rates == pytest.approx(np.repeat(expected, 3).tolist())
    assert [record.learning_rate for record in records] == pytest.approx(expected)
    assert rates[0] == 0.4


@pytest.mark.parametrize("method", ["darts", "darts2", "gdas", "pc_darts"])
def test_a_warm_start_keeps_the_alphas(method: str) -> None:
    search = tiny_search(method, epochs=3, warm_start_epochs=2)
    before = search.alphas()
    first, second, third = search.advance(3)
    assert digest(first.alphas) == digest(second.alphas) == digest(before)
    assert digest(third.alphas) != digest(before)


def test_weight_gradients_are_clipped() -> None:
    search = tiny_search("darts", gradient_clip=1e-3)
    search.advance()
    norm = torch.stack([p.grad.norm() for p in search.method.network.parameters()]).norm()
    assert norm == pytest.approx(1e-3, rel=1e-3)


def test_a_search_that_diverges_names_the_epoch() -> None:
    search = tiny_search("darts", learning_rate=1e30, epochs=3)
    with pytest.raises(Diverged, match=r"darts on space 1 diverged in epoch 1 of 3: .*1e\+30"):
        search.advance(3)


@pytest.mark.parametrize("what", ["weights", "alphas"])
def test_a_number_that_is_not_finite_ends_the_search(what: str) -> None:
    search = tiny_search("darts", epochs=3)
    search.advance()
    own = search.method
    tensor = own.alphas.output if what == "alphas" else next(own.network.parameters())
    tensor.data[0] = math.nan
    with pytest.raises(Diverged, match="epoch 2 of 3"):
        search.advance()


def test_methods_with_one_seed_start_from_the_same_weights() -> None:
    states = [
        digest(tiny_search(method, batch_size=16).method.network.state_dict())
        for method in ("darts", "darts2", "gdas", "random_ws")
    ]
    assert len(set(states)) == 1
    other = tiny_search("darts", seed=1).method.network.state_dict()
    assert digest(other) != states[0]


def test_a_seed_sequence_is_read_only() -> None:
    sequence = np.random.SeedSequence(5, spawn_key=(1, 2))
    settings = tiny_search("darts").settings
    searches = [
        Search("darts", load_space("1"), tiny_images(), settings, seed=sequence) for _ in range(2)
    ]
    first, second = (search.advance()[0] for search in searches)
    assert result(first) == result(second)
    assert sequence.n_children_spawned == 0


def test_evaluation_is_that_of_one_hot_weights() -> None:
    search = tiny_search("darts", statistics="batch")
    search.advance()
    vectors = search.space.sample(np.random.default_rng(1), 4)
    first = search.evaluate(vectors, batches=1)
    full = search.evaluate(vectors)
    assert (first * 16 % 1 == 0).all() and (full * 48 % 1 == 0).all()
    again = search.evaluate(vectors[::-1])
    assert again.tolist() == full[::-1].tolist()


def test_bf16_is_near_float32() -> None:
    exact, rough = (
        tiny_search("darts", precision=name).advance()[0] for name in ("float32", "bf16")
    )
    assert rough.train_loss != exact.train_loss
    assert rough.train_loss == pytest.approx(exact.train_loss, rel=0.05)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 49}, "there are only 48 images"),
        ({"cutout_length": 9}, r"cutout_length = 9: must be in 0\.\.8"),
        ({"crop_padding": 9}, r"crop_padding = 9: must be in 0\.\.8"),
        ({"epochs": 0}, "epochs = 0: must be at least 1"),
        ({"learning_rate": -1.0}, r"learning_rate = -1\.0: must be positive"),
        ({"learning_rate": float("inf")}, "learning_rate = inf: must be finite"),
        ({"learning_rate": float("nan")}, "learning_rate = nan: must be positive"),
        ({"learning_rate_min": -0.1}, r"learning_rate_min = -0\.1: must be at least 0"),
        ({"learning_rate": 0.1, "learning_rate_min": 0.2}, r"at most learning_rate = 0\.1"),
        ({"weight_decay": -1.0}, r"weight_decay = -1\.0: must be finite and not negative"),
        ({"arch_weight_decay": -1.0}, r"arch_weight_decay = -1\.0: must be finite and not"),
        ({"momentum": 1.0}, r"momentum = 1\.0: must be in"),
        ({"cutout_probability": 1.5}, "cutout_probability = 1.5"),
        ({"warm_start_epochs": 2}, "must leave something of the 2 epochs"),
        ({"precision": "fp8"}, "valid are: float32, bf16"),
        ({"flavour": "vanilla"}, "valid are: corrected, published"),
        ({"arch_betas": (0.5, 1.0)}, "must be two numbers"),
        ({"speed": 3}, "unknown setting 'speed'; valid are: channels, cells"),
    ],
)
def test_wrong_settings_are_named(settings: dict, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        tiny_search("darts", **settings)
    assert error.value.exit_code == 2


@pytest.mark.parametrize("entropy", [5, [1, 2], (1, 2)])
@pytest.mark.parametrize("key", [(), (3,), (3, 4)])
def test_a_state_restores_any_seed_sequence(
    entropy: int | list[int] | tuple[int, ...], key: tuple[int, ...]
) -> None:
    seed = np.random.SeedSequence(entropy, spawn_key=key)
    settings = tiny_search("random_ws").settings
    search = Search("random_ws", load_space("1"), tiny_images(), settings, seed=seed)
    state = search.state_dict()
    again = Search.from_state(state, tiny_images())
    assert again.state_dict()["identity"] == state["identity"]


def test_wrong_names_and_seeds() -> None:
    with pytest.raises(
        UserError, match=r"unknown one-shot method 'enas'; valid are: darts, darts2"
    ):
        method_settings("enas")
    with pytest.raises(UserError, match="seed = -1"):
        tiny_search("darts", seed=-1)
    with pytest.raises(TypeError, match="must be GdasSettings"):
        Search("gdas", load_space("1"), tiny_images(), method_settings("darts"))


def test_a_checkpoint_of_another_search_is_refused() -> None:
    state = tiny_search("darts").state_dict()
    for other in (
        tiny_search("gdas"),
        tiny_search("darts", space="2"),
        tiny_search("darts", seed=1),
        tiny_search("darts", learning_rate=0.1),
    ):
        with pytest.raises(UserError, match=r"the checkpoint has .*, this search"):
            other.load_state_dict(state)


DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def images_on(device: str) -> SearchImages:
    images = tiny_images()
    halves = {
        half: replace(
            getattr(images, half),
            **{name: tensor.to(device) for name, tensor in vars(getattr(images, half)).items()},
        )
        for half in ("train", "validation")
    }
    return replace(images, **halves)


@pytest.mark.parametrize("device", DEVICES)
def test_the_network_lives_where_the_images_are(device: str) -> None:
    settings = tiny_search("darts").settings
    search = Search("darts", load_space("1"), images_on(device), settings)
    assert {p.device.type for p in search.method.network.parameters()} == {device}
    assert search.method.alphas.output.device.type == device
    (record,) = search.advance()
    (expected,) = tiny_search("darts").advance()
    assert record.train_loss == pytest.approx(expected.train_loss, rel=1e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_a_checkpoint_goes_on_on_the_device_of_the_images(device: str, tmp_path: Path) -> None:
    search = Search("gdas", load_space("1"), images_on(device), tiny_search("gdas").settings)
    search.advance()
    write_checkpoint(tmp_path / "state", search.state_dict())
    again = Search.from_state(read_checkpoint(tmp_path / "state"), images_on(device))
    assert {p.device.type for p in again.method.network.parameters()} == {device}
    (record,), (expected,) = again.advance(), search.advance()
    assert record.train_loss == pytest.approx(expected.train_loss, rel=1e-3)


def test_a_checkpoint_of_a_gpu_goes_on_on_a_cpu() -> None:
    search = tiny_search("darts")
    search.advance()
    state = search.state_dict()
    for group in state["method"]["alpha_optimizer"]["param_groups"]:
        group["capturable"] = True  # as on a GPU
    again = Search.from_state(state, search.images)
    for each in (again, search):
        each.advance()
    assert digest(again.state_dict()) == digest(search.state_dict())


class OutputForgotten(Darts):
    """Leaves one of the architecture parameters out."""

    name = "output forgotten"

    def mixing_weights(self) -> ArchitectureWeights:
        soft = super().mixing_weights()
        return replace(soft, output=soft.output.detach())


@pytest.mark.parametrize("base", [Darts, Darts2])
def test_alphas_that_a_method_leaves_out_stay_where_they_are(base: type[Darts]) -> None:
    kind = type("Forgetful", (OutputForgotten, base), {})
    usual = tiny_search(base.name, arch_weight_decay=0.0)
    search = Search(kind, load_space("1"), usual.images, usual.settings)
    before = search.alphas()
    search.advance()
    assert np.array_equal(search.alphas()["output"], before["output"])
    assert not np.array_equal(search.alphas()["operation"], before["operation"])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak cannot begin anew")
def test_the_peak_of_memory_is_that_of_an_epoch() -> None:
    cpu = torch.device("cpu")
    reset_peak_memory(cpu)
    before = peak_memory(cpu)
    large = mmap.mmap(-1, 200_000_000)  # which the system gets back, whatever malloc keeps
    for start in range(0, len(large), mmap.PAGESIZE):
        large[start] = 1
    during = peak_memory(cpu)
    assert during - before > 150_000_000
    large.close()
    reset_peak_memory(cpu)
    assert during - peak_memory(cpu) > 150_000_000
