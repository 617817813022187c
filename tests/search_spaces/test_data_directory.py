from __future__ import annotations

from pathlib import Path

import pytest

from search_spaces.data_directory import data_directory, official_store, write_atomically


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    monkeypatch.delenv("RAYNAS_DATA", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")


def test_default_is_the_xdg_default():
    assert data_directory() == Path("/home/somebody/.local/share/raynas")


def test_xdg_data_home_counts_if_absolute(monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert data_directory() == Path("/data/raynas")
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    assert data_directory() == Path("/home/somebody/.local/share/raynas")


def test_own_variable_comes_first(monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.setenv("RAYNAS_DATA", "~/tables")
    assert official_store() == Path("/home/somebody/tables/nasbench101.arrow")


def test_write_replaces_the_whole_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("a long old content")
    write_atomically(path, lambda temporary: temporary.write_text("new"))
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_failed_write_changes_nothing(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
