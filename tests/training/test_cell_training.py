from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from raynas.images import TrainingImages, find_images, load_training_images
from raynas.oneshot import Diverged
from raynas.training import CellTraining, TrainingSettings, cell_of_hash, settings_for
from raynas.training._folder import CHECKPOINT, Description, TrainingFolder
from search_spaces.errors import UserError
from tests.support.searches import digest

GOLDEN = cell_of_hash("994482045247152d0c454acf4128fbe5", ["3"]).cell
TINY = TrainingSettings(channels=4, epochs=3, batch_size=32, learning_rate=0.05, norm_momentum=0.3)


@pytest.fixture(scope="module")
def images() -> TrainingImages:
    return load_training_images(find_images("digits"), count=96)


def _training(images: TrainingImages, seed: int = 0, **changes: object) -> CellTraining:
    settings = dataclasses.replace(TINY, **changes)  # type: ignore[arg-type]
    return CellTraining(GOLDEN, images, settings, seed=seed)


def _result(training: CellTraining) -> str:
    history = [dataclasses.replace(result, seconds=0.0) for result in training.history]
    return digest([training.network.state_dict(), list(map(dataclasses.astuple, history))])


def _finish(training: CellTraining) -> str:
    while not training.finished:
        training.advance()
    return _result(training)


@pytest.fixture(scope="module")
def undisturbed(images: TrainingImages) -> str:
    return _finish(_training(images))


def test_resuming_equals_never_stopping(
    images: TrainingImages, undisturbed: str, tmp_path: Path
) -> None:
    folder = TrainingFolder.create(tmp_path / "t", Description(GOLDEN, "digits", TINY, 0))
    first = _training(images)
    first.advance()
    folder.save(first)
    reopened = TrainingFolder.open(tmp_path / "t")
    assert reopened.description == folder.description
    second = _training(images)
    reopened.load(second)
    assert second.epoch == 1
    assert _finish(second) == undisturbed


def test_the_checkpoint_holds_no_code(images: TrainingImages, tmp_path: Path) -> None:
    folder = TrainingFolder.create(tmp_path, Description(GOLDEN, "digits", TINY, 0))
    folder.save(_training(images))
    assert torch.load(tmp_path / CHECKPOINT, weights_only=True)["history"] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [CHECKPOINT, "training.json"]


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    description = Description(GOLDEN, "digits", TINY, 0)
    TrainingFolder.create(tmp_path / "t", description)
    with pytest.raises(UserError, match="--resume"):
        TrainingFolder.create(tmp_path / "t", description)


def test_another_training_is_refused(images: TrainingImages) -> None:
    state = _training(images).state_dict()
    with pytest.raises(UserError, match="the checkpoint has channels = 4, this training 8"):
        _training(images, channels=8).load_state_dict(state)


@pytest.fixture(scope="module")
def after_one_epoch(images: TrainingImages) -> str:
    return _finish(_training(images, epochs=1))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"channels": 8},
        {"batch_size": 48},
        {"learning_rate": 0.1},
        {"momentum": 0.5},
        {"decay": 0.5},
        {"epsilon": 0.1},
        {"weight_decay": 0.1},
        {"norm_momentum": 0.2},
        {"precision": "bf16"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_option_changes_something(
    images: TrainingImages, after_one_epoch: str, change: dict[str, object]
) -> None:
    assert _finish(_training(images, epochs=1, **change)) != after_one_epoch


def test_the_learning_rate_falls_to_zero_over_all_steps(images: TrainingImages) -> None:
    training = _training(images)
    rates = [training.learning_rate(step) for step in (0, 9 // 2, 9)]
    assert training.steps_per_epoch == 3
    assert rates[0] == 0.05 and 0.02 < rates[1] < 0.04 and rates[2] == pytest.approx(0)


@pytest.mark.long
def test_it_learns_digits() -> None:
    images = load_training_images(find_images("digits"))
    training = CellTraining(GOLDEN, images, settings_for("digits", channels=8, epochs=4))
    _finish(training)
    assert training.final_accuracies()["validation"] > 0.2  # a tenth by chance
    assert training.history[-1].loss < training.history[0].loss


def test_divergence_names_the_epoch(images: TrainingImages) -> None:
    training = _training(images)
    training.advance()
    with torch.no_grad():
        training.network.classifier.weight.fill_(float("nan"))
    with pytest.raises(Diverged, match=r"diverged in epoch 2 of 3: training loss not finite"):
        training.advance()


def test_too_large_batches_are_refused(images: TrainingImages) -> None:
    with pytest.raises(UserError, match="only 96 images"):
        _training(images, batch_size=97)


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 0), ("learning_rate", 0.0), ("momentum", 1.0), ("precision", "half")],
)
def test_wrong_settings_are_refused(name: str, value: object) -> None:
    with pytest.raises(UserError, match=name):
        TrainingSettings(**{name: value})  # type: ignore[arg-type]


def test_the_published_settings_are_the_defaults() -> None:
    published = settings_for("cifar10")
    assert (published.channels, published.epochs, published.batch_size) == (128, 108, 256)
    assert (published.learning_rate, published.epsilon, published.norm_momentum) == (0.2, 1, 0.003)
    assert settings_for("digits").channels < 128
