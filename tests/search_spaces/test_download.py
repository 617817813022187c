from __future__ import annotations

import errno
import fcntl
import hashlib
import random
import shutil
from pathlib import Path

import pytest

from search_spaces import download as download_module
from search_spaces.download import Download, download
from search_spaces.errors import UserError
from tests.support.file_server import FileServer, serve

CONTENT = random.Random(0).randbytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def get(server: FileServer, folder: Path, sha256: str = SHA256, attempts: int = 5) -> Path:
    return download(Download(server.url, sha256), folder, attempts=attempts, pause=0.0)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_in_a_new_folder(tmp_path):
    with serve(CONTENT) as server:
        path = get(server, tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "table.tfrecord"
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["table.tfrecord"]


def test_dropped_connections_are_resumed_within_one_call(tmp_path):
    with serve(CONTENT, drops=[1_000_001, 0, 700_000]) as server:
        path = get(server, tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.requests == [None, "bytes=1000001-", "bytes=1000001-", "bytes=1700001-"]
    assert server.sent == len(CONTENT)


def test_a_later_call_goes_on_where_the_first_one_gave_up(tmp_path):
    with serve(CONTENT, drops=[2_000_000, 0, 0]) as server:
        with pytest.raises(UserError, match=r"2,000,000 bytes are kept in .*same command") as info:
            get(server, tmp_path, attempts=3)
        assert "\n" not in str(info.value)
        assert names(tmp_path) == ["table.tfrecord.part"]
        assert get(server, tmp_path).read_bytes() == CONTENT
        assert server.sent == len(CONTENT)


def test_two_processes_do_not_write_one_file(tmp_path):
    part = tmp_path / "table.tfrecord.part"
    part.write_bytes(CONTENT[:1000])
    with part.open("ab") as other, serve(CONTENT) as server:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UserError, match=r"another process is downloading to .*\.part"):
            get(server, tmp_path)
        assert server.requests == [] and part.read_bytes() == CONTENT[:1000]
        fcntl.flock(other, fcntl.LOCK_UN)
        assert get(server, tmp_path).read_bytes() == CONTENT


def test_a_server_without_ranges_starts_over(tmp_path):
    with serve(CONTENT, ranges=False, drops=[1_000_000]) as server:
        assert get(server, tmp_path).read_bytes() == CONTENT
    assert server.sent == 1_000_000 + len(CONTENT)


def test_a_complete_partial_file_is_only_checked(tmp_path):
    (tmp_path / "table.tfrecord.part").write_bytes(CONTENT)
    with serve(CONTENT) as server:
        assert get(server, tmp_path).read_bytes() == CONTENT
    assert server.sent == 0


def test_a_partial_file_of_something_longer_is_started_over(tmp_path):
    (tmp_path / "table.tfrecord.part").write_bytes(CONTENT + b"more")
    with serve(CONTENT) as server:
        assert get(server, tmp_path).read_bytes() == CONTENT


def test_a_present_file_is_not_downloaded_again(tmp_path):
    (tmp_path / "table.tfrecord").write_bytes(CONTENT)
    with serve(CONTENT) as server:
        get(server, tmp_path)
    assert server.requests == []


def test_a_present_file_of_other_content_is_left_alone(tmp_path):
    (tmp_path / "table.tfrecord").write_bytes(b"mine")
    with serve(CONTENT) as server, pytest.raises(UserError, match="remove or rename it"):
        get(server, tmp_path)
    assert (tmp_path / "table.tfrecord").read_bytes() == b"mine"


def test_a_wrong_checksum_removes_the_download(tmp_path):
    wrong = "0" * 64
    with serve(CONTENT) as server, pytest.raises(UserError, match=f"{SHA256} instead of {wrong}"):
        get(server, tmp_path, sha256=wrong)
    assert names(tmp_path) == []


def test_a_partial_file_of_something_else_is_noticed_at_the_end(tmp_path):
    (tmp_path / "table.tfrecord.part").write_bytes(b"?" * 1000)
    with serve(CONTENT) as server:
        with pytest.raises(UserError, match="it was removed: run the same command again"):
            get(server, tmp_path)
        assert get(server, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_final(tmp_path, status):
    refusing = serve(CONTENT, statuses=[status])
    with refusing as server, pytest.raises(UserError, match=rf"answered {status} .*--url"):
        get(server, tmp_path)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(tmp_path, status):
    with serve(CONTENT, statuses=[status, status]) as server:
        assert get(server, tmp_path).read_bytes() == CONTENT


def test_a_server_that_stays_busy(tmp_path):
    busy = serve(CONTENT, statuses=[503] * 9)
    with busy as server, pytest.raises(UserError, match="answered 503"):
        get(server, tmp_path, attempts=3)
    assert len(server.requests) == 3


def test_nobody_listens(tmp_path):
    with serve(CONTENT) as server:
        pass
    with pytest.raises(UserError, match=r"refused.*check the connection"):
        get(server, tmp_path, attempts=2)


def test_unannounced_length(tmp_path):
    with serve(CONTENT, announce=False) as server:
        assert get(server, tmp_path).read_bytes() == CONTENT


def test_a_full_disk_is_noticed_before_the_download(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2_999_999))
    with serve(CONTENT) as server, pytest.raises(UserError, match=r"0\.00 GB left.*RAYNAS_DATA"):
        get(server, tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_keeps_what_arrived(tmp_path, monkeypatch, code):
    write = download_module._write

    def write_until_full(file, data):
        if file.tell() > 1_000_000:
            raise OSError(code, "No space left on device")
        write(file, data)

    monkeypatch.setattr(download_module, "_write", write_until_full)
    with serve(CONTENT) as server:
        with pytest.raises(UserError, match=r"No space left .*free some space") as info:
            get(server, tmp_path)
        assert "\n" not in str(info.value)
        kept = (tmp_path / "table.tfrecord.part").stat().st_size
        assert 1_000_000 < kept < len(CONTENT)
        monkeypatch.setattr(download_module, "_write", write)
        assert get(server, tmp_path).read_bytes() == CONTENT
    assert server.requests[-1] == f"bytes={kept}-"


def test_an_interrupt_keeps_what_arrived(tmp_path, monkeypatch):
    write = download_module._write

    def interrupt(file, data):
        write(file, data)
        raise KeyboardInterrupt

    monkeypatch.setattr(download_module, "_write", interrupt)
    with serve(CONTENT) as server, pytest.raises(KeyboardInterrupt):
        get(server, tmp_path)
    kept = (tmp_path / "table.tfrecord.part").read_bytes()
    assert kept and CONTENT.startswith(kept)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with serve(CONTENT) as server, pytest.raises(UserError, match="RAYNAS_DATA"):
        get(server, tmp_path / "file" / "folder")


def test_no_permission(tmp_path, monkeypatch):
    """Tests may run as root, whom no folder refuses; so the refusal is simulated."""

    def refuse(*_args, **_kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with serve(CONTENT) as server, pytest.raises(UserError, match=r"Permission.*RAYNAS_DATA"):
        get(server, tmp_path)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "table.tfrecord", "http://x/"])
def test_odd_addresses(tmp_path, url):
    with pytest.raises(UserError, match="no http or https address") as info:
        download(Download(url, SHA256), tmp_path)
    assert info.value.exit_code == 2
