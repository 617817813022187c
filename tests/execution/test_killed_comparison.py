"""The command line itself, killed at random moments: its tables are those of a quiet run."""

from __future__ import annotations

import os
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from raynas.execution import read_manifest
from search_spaces.benchmark import Benchmark
from tests.support.processes import compare, descendants, still_there

OPTIONS = (
    "--space 1 --methods rs,re,darts,pc_darts,random_ws --seeds 2 --evaluations 4000 "
    "--epochs 8 --search-seeds 2 --cells 1 --batch-size 200"
)
ONE_SHOT = ["darts", "pc_darts", "random_ws"]
#: Columns of measured time, which no two runs share.
MEASURED = {
    "trajectories": ["real_seconds"],
    "searches": ["seconds", "validation_seconds", "peak_memory"],
    "alphas": [],
    "summary": [],
    "curves": [],
}
#: The same in the rows of one-shot methods only: their clock is the real one.
MEASURED_OF_SEARCHES = {"trajectories": ["simulated_seconds"], "summary": ["mean_seconds"]}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_tables_after_kills_are_those_of_a_quiet_run(tmp_path: Path, benchmark: Benchmark) -> None:
    chance = random.Random(os.getpid())
    quiet, killed = tmp_path / "quiet", tmp_path / "killed"
    new = [*OPTIONS.split(), "--benchmark", str(benchmark.path), "--out"]
    finish([*new, "quiet"], tmp_path)
    kills = 0
    for _ in range(4):
        arguments = ["--resume", "killed"] if killed.exists() else [*new, "killed"]
        kills += kill_at_work(arguments, killed, chance.uniform(0, 2))
        if read_manifest(killed)["finished"]:
            break
    assert kills >= 2
    finish(["--resume", "killed"], tmp_path)
    for name in MEASURED:
        assert rows(killed, name) == rows(quiet, name), name


def finish(arguments: list[str], cwd: Path) -> None:
    process = compare(*arguments, cwd=cwd)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors


def kill_at_work(arguments: list[str], study: Path, delay: float) -> bool:
    """Kill a driver some time after something new is on disk; whether it was still at work."""
    before = written(study)
    process = compare(*arguments, cwd=study.parent)
    while process.poll() is None and written(study) == before:
        time.sleep(0.02)
    time.sleep(delay)
    below = descendants(process.pid) if process.poll() is None else []
    process.kill()
    process.communicate()
    assert still_there(below, 20) == []
    return process.returncode == -9


def written(study: Path) -> set[tuple[str, int]]:
    """Blocks of the log and states of searches."""
    found = set()
    for path in [*study.glob("log/*.parquet"), *study.glob("checkpoints/*/last.pt")]:
        with suppress(FileNotFoundError):  # blocks are joined meanwhile
            found.add((str(path), path.stat().st_mtime_ns))
    return found


def rows(study: Path, name: str) -> list[dict[str, Any]]:
    """A table of a study without what was measured."""
    table = pq.read_table(study / f"{name}.parquet").drop_columns(MEASURED[name])
    if name not in MEASURED_OF_SEARCHES:
        return list(table.to_pylist())
    searched = pc.is_in(table["method"], value_set=pa.array(ONE_SHOT))
    others = table.filter(pc.invert(searched)).to_pylist()
    plain = table.filter(searched).drop_columns(MEASURED_OF_SEARCHES[name]).to_pylist()
    assert others and plain
    return [*others, *plain]
