"""What arrives in the store: every figure, once, in whatever order the rows come."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import convert as convert_module
from search_spaces.benchmark import BUDGETS, REPEATS, Benchmark
from search_spaces.collector import Collector
from search_spaces.convert import convert
from search_spaces.official_rows import parse_rows
from tests.support.conversions import CELLS, expected_runs, stored_runs
from tests.support.official_table import Row, payload, rows_of, write_official_table


@pytest.mark.parametrize("budgets", [(108,), (4, 12, 36, 108), (4, 36)])
def test_every_figure_arrives(tmp_path, budgets):
    table = write_official_table(tmp_path / "table.tfrecord", CELLS, budgets)
    result = convert(table, tmp_path / "out" / "store.arrow")
    assert (result.rows, result.cells) == (len(CELLS) * len(budgets) * 3, len(CELLS))
    assert result.epochs == budgets
    assert not result.official
    assert stored_runs(result.store) == expected_runs(CELLS, budgets)


def test_parameters_and_provenance(tmp_path):
    table = write_official_table(tmp_path / "table.tfrecord", CELLS)
    benchmark = Benchmark.open(convert(table, tmp_path / "store.arrow").store)
    values, unknown = benchmark.column("parameters")
    assert unknown is None
    known = dict(zip((d.tobytes().hex() for d in benchmark.hashes), values.tolist(), strict=True))
    assert known == {cell.module_hash: cell.parameter_count() for cell in CELLS}
    assert benchmark.kind == "synthetic"
    assert benchmark.metadata["source"] == "table.tfrecord"
    assert benchmark.metadata["rows"] == 3 * len(CELLS)


def test_the_published_files_are_recognised_by_their_checksum(tmp_path, monkeypatch):
    table = write_official_table(tmp_path / "table.tfrecord", CELLS[:2])
    sha256 = convert(table, tmp_path / "store.arrow").source_sha256
    monkeypatch.setitem(convert_module.OFFICIAL_FILES, sha256, "108 epochs")
    assert convert(table, tmp_path / "store.arrow").official
    benchmark = Benchmark.open(tmp_path / "store.arrow")
    assert (benchmark.kind, benchmark.name) == (
        "official",
        "NAS-Bench-101 (official, 108 epochs)",
    )


def test_rows_in_any_order_give_the_same_cells(tmp_path):
    """Repeats are numbered in order of appearance, so only their sets can agree."""
    table = write_official_table(tmp_path / "table", CELLS, (4, 108), shuffle_seed=5)
    found = stored_runs(convert(table, tmp_path / "store.arrow").store)
    wanted = expected_runs(CELLS, (4, 108))
    assert found.keys() == wanted.keys()
    for cell in CELLS:
        for epochs in (4, 108):
            keys = [(cell.module_hash, epochs, repeat) for repeat in REPEATS]
            assert {found[key] for key in keys} == {wanted[key] for key in keys}


@settings(deadline=None, max_examples=40)
@given(st.permutations(range(18)), st.lists(st.integers(1, 17), max_size=4))
def test_repeats_are_numbered_in_order_of_appearance(order, cuts):
    """Whatever the order of the rows, and however they fall into batches."""
    rows = [row for cell in CELLS[:2] for row in rows_of(cell, (4, 36, 108))]
    shuffled = [rows[place] for place in order]
    collector = Collector(max_cells=2)
    edges = [0, *sorted(set(cuts)), len(shuffled)]
    for start, stop in itertools.pairwise(edges):
        collector.add(parse_rows([payload(row) for row in shuffled[start:stop]]))
    seconds = collector.figure("final", "training_time")
    for number, cell in enumerate(dict.fromkeys(row.module_hash for row in shuffled)):
        for epochs in (4, 36, 108):
            runs = [r for r in shuffled if (r.module_hash, r.epochs) == (cell, epochs)]
            wanted = [run.evaluations[-1].training_time for run in runs]
            assert seconds[number, BUDGETS.index(epochs)].tolist() == wanted


def test_memory_grows_with_cells_and_not_beyond_the_benchmark():
    collector = Collector(max_cells=1500)
    rows = [rows_of(CELLS[0])[0]] * 1200
    unlike = [Row(**(vars(row) | {"module_hash": f"{n:032x}"})) for n, row in enumerate(rows)]
    collector.add(parse_rows([payload(row) for row in unlike]))
    assert collector.cells == 1200
    assert len(collector._parameters) == 1200
    collector.add(parse_rows([payload(Row(**(vars(rows[0]) | {"module_hash": "a" * 32})))]))
    assert len(collector._parameters) == 1500


AS_LARGE_AS_THE_FULL_TABLE = """
import sys
from pathlib import Path
import numpy as np
from search_spaces import convert as module
from search_spaces.collector import Collector
from search_spaces.official_rows import Rows

RUNS = 12  # of each cell: four budgets, three repeats

def collect(source, observe):
    rng, collector = np.random.default_rng(0), Collector(module.NUM_CELLS)
    for start in range(0, module.NUM_CELLS, 200):
        cells = np.arange(start, min(start + 200, module.NUM_CELLS))
        rows = len(cells) * RUNS
        hashes = np.zeros((len(cells), 16), np.uint8)
        hashes[:, :8] = cells[:, None].astype(">u8").view(np.uint8)
        figures = rng.integers(998, 9985, (rows, 2, 4)) / 9984
        figures[..., 1:] = figures[..., 1:].astype(np.float32)
        figures[..., 0] = 1 / 3 + 1000 * figures[..., 0]  # seconds that are no float32
        spans = np.tile([[0, 4, 4, 16]], (rows, 1))
        collector.add(Rows(
            hashes.repeat(RUNS, 0), np.tile(np.arange(4, dtype=np.int8).repeat(3), len(cells)),
            np.full(rows, 882570), figures, b"0100input,output", spans[:, :2], spans[:, 2:],
        ))
    return collector

module._collect = collect
result = module.convert(Path(sys.argv[1]), Path(sys.argv[2]))
# Not `ru_maxrss`, which a process takes over from the one that started it.
status = Path("/proc/self/status").read_text()
print(result.rows, int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_the_full_table_takes_less_than_a_gigabyte(tmp_path):
    """Reading takes constant memory; what is gathered is as large as that of 5,083,488 rows."""
    done = subprocess.run(
        [sys.executable, "-c", AS_LARGE_AS_THE_FULL_TABLE, tmp_path / "in", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows, megabytes = done.stdout.split()
    assert int(rows) == 12 * 423_624 == 5_083_488
    assert float(megabytes) < 1000
