"""The processes that a test's own driver has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil


def compare(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """`python -m raynas.compare` in a session of its own, where Ctrl-C does not reach it."""
    return start_module("raynas.compare", *arguments, cwd=cwd)


def start_module(module: str, *arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """`python -m MODULE` in a session of its own, where Ctrl-C does not reach it."""
    environment = os.environ | {"RAYNAS_DATA": str(cwd / "data"), "COLUMNS": "120"}
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hear_interrupts,
    )


def hear_interrupts() -> None:
    """A process that is started in the background of a shell ignores them otherwise."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def descendants(pid: int | None = None) -> list[psutil.Process]:
    """All living processes below one (by default this one)."""
    return [process for process in psutil.Process(pid).children(recursive=True) if alive(process)]


def alive(process: psutil.Process) -> bool:
    """Whether a process is neither gone nor a zombie."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def ray_actors(name: str, pid: int | None = None) -> list[psutil.Process]:
    """Actor processes of a class below a process; Ray writes the class into the command line."""
    return [process for process in descendants(pid) if name in "".join(_command(process)[:1])]


def still_there(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Which of them are alive after at most so many seconds; returns when all are gone."""
    end = time.monotonic() + seconds
    while (left := [process for process in processes if alive(process)]) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def listening(pid: int) -> list[str]:
    """The addresses at which a process and all below it wait for others."""
    parent = psutil.Process(pid)
    return [
        connection.laddr.ip
        for process in (parent, *parent.children(recursive=True))
        for connection in _connections(process)
        if connection.status == psutil.CONN_LISTEN
    ]


def _connections(process: psutil.Process) -> list[Any]:
    try:
        return list(process.net_connections(kind="inet"))
    except psutil.NoSuchProcess:
        return []


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []
