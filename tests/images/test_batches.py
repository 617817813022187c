from __future__ import annotations

import numpy as np
import pytest
import torch

from raynas.images import Augmentation, Images, ImageSource, Pass, find_images, load_search_images

GENERATOR = torch.Generator()


class Numbered(ImageSource):
    """Image i has the value i in every pixel, but for a bright spot in a corner."""

    name = "numbered"
    title = "numbered"
    shape = (2, 6, 6)
    classes = 2
    mirrored = True
    sizes = {"search": 200}  # noqa: RUF012

    def read(self, part: str) -> Images:
        assert part == "search"
        pixels = np.zeros((200, *self.shape), np.uint8)
        pixels[:] = np.arange(200)[:, None, None, None]
        pixels[:, :, 0, 1] = 255
        return Images(pixels, (np.arange(200) % 2).astype(np.uint8))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_halves_are_disjoint_and_depend_on_the_seed_only() -> None:
    halves = load_search_images(Numbered(), split_seed=1)
    train, validation = (
        half.pixels[:, 3, 3, 0].tolist() for half in (halves.train, halves.validation)
    )
    assert halves.train.pixels.dtype == halves.validation.pixels.dtype == torch.uint8
    assert len(train) == len(validation) == 100
    assert set(train) | set(validation) == set(range(200))
    same, other = (load_search_images(Numbered(), split_seed=seed) for seed in (1, 2))
    assert torch.equal(same.train.pixels, halves.train.pixels)
    assert not torch.equal(other.train.pixels, halves.train.pixels)
    assert train != sorted(range(100))


def test_fewer_images_can_be_taken() -> None:
    halves = load_search_images(Numbered(), per_half=30)
    assert len(halves.train) == len(halves.validation) == 30


def test_normalisation_uses_the_training_half() -> None:
    halves = load_search_images(find_images("digits"))
    (batch,) = halves.train.in_order(len(halves.train))
    assert batch.images.mean().item() == pytest.approx(0, abs=1e-5)
    assert batch.images.std(unbiased=False).item() == pytest.approx(1, abs=1e-5)
    (other,) = halves.validation.in_order(len(halves.validation))
    assert abs(other.images.mean().item()) > 1e-4


def test_images_in_order_are_all_there_and_unchanged() -> None:
    halves = load_search_images(Numbered())
    batches = list(halves.validation.in_order(48))
    assert [len(batch.labels) for batch in batches] == [34, 33, 33]
    images = torch.cat([batch.images for batch in batches]).permute(0, 2, 3, 1)
    restored = images * halves.validation.deviation + halves.validation.mean
    assert torch.allclose(restored, halves.validation.pixels.float(), atol=1e-3)


def test_a_pass_shows_every_image_once() -> None:
    train = load_search_images(Numbered()).train
    shown = Pass.draw(train, 25, generator())
    assert len(shown) == 4
    assert sorted(shown.order.flatten().tolist()) == list(range(100))
    batch = shown[2]
    expected = train.pick(shown.order[2])
    assert torch.equal(batch.images, expected.images)
    assert torch.equal(batch.labels, train.labels[shown.order[2]])


def test_passes_are_determined_by_the_generator() -> None:
    train = load_search_images(Numbered()).train
    augmentation = Augmentation(2, True, 3, 0.5)
    stream = generator(7)
    first, second = (Pass.draw(train, 25, stream, augmentation) for _ in range(2))
    again = Pass.draw(train, 25, generator(7), augmentation)
    assert torch.equal(first[1].images, again[1].images)
    assert not torch.equal(first.order, second.order)


def test_crops_match_a_plain_loop() -> None:
    train = load_search_images(Numbered()).train
    augmentation = Augmentation(2, True)
    draws = augmentation.draw((40,), 6, 6, generator(3))
    index = torch.arange(40)
    crops = augmentation.crop(train.pixels, index, draws)
    for number in range(40):
        top, left, mirror = draws[number, :3].tolist()
        framed = np.pad(train.pixels[number].numpy(), ((2, 2), (2, 2), (0, 0)))
        expected = framed[2 + top : 8 + top, 2 + left : 8 + left]
        assert np.array_equal(crops[number], expected[:, ::-1] if mirror else expected)
    assert draws[:, 0].min() == -2 and draws[:, 0].max() == 2
    assert 5 < draws[:, 2].sum() < 35


def test_no_padding_and_no_mirror_leave_the_images_alone() -> None:
    train = load_search_images(Numbered()).train
    augmentation = Augmentation(0, False)
    draws = augmentation.draw((40,), 6, 6, generator())
    index = torch.arange(40)
    assert torch.equal(augmentation.crop(train.pixels, index, draws), train.pixels[:40])


@pytest.mark.parametrize("length", [1, 2, 3, 6])
def test_cutout_sets_a_square_to_the_mean(length: int) -> None:
    augmentation = Augmentation(0, False, length, 1.0)
    draws = augmentation.draw((50,), 6, 6, generator())
    cut = augmentation.cut(torch.ones(50, 6, 6, 2), draws)
    for image, draw in zip(cut, draws, strict=True):
        expected = np.ones((6 + 2 * length, 6 + 2 * length))
        row, column = (int(draw[i]) + length - length // 2 for i in (3, 4))
        expected[row : row + length, column : column + length] = 0
        inner = expected[length : length + 6, length : length + 6]
        assert np.array_equal(image[..., 0], inner) and np.array_equal(image[..., 1], inner)


def test_cutout_has_its_probability() -> None:
    augmentation = Augmentation(0, False, 2, 0.25)
    draws = augmentation.draw((4000,), 6, 6, generator())
    cut = augmentation.cut(torch.ones(4000, 6, 6, 1), draws)
    assert (cut == 0).any(-1).any(-1).any(-1).float().mean().item() == pytest.approx(0.25, abs=0.03)


def test_cutout_does_not_disturb_the_crops() -> None:
    plain, cut = Augmentation(2, True), Augmentation(2, True, 3, 0.9)
    first, second = (a.draw((30,), 6, 6, generator(5)) for a in (plain, cut))
    assert torch.equal(first[:, :5], second[:, :5])


def test_batches_are_channels_last() -> None:
    train = load_search_images(Numbered()).train
    for augmentation in (None, Augmentation(1, True, 2, 1.0)):
        images = Pass.draw(train, 20, generator(), augmentation)[0].images
        assert images.shape == (20, 2, 6, 6)
        assert images.is_contiguous(memory_format=torch.channels_last)
