from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from raynas.images import find_images
from search_spaces import fetch
from search_spaces.download import Download
from search_spaces.errors import UserError
from tests.support.cifar10 import batch_bytes, write_archive
from tests.support.file_server import serve


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "data"


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("archive") / "a.tar.gz"
    return write_archive(path, {"test_batch.bin": batch_bytes(6)}).read_bytes()


def test_the_published_archive():
    assert fetch.CIFAR10.file_name == "cifar-10-binary.tar.gz"
    assert fetch.CIFAR10.url.startswith("https://www.cs.toronto.edu/~kriz/")
    assert fetch.CIFAR10.sha256.startswith("c4a38c50a1bc5f3a")


def test_the_images_find_what_was_fetched(data, content, monkeypatch):
    """A mirror may have another name for the file; the archive is found under its own."""
    checksum = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(fetch, "CIFAR10", Download(fetch.CIFAR10.url, checksum))
    with serve(content, drops=[1000]) as server:
        done = CliRunner().invoke(fetch.app, ["cifar10", "--url", server.url])
    assert done.exit_code == 0, done.output
    assert "cifar-10-binary.tar.gz is complete" in done.output
    assert [path.name for path in data.iterdir()] == ["cifar-10-binary.tar.gz"]
    assert len(find_images("cifar10").read("test").labels) == 10_000


def test_a_wrong_checksum_leaves_nothing(data, content):
    with serve(content) as server, pytest.raises(UserError, match="instead of"):
        fetch.fetch_cifar10(Download(server.url, "0" * 64))
    assert list(data.iterdir()) == []
