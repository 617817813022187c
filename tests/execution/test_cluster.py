"""Addresses where there is no cluster; what goes wrong is one line, and soon."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from raynas.execution.cluster import cluster, probe_cluster
from raynas.execution.watchdog import guarded, users_of
from search_spaces.errors import UserError
from tests.support.processes import alive, still_there


def join(address: str) -> str:
    with pytest.raises(UserError) as caught, cluster(address, None):
        pass
    return str(caught.value)


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    message = join(f"127.0.0.1:{port}")
    assert message.startswith(f"no Ray cluster at 127.0.0.1:{port}: ")
    assert "leave --address out" in message and "\n" not in message


@pytest.mark.parametrize("address", ["here", "ray://here:1", "here:port", ":", ""])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(UserError, match=r"is not host:port") as caught, cluster(address, None):
        pass
    assert caught.value.exit_code == 2


def test_something_else_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raynas.execution.cluster._JOIN_SECONDS", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        message = join(f"127.0.0.1:{other.getsockname()[1]}")
    assert "no answer within 2 s" in message


def test_what_ray_says_beside_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a cluster whose machine has just died it says so, before, after and in colour."""
    (tmp_path / "ray.py").write_text(
        "def init(**_): print('[33m(raylet)[0m The node with id 1 has died.')\n"
        "def cluster_resources():\n"
        "    import atexit\n"
        "    atexit.register(print, '[36m(raylet)[0m A worker died.')\n"
        "    return {'CPU': 3.0}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert probe_cluster("auto") == {"CPU": 3.0}


def test_the_watchdog_cleans_up_after_a_killed_driver(tmp_path: Path) -> None:
    """It ends what uses the folder and deletes that, but only when the driver is gone."""
    folder = tmp_path / "folder"
    folder.mkdir()
    program = f"""
import subprocess, sys
from pathlib import Path
from raynas.execution.watchdog import guarded
with guarded(Path({str(folder)!r})):
    for name in ("folder/log", "log"):
        log = Path({str(tmp_path)!r}, name).open("w")
        print(subprocess.Popen(["sleep", "60"], stdout=log, start_new_session=True).pid)
    print("ready", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as driver:
        assert driver.stdout is not None
        user, other = (psutil.Process(int(driver.stdout.readline())) for _ in range(2))
        assert driver.stdout.readline() == "ready\n"
        assert folder.exists() and alive(user)
        driver.kill()
    assert still_there([user], 20) == []
    end = time.monotonic() + 20
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not folder.exists() and alive(other)
    other.kill()


def test_the_watchdog_does_nothing_after_a_tidy_end(tmp_path: Path) -> None:
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(["sleep", "60"], stdout=log) as sleeper,
    ):
        with guarded(tmp_path):
            assert sleeper.pid in users_of(tmp_path)
        assert (tmp_path / "log").exists() and sleeper.poll() is None
        sleeper.kill()
