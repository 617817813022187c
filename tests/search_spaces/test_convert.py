from __future__ import annotations

import errno
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from search_spaces import convert as convert_module
from search_spaces.benchmark import BUDGETS, REPEATS, Benchmark, column_name
from search_spaces.collector import Collector
from search_spaces.convert import convert
from search_spaces.errors import UserError
from search_spaces.nasbench_details import Details, details_path
from search_spaces.official_rows import parse_rows
from search_spaces.table_errors import TableFileError
from tests.support.official_table import (
    Evaluation,
    Row,
    figures,
    payload,
    record,
    rows_of,
    some_cells,
    write_official_table,
    write_records,
)

CELLS = some_cells(40)
FIGURES = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def stored_runs(store: Path) -> dict[tuple[str, int, int], tuple[int, int, float]]:
    """Known runs: validation and test accuracy as integers, training seconds."""
    benchmark = Benchmark.open(store)
    runs = {}
    for epochs in BUDGETS:
        for repeat in REPEATS:
            columns = [
                benchmark.column(column_name(quantity, epochs, repeat))
                for quantity in ("validation_accuracy", "test_accuracy", "training_seconds")
            ]
            for row, digest in enumerate(benchmark.hashes):
                unknown = {mask is not None and bool(mask[row]) for _, mask in columns}
                assert len(unknown) == 1
                if not unknown.pop():
                    key = (digest.tobytes().hex(), epochs, repeat)
                    runs[key] = tuple(values[row].item() for values, _ in columns)
    return runs


def expected_runs(cells, budgets, repeats=3) -> dict[tuple[str, int, int], tuple[int, int, float]]:
    runs = {}
    for cell in cells:
        for epochs in budgets:
            for repeat in range(repeats):
                final = figures(cell.module_hash, epochs, repeat)[-1]
                runs[cell.module_hash, epochs, repeat] = (
                    round(final.validation_accuracy * 9984),
                    round(final.test_accuracy * 9984),
                    final.training_time,
                )
    return runs


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


def test_details_hold_what_the_store_does_not(tmp_path):
    table = write_official_table(tmp_path / "table", CELLS, (12, 108), shuffle_seed=3)
    store = convert(table, tmp_path / "store.arrow").store
    benchmark = Benchmark.open(store)
    details = Details(details_path(store), benchmark.sha256)
    assert details.epochs == (12, 108)
    by_hash = {cell.module_hash: cell for cell in CELLS}
    for row, digest in enumerate(benchmark.hashes):
        cell = by_hash[digest.tobytes().hex()]
        matrix, ops = details.graph(row)
        assert (matrix.tolist(), ops) == (cell.matrix.tolist(), list(cell.ops))
        for budget, epochs in enumerate(details.epochs):
            runs = [figures(cell.module_hash, epochs, repeat) for repeat in REPEATS]
            for place, stage in ((1, "halfway"), (2, "final")):
                for name in FIGURES:
                    if (stage, name) in details.stored:
                        found = details.figure(f"{stage}_{name}")[row, budget]
                        assert sorted(found) == sorted(getattr(r[place], name) for r in runs)
    assert sorted(details.appearance.tolist()) == list(range(len(CELLS)))


def test_details_of_another_store_are_refused(tmp_path):
    table = write_official_table(tmp_path / "table", CELLS[:3])
    convert(table, tmp_path / "store.arrow")
    path = details_path(tmp_path / "store.arrow")
    with pytest.raises(UserError, match="belongs to another store; convert"):
        Details(path, "0" * 64)
    with pytest.raises(UserError, match=r"no details file .*convert"):
        Details(tmp_path / "absent", "0" * 64)
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match="is no details file; convert"):
        Details(path, "0" * 64)


def with_final(row: Row, **changes: float) -> Row:
    final = Evaluation(**(vars(row.evaluations[2]) | changes))
    return Row(**(vars(row) | {"evaluations": (*row.evaluations[:2], final)}))


def test_doubles_that_are_no_float32_stay_exact_in_the_details(tmp_path):
    rows = rows_of(CELLS[0])
    rows[1] = with_final(rows[1], training_time=1234.1, train_accuracy=0.1)
    write_records(tmp_path / "table", map(payload, rows))
    store = convert(tmp_path / "table", tmp_path / "store.arrow").store
    details = Details(details_path(store), Benchmark.open(store).sha256)
    assert details.figure("final_training_time")[0, 0, 1] == 1234.1
    assert details.figure("final_train_accuracy")[0, 0, 1] == 0.1
    assert details.figure("halfway_train_accuracy").dtype == np.float32


BASE = [row for cell in CELLS[:2] for row in rows_of(cell)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"validation_accuracy": 0.90003}, "validation_accuracy 0.90003 is no multiple of 1/9984"),
        ({"test_accuracy": 0.5 + 2e-7}, "test_accuracy 0.5000002 is no multiple"),
        ({"test_accuracy": float("nan")}, "final test_accuracy is nan"),
        ({"train_accuracy": 1.5}, "final train_accuracy is 1.5"),
        ({"training_time": -1.0}, "final training_time is -1.0"),
        ({"training_time": float("inf")}, "final training_time is inf"),
    ],
)
def test_impossible_figures_are_refused(tmp_path, changes, reason):
    rows = [*BASE[:4], with_final(BASE[4], **changes), BASE[5]]
    check_refused(tmp_path, rows, 4, reason)


