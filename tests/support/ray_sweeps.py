"""Sweeps of the toys on Ray: what they must come to, listeners, drivers to be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from search_spaces.errors import UserError
from tests.support.processes import descendants, hear_interrupts, still_there
from tests.support.sweeps import expected_table, small, toy_objective, toy_space
from tuning.progress import SweepProgress
from tuning.run import SweepResult, read_sweep_manifest, run_sweep
from tuning.settings import SweepSettings
from tuning.table import incumbent

REPOSITORY = Path(__file__).parent.parent.parent
TRAINABLE, WRITER = "EvaluationTrainable", "SweepWriter"
#: 13 evaluations.
FEW = small("bohb", iterations=3, concurrent=3)


def plain(table: pa.Table, *, seconds: bool = True) -> list[dict[str, Any]]:
    """The rows without what the clock on the wall says, and maybe without search seconds."""
    rows = table.drop_columns(["started", "finished"]).to_pylist()
    for row in rows:
        if row["status"] == "failed" or not seconds:
            row["seconds"] = row["total_seconds"] = None
        if row["status"] == "failed":
            row["error"] = row["error"].strip().splitlines()[-1]
    return rows


def check(path: Path, settings: SweepSettings, *, seconds: bool = True) -> None:
    """A finished sweep is the undisturbed one."""
    table = pq.read_table(path / "evaluations.parquet")
    expected = plain(expected_table(settings), seconds=seconds)
    assert plain(table, seconds=seconds) == expected
    best = incumbent(table)
    assert (
        best is not None and best["evaluation"] == incumbent(expected_table(settings))["evaluation"]
    )
    assert read_sweep_manifest(path)["finished"] and not (path / "log").exists()


@dataclass
class Listener:
    """Remembers what it was told, and does something once after so many evaluations."""

    action: Callable[[], object] | None = None
    after: int = 2

    def __post_init__(self) -> None:
        self.seen: list[SweepProgress] = []
        self.cannot_be_pickled = threading.RLock()

    def on_progress(self, progress: SweepProgress) -> None:
        self.seen.append(progress)
        if self.action is not None and progress.finished >= self.after and progress.running:
            action, self.action = self.action, None
            action()


def sweep(
    path: Path, settings: SweepSettings = FEW, objective: Any = toy_objective, **options: Any
) -> SweepResult:
    return run_sweep(settings, toy_space(), objective, path, **options)


@dataclass(frozen=True)
class UntilFull:
    """The toy objective, which after some calls has a problem for the user."""

    calls: int
    file: Path

    def __call__(self, *arguments: Any) -> Any:
        with self.file.open("a") as file:
            file.write("x")
        if self.file.stat().st_size > self.calls:
            raise UserError("the disk of the toys is full; tidy up")
        return toy_objective(*arguments)


class Driver:
    """A sweep in a process of its own."""

    def __init__(self, study: Path, settings: SweepSettings, pace: float, *address: str) -> None:
        arguments = [str(study), json.dumps(settings.to_arguments()), str(pace), *address]
        self.study = study
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.sweep_driver", *arguments],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=hear_interrupts,
        )

    def wait_for_work(self, count: int = 1) -> None:
        """Until so many evaluations have ended that had not ended before."""
        before = self.records()
        while self.process.poll() is None and len(self.records() - before) < count:
            time.sleep(0.02)

    def records(self) -> set[Path]:
        return set(self.study.glob("log/0*.json"))

    def kill(self) -> None:
        """Kill the driver; check that nothing is left running."""
        below = descendants(self.process.pid)
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=20)
        assert still_there(below, 15) == []

    def interrupt(self) -> str:
        """Ctrl-C, as a terminal does it; what was printed. Check that nothing is left running."""
        below = descendants(self.process.pid)
        os.killpg(self.process.pid, signal.SIGINT)
        printed, _ = self.process.communicate(timeout=60)
        assert still_there(below, 15) == []
        return printed

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
