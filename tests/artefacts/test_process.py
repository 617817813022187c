"""A command runs as a process that an interrupt reaches."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from raynas.artefacts.process import run_command
from tests.support.processes import hear_interrupts


def test_a_command_leaves_its_words_and_its_code(tmp_path: Path) -> None:
    code = "import sys; print('begun'); print('error: bad luck', file=sys.stderr); sys.exit(3)"
    ran = run_command(["-c", code], tmp_path / "log.txt")
    assert (ran.exit_code, ran.last_line) == (3, "error: bad luck")
    assert "begun" in (tmp_path / "log.txt").read_text()
    assert run_command(["-c", ""], tmp_path / "empty.txt").last_line == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_reaches_the_command_and_ends_it(
    number: signal.Signals, tmp_path: Path
) -> None:
    child = (
        "import pathlib, sys, time\n"
        f"p = pathlib.Path({str(tmp_path / 'state')!r})\n"
        "p.write_text('begun')\n"
        "try:\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    p.write_text('interrupted')\n"
    )
    parent = (
        "import pathlib\nfrom raynas.artefacts.process import run_command\n"
        f"try:\n    run_command(['-c', {child!r}], pathlib.Path({str(tmp_path / 'log')!r}))\n"
        "except KeyboardInterrupt:\n    print('stopped')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,
    )
    deadline = time.monotonic() + 30
    while not (tmp_path / "state").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.1)  # the file is there just before the child can be interrupted
    os.kill(process.pid, number)
    said, _ = process.communicate(timeout=30)
    assert said.strip() == "stopped"
    assert (tmp_path / "state").read_text() == "interrupted"
