from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from raynas.images import ImageError, find_images
from raynas.images import _cifar10_binary as binary
from tests.support.cifar10 import write_archive

ROWS = 50_000


def png(number: int) -> bytes:
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[0, 0] = number // 10_000, number % 251, 7
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def parquet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real images only around the border between the parts; elsewhere one image repeated."""
    folder = tmp_path_factory.mktemp("parquet")
    filler = png(0)
    images = [filler] * ROWS
    for number in (0, 24_999, 25_000, 39_999, 40_000, 49_999):
        images[number] = png(number)
    column = pa.array([{"bytes": image, "path": None} for image in images])
    table = pa.table({"img": column, "label": np.arange(ROWS) % 10})
    pq.write_table(table[:25_000], folder / "train-00000-of-00002.parquet")
    pq.write_table(table[25_000:], folder / "train-00001-of-00002.parquet")
    return folder


def test_the_search_part_is_the_first_four_batches(binary_folder: Path) -> None:
    images = find_images(binary_folder).read("search")
    assert images.pixels.shape == (40_000, 3, 32, 32)
    assert images.pixels[:, 0, 0, 0].tolist() == np.repeat([1, 2, 3, 4], 10_000).tolist()
    assert images.pixels[10_003, 0, 0, 1] == 3
    assert images.labels[:12].tolist() == [*range(10), 0, 1]


def test_the_archive_holds_the_same_images(archive: Path, binary_folder: Path) -> None:
    packed, unpacked = find_images(archive), find_images(binary_folder)
    for part in ("validation", "test"):
        assert np.array_equal(packed.read(part).pixels, unpacked.read(part).pixels)
        assert np.array_equal(packed.read(part).labels, unpacked.read(part).labels)


def test_the_fifth_batch_is_the_validation_part(binary_folder: Path) -> None:
    source = find_images(binary_folder)
    assert np.unique(source.read("validation").pixels[:, 0, 0, 0]).tolist() == [5]
    assert np.unique(source.read("test").pixels[:, 0, 0, 0]).tolist() == [6]


def test_a_search_opens_neither_the_fifth_batch_nor_the_test_set(
    tmp_path: Path, binary_folder: Path, batches: dict[str, bytes]
) -> None:
    names = binary.MEMBERS["search"]
    for name in names:
        shutil.copy(binary_folder / name, tmp_path)
    assert len(find_images(tmp_path).read("search").labels) == 40_000
    packed = write_archive(tmp_path / "a.tar.gz", {name: batches[name] for name in names[::-1]})
    images = find_images(packed).read("search")
    assert images.pixels[::10_000, 0, 0, 0].tolist() == [1, 2, 3, 4]
    with pytest.raises(ImageError, match=r"lacks test_batch\.bin.*search_spaces\.fetch cifar10"):
        find_images(packed).read("test")


def test_missing_batches_are_named(tmp_path: Path, binary_folder: Path) -> None:
    for name in ("data_batch_1.bin", "data_batch_4.bin"):
        shutil.copy(binary_folder / name, tmp_path)
    with pytest.raises(ImageError, match=r"lacks data_batch_2\.bin, data_batch_3\.bin; fetch"):
        find_images(tmp_path).read("search")


def test_a_short_batch_is_named(tmp_path: Path, binary_folder: Path) -> None:
    shutil.copytree(binary_folder, tmp_path / "copy")
    (tmp_path / "copy" / "data_batch_3.bin").write_bytes(b"short")
    with pytest.raises(ImageError, match=r"data_batch_3\.bin .* not a CIFAR-10 batch"):
        find_images(tmp_path / "copy").read("search")


def test_a_broken_archive_is_an_error(tmp_path: Path, archive: Path) -> None:
    broken = tmp_path / "cifar-10-binary.tar.gz"
    broken.write_bytes(archive.read_bytes()[:20_000])
    with pytest.raises(ImageError, match="is broken"):
        find_images(broken).read("search")
    broken.write_bytes(b"no archive at all")
    with pytest.raises(ImageError, match="is broken"):
        find_images(broken).read("search")


def test_decoded_images_are_kept(
    data: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = find_images(archive)
    first = source.read("validation")
    assert len(list((data / "cache").glob("cifar10-validation-*.npy"))) == 1
    monkeypatch.setattr(type(source), "decode", lambda self, part: pytest.fail("decoded again"))
    again = source.read("validation")
    assert np.array_equal(first.pixels, again.pixels)
    assert isinstance(again.pixels.base, np.memmap)


def test_a_damaged_cache_is_made_anew(data: Path, binary_folder: Path) -> None:
    source = find_images(binary_folder)
    first = source.read("validation")
    (kept,) = (data / "cache").glob("*.npy")
    kept.write_bytes(kept.read_bytes()[:1000])
    assert np.array_equal(source.read("validation").pixels, first.pixels)


def test_the_cache_knows_changed_files(binary_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(binary_folder, tmp_path / "copy")
    source = find_images(tmp_path / "copy")
    assert source.read("validation").pixels[0, 0, 0, 0] == 5
    shutil.copyfile(binary_folder / "test_batch.bin", tmp_path / "copy" / "data_batch_5.bin")
    assert source.read("validation").pixels[0, 0, 0, 0] == 6


def test_images_are_read_without_a_place_for_the_cache(
    binary_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path / "file"))
    assert len(find_images(binary_folder).read("validation").labels) == 10_000


def test_parquet(parquet_folder: Path) -> None:
    source = find_images(parquet_folder)
    search, validation = source.read("search"), source.read("validation")
    assert len(search.labels) == 40_000
    for number in (24_999, 25_000, 39_999):
        assert search.pixels[number, :, 0, 0].tolist() == [number // 10_000, number % 251, 7]
    assert validation.pixels[[0, -1], 0, 0, 0].tolist() == [4, 4]
    assert validation.labels[:3].tolist() == [0, 1, 2]


def test_a_missing_parquet_file_is_named(tmp_path: Path, parquet_folder: Path) -> None:
    name = "train-00001-of-00002.parquet"
    shutil.copy(parquet_folder / name, tmp_path)
    with pytest.raises(ImageError, match=r"lacks train-00000-of-00002\.parquet; fetch"):
        find_images(tmp_path).read("search")
    (tmp_path / name).rename(tmp_path / "train-1.parquet")
    with pytest.raises(ImageError, match=r"25,000 of 50,000 images in train-1\.parquet"):
        find_images(tmp_path).read("search")
    with pytest.raises(ImageError, match=r"lacks test\*\.parquet"):
        find_images(tmp_path).read("test")


def test_parquet_with_other_columns_is_an_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": np.zeros(ROWS)}), tmp_path / "train.parquet")
    with pytest.raises(ImageError, match=r"train\.parquet is not .* lacks img\.bytes, label"):
        find_images(tmp_path).read("search")


def test_an_image_that_is_none_is_an_error(tmp_path: Path) -> None:
    column = pa.array([{"bytes": b"no image", "path": None}] * ROWS)
    table = pa.table({"img": column, "label": np.zeros(ROWS, np.int64)})
    pq.write_table(table, tmp_path / "train.parquet")
    with pytest.raises(ImageError, match=r"train\.parquet holds an image that cannot be decoded"):
        find_images(tmp_path).read("search")
