from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from search_spaces import fetch
from search_spaces.benchmark import Benchmark
from search_spaces.download import Download
from search_spaces.errors import UserError
from tests.support.file_server import FileServer, serve
from tests.support.official_table import some_cells, write_official_table
from tests.support.processes import hear_interrupts


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("table") / "table.tfrecord"
    return write_official_table(path, some_cells(8), (4, 108)).read_bytes()


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "data"


def item(server: FileServer) -> Download:
    return Download(server.url, hashlib.sha256(server.content).hexdigest())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


STORE = ["nasbench101.arrow", "nasbench101.details.arrow"]


def test_official_files_are_the_published_ones():
    assert fetch.ONLY_108.file_name == "nasbench_only108.tfrecord"
    assert fetch.ONLY_108.url.startswith("https://storage.googleapis.com/nasbench/")
    assert fetch.ONLY_108.sha256.startswith("4c39c3936e36a852")
    assert fetch.FULL.file_name == "nasbench_full.tfrecord"
    assert fetch.FULL.sha256.startswith("3d64db8180fb1b02")


def test_download_and_conversion(data, content):
    with serve(content, drops=[1000]) as server:
        result = fetch.fetch_nasbench101(item(server))
    assert result.store == data / "nasbench101.arrow"
    assert "48 runs of 8 cells at 4, 108 epochs" in result.message
    assert names(data) == [*STORE, "table.tfrecord"]
    assert len(Benchmark.open(result.store)) == 8


def test_the_download_is_removed_if_asked(data, content):
    with serve(content) as server:
        fetch.fetch_nasbench101(item(server), remove_download=True)
        assert names(data) == STORE
        again = fetch.fetch_nasbench101(item(server))
    assert "is there already" in again.message
    assert len(server.requests) == 1


def test_another_table_replaces_the_store(data, content, tmp_path):
    other = write_official_table(tmp_path / "other", some_cells(3), (108,)).read_bytes()
    with serve(content) as server:
        fetch.fetch_nasbench101(item(server), remove_download=True)
    with serve(other) as server:
        fetch.fetch_nasbench101(item(server), remove_download=True)
    assert len(Benchmark.open(data / "nasbench101.arrow")) == 3


def test_a_failed_download_leaves_the_store(data, content):
    with serve(content) as server:
        fetch.fetch_nasbench101(item(server), remove_download=True)
    before = (data / "nasbench101.arrow").read_bytes()
    with serve(content + b"x") as server, pytest.raises(UserError, match="instead of"):
        fetch.fetch_nasbench101(Download(server.url, "0" * 64))
    assert (data / "nasbench101.arrow").read_bytes() == before
    assert names(data) == STORE


def test_a_file_with_the_right_checksum_that_is_no_table(data):
    with serve(b"no table at all, " * 10) as server, pytest.raises(UserError, match="row 0 at"):
        fetch.fetch_nasbench101(item(server))
    assert names(data) == ["table.tfrecord"]


@pytest.mark.parametrize(("options", "chosen"), [([], "ONLY_108"), (["--full"], "FULL")])
def test_options_reach_the_download(data, content, monkeypatch, options, chosen):
    with serve(content) as server:
        monkeypatch.setattr(fetch, chosen, item(server))
        runner = CliRunner()
        done = runner.invoke(fetch.app, ["nasbench101", *options, "--remove-download"])
    assert done.exit_code == 0, done.output
    assert "48 runs of 8 cells" in done.output
    assert names(data) == STORE


def test_a_mirror_must_have_the_same_content(data, content, monkeypatch):
    with serve(content) as server:
        monkeypatch.setattr(fetch, "ONLY_108", Download("http://127.0.0.1:9/gone", "0" * 64))
        result = CliRunner().invoke(fetch.app, ["nasbench101", "--url", server.url])
    assert isinstance(result.exception, UserError)
    assert f"instead of {'0' * 64}" in str(result.exception)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "search_spaces.fetch", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False)


def test_errors_are_one_line(content):
    with serve(content, statuses=[404, 404]) as server:
        done = run("nasbench101", "--url", server.url)
        traced = run("nasbench101", "--url", server.url, "--debug")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: the server answered 404 Not Found for {server.url}; "
        "pass the address of a mirror with --url\n"
    )
    assert "Traceback" in traced.stderr


def test_a_data_directory_that_cannot_be_made(tmp_path, monkeypatch, content):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path / "file" / "data"))
    with serve(content) as server:
        done = run("nasbench101", "--url", server.url)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "set RAYNAS_DATA to a folder" in done.stderr


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_download_is_resumed(data, content, kill):
    """The server sends a part and waits; the process is ended; a second one gets the rest."""
    part = data / "table.tfrecord.part"
    with serve(content, drops=[5000]) as server:
        process = subprocess.Popen(
            command("nasbench101", "--url", server.url),
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=hear_interrupts,
        )

        def end_when_it_has_arrived() -> None:
            deadline = time.monotonic() + 60
            while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
                time.sleep(0.01)
            os.kill(process.pid, kill)
            process.wait()

        server.before_drop = end_when_it_has_arrived
        _, errors = process.communicate(timeout=120)
        assert names(data) == [part.name]
        assert part.read_bytes() == content[: part.stat().st_size]
        if kill == signal.SIGINT:
            assert process.returncode == 130
            assert errors == "interrupted; the same command goes on where it stopped\n"
        kept = part.stat().st_size
        fetch.fetch_nasbench101(item(server))
        assert server.requests == [None, f"bytes={kept}-"]
