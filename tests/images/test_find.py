from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest

from raynas.images import ImageError, find_images


def test_auto_prefers_the_fetched_archive(data: Path, archive: Path) -> None:
    assert find_images("auto").name == "digits"
    shutil.copy(archive, data)
    assert find_images("auto").name == find_images("cifar10").name == "cifar10"
    assert find_images("digits").name == "digits"


def test_cifar10_without_the_archive_says_how_to_get_it() -> None:
    with pytest.raises(
        ImageError, match=r"does not exist; .*python -m search_spaces\.fetch cifar10"
    ):
        find_images("cifar10")


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(ImageError, match=r"unknown images 'imagenet'.*auto, cifar10, digits") as e:
        find_images("imagenet")
    assert e.value.exit_code == 2


def test_pickled_files_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(b"")
    with pytest.raises(ImageError, match="pickled files are never read"):
        find_images(path)
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps({}))
    with pytest.raises(ImageError, match=r"has neither cifar-10-binary\.tar\.gz"):
        find_images(tmp_path)


def test_the_folders_around_the_files_are_found(tmp_path: Path, archive: Path) -> None:
    assert find_images(archive.parent).path == archive
    assert find_images(archive.parent).title == "CIFAR-10 (official binary archive)"
    (tmp_path / "cifar-10-batches-bin").mkdir()
    (tmp_path / "cifar-10-batches-bin" / "data_batch_1.bin").touch()
    assert find_images(tmp_path).path == tmp_path / "cifar-10-batches-bin"
    (tmp_path / "hub" / "plain_text").mkdir(parents=True)
    (tmp_path / "hub" / "plain_text" / "train-00000-of-00001.parquet").touch()
    assert find_images(tmp_path / "hub").path == tmp_path / "hub" / "plain_text"
    assert find_images(tmp_path / "hub").title == "CIFAR-10 (Parquet files)"


@pytest.mark.parametrize("part", ["search", "validation", "test"])
def test_digits_are_real_images_of_every_class(part: str) -> None:
    source = find_images("digits")
    images = source.read(part)
    assert images.pixels.shape == (source.sizes[part], *source.shape)
    assert set(images.labels.tolist()) == set(range(10))
    assert images.pixels.max() == 255


def test_the_parts_of_digits_do_not_overlap() -> None:
    source = find_images("digits")
    assert sum(source.sizes.values()) == 1797
    first = {source.read(part).pixels[0].tobytes() for part in source.sizes}
    assert len(first) == 3


def test_a_source_crosses_a_process_boundary(archive: Path) -> None:
    for source in (find_images("digits"), find_images(archive)):
        assert pickle.loads(pickle.dumps(source)) == source
