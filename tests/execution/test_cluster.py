"""Addresses where there is no cluster; what goes wrong is one line, and soon."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from raynas.execution.cluster import cluster
from raynas.execution.watchdog import Watchdog, guarded
from search_spaces.errors import UserError


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


def test_the_watchdog_cleans_up_after_a_killed_driver(tmp_path: Path) -> None:
    """It ends what was named and deletes the folder, but only when the driver is gone."""
    folder = tmp_path / "folder"
    folder.mkdir()
    program = f"""
import os, subprocess, sys
from pathlib import Path
from raynas.execution.watchdog import Watchdog
sleeper = subprocess.Popen(["sleep", "60"])
dog = Watchdog(Path({str(folder)!r}))
dog.note_descendants()
print(sleeper.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as driver:
        assert driver.stdout is not None
        sleeper = Path("/proc") / driver.stdout.readline().strip()
        assert folder.exists() and sleeper.exists()
        driver.kill()
    end = time.monotonic() + 20
    while (folder.exists() or _runs(sleeper)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not folder.exists() and not _runs(sleeper)


def test_the_watchdog_does_nothing_after_a_tidy_end(tmp_path: Path) -> None:
    with (
        subprocess.Popen(["sleep", "60"]) as sleeper,
        guarded(tmp_path) as watchdog,
    ):
        watchdog.note_descendants()
        watchdog.end()
        assert tmp_path.exists() and sleeper.poll() is None
        sleeper.kill()


def test_the_watchdog_spares_a_process_that_has_only_the_number(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        watchdog = Watchdog(tmp_path)
        watchdog._say(f"{sleeper.pid} 1")
        watchdog._process.communicate()  # the end of the input without a word
        assert sleeper.poll() is None and not tmp_path.exists()
        sleeper.kill()


def _runs(process: Path) -> bool:
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" and process != Path("/proc") / str(os.getpid())