def test_accuracies_of_float32_precision_are_accepted(tmp_path):
    """The float32 nearest to any k / 9984 is close enough to k."""
    values = (np.arange(9985) / 9984).astype(np.float32).astype(np.float64)
    assert np.abs(values * 9984 - np.arange(9985)).max() < 1e-3
    rows = [
        with_final(row, validation_accuracy=float(values[k]), test_accuracy=float(values[-k - 1]))
        for row, k in zip(BASE[:3], (0, 1, 9361), strict=True)
    ]
    write_records(tmp_path / "table", map(payload, rows))
    runs = stored_runs(convert(tmp_path / "table", tmp_path / "store.arrow").store)
    assert [run[:2] for run in runs.values()] == [(0, 9984), (1, 9983), (9361, 623)]


def check_refused(folder: Path, rows: list[Row], row: int, reason: str) -> None:
    contents = [payload(entry) for entry in rows]
    path = write_records(folder / "table", contents)
    offset = sum(len(record(content)) for content in contents[:row])
    with pytest.raises(TableFileError) as info:
        convert(path, folder / "store.arrow")
    message = str(info.value)
    assert f"{path}: row {row} at byte offset {offset}: " in message
    assert reason in message
    assert "\n" not in message
    assert names(folder) == ["table"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"adjacency": "0" * 48}, "does not fit the operations"),
        ({"adjacency": "2" * 49}, "no square of 0 and 1"),
        ({"adjacency": "1" * 49}, "not upper triangular"),
        ({"operations": "input,conv5x5,output"}, "does not fit the operations"),
        ({"operations": "input," + "conv5x5," * 5 + "output"}, "conv5x5"),
        ({"operations": "output," + "maxpool3x3," * 5 + "input"}, "operations 'output"),
        ({"parameters": -5}, "-5 trainable parameters"),
    ],
)
def test_impossible_cells_are_refused(tmp_path, changes, reason):
    bad = Row(**(vars(rows_of(CELLS[0])[0]) | {"module_hash": "f" * 32} | changes))
    check_refused(tmp_path, [*rows_of(CELLS[1]), bad], 3, reason)


def test_a_fourth_repeat_is_refused(tmp_path):
    check_refused(tmp_path, [*BASE, BASE[1]], 6, f"run 4 of cell {BASE[1].module_hash}")


def test_more_cells_than_the_benchmark_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(convert_module, "NUM_CELLS", 1)
    check_refused(tmp_path, BASE, 3, "more than the 1 cells")


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


@pytest.mark.parametrize("dropped", [1, 2, 4])
def test_a_file_cut_between_records_is_noticed_by_its_incomplete_cell(tmp_path, dropped):
    rows = [row for cell in CELLS[:3] for row in rows_of(cell, (4, 108))][:-dropped]
    write_records(tmp_path / "table", map(payload, rows))
    with pytest.raises(UserError, match=f"{CELLS[2].module_hash}.*--partial"):
        convert(tmp_path / "table", tmp_path / "store.arrow")
    assert names(tmp_path) == ["table"]
    result = convert(tmp_path / "table", tmp_path / "store.arrow", partial=True)
    assert len(stored_runs(result.store)) == len(rows)


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_no_damage_ever_leaves_a_store(tmp_path, data):
    table = write_records(tmp_path / "table", map(payload, BASE))
    content = bytearray(table.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    # A cut between the two cells leaves a valid file of one cell.
    assume(place != sum(len(record(payload(row))) for row in BASE[:3]))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        del content[place:]
    table.write_bytes(content)
    with pytest.raises(UserError):
        convert(table, tmp_path / "store.arrow")
    assert names(tmp_path) == ["table"]


def test_a_failed_conversion_leaves_the_old_store(tmp_path):
    good = write_official_table(tmp_path / "good", CELLS[:2])
    convert(good, tmp_path / "store.arrow")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "good").write_bytes(before[good][:-3])
    with pytest.raises(TableFileError):
        convert(good, tmp_path / "store.arrow")
    good.write_bytes(before[good])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    table = write_official_table(tmp_path / "table", CELLS[:2])

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pa.ipc, "new_file", full)
    with pytest.raises(OSError, match="No space left"):
        convert(table, tmp_path / "store.arrow")
    assert names(tmp_path) == ["table"]


def command(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "search_spaces.convert", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )


def test_command_keeps_other_tables_out_of_the_official_place(tmp_path):
    table = write_official_table(tmp_path / "table.tfrecord", CELLS[:5])
    done = command(table, RAYNAS_DATA=str(tmp_path / "data"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "15 runs of 5 cells at 108 epochs" in done.stdout
    assert len(Benchmark.open(tmp_path / "table.arrow")) == 5
    assert not (tmp_path / "data").exists()


def test_command_reports_in_one_line(tmp_path):
    table = write_official_table(tmp_path / "table.tfrecord", CELLS[:5])
    table.write_bytes(table.read_bytes()[:-1])
    done = command(table, "--out", tmp_path / "x.arrow")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {table}: row 14 at byte offset ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" in command(table, "--out", tmp_path / "x.arrow", "--debug").stderr


def test_command_refuses_odd_paths(tmp_path):
    table = write_official_table(tmp_path / "table.tfrecord", CELLS[:5])
    for arguments, code, words in (
        ((tmp_path / "absent",), 1, "No such file"),
        ((table, "--out", tmp_path), 2, "is a folder"),
        ((table, "--out", table), 2, "is the file to convert"),
    ):
        done = command(*arguments, RAYNAS_DATA=str(tmp_path / "data"))
        assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
        assert words in done.stderr
