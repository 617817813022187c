"""`python -m search_spaces.convert` as a user meets it."""

from __future__ import annotations

import subprocess
import sys

from search_spaces.benchmark import Benchmark
from search_spaces.convert import app
from tests.support.command_line import call
from tests.support.conversions import CELLS
from tests.support.official_table import write_official_table


def test_other_tables_are_kept_out_of_the_official_place(tmp_path):
    table = write_official_table(tmp_path / "table.tfrecord", CELLS[:5])
    done = call(app, str(table), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "15 runs of 5 cells at 108 epochs" in done.stdout
    assert len(Benchmark.open(tmp_path / "table.arrow")) == 5
    assert not (tmp_path / "data").exists()


def test_an_error_is_one_line_unless_the_traceback_is_asked_for(tmp_path):
    table = write_official_table(tmp_path / "table.tfrecord", CELLS[:5])
    table.write_bytes(table.read_bytes()[:-1])
    done = call(app, str(table), "--out", "x.arrow", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {table}: row 14 at byte offset ")
    assert done.stderr.count("\n") == 1
    command = [sys.executable, "-m", "search_spaces.convert", table, "--debug"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" in done.stderr


def test_odd_paths_are_refused(tmp_path):
    table = write_official_table(tmp_path / "table.tfrecord", CELLS[:5])
    for arguments, code, words in (
        ((tmp_path / "absent",), 1, "No such file"),
        ((table, "--out", tmp_path), 2, "is a folder"),
        ((table, "--out", table), 2, "is the file to convert"),
    ):
        done = call(app, *map(str, arguments), cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
        assert words in done.stderr
