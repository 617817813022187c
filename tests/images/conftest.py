from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cifar10 import BATCHES, batch_bytes, write_archive


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("RAYNAS_DATA", str(folder))
    return folder


@pytest.fixture(scope="session")
def batches() -> dict[str, bytes]:
    return {name: batch_bytes(number) for number, name in enumerate(BATCHES, start=1)}


@pytest.fixture(scope="session")
def binary_folder(tmp_path_factory: pytest.TempPathFactory, batches: dict[str, bytes]) -> Path:
    folder = tmp_path_factory.mktemp("binary")
    for name, content in batches.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, batches: dict[str, bytes]) -> Path:
    return write_archive(tmp_path_factory.mktemp("archive") / "cifar-10-binary.tar.gz", batches)
