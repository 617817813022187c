from __future__ import annotations

import os
import random
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import nasbench_api as api
from search_spaces.cell import CONV1X1, CONV3X3, MAXPOOL3X3, Cell, DisconnectedCellError
from search_spaces.convert import convert
from search_spaces.errors import UserError
from tests.support.official_table import (
    INCEPTION_LIKE,
    figures,
    payload,
    rows_of,
    some_cells,
    write_official_table,
    write_records,
)

CELLS = some_cells(30, seed=4)
BUDGETS = (4, 12, 36, 108)
FIGURES = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("official") / "nasbench_full.tfrecord"
    return write_official_table(path, CELLS, BUDGETS)


@pytest.fixture(scope="module")
def store(table) -> Path:
    return convert(table, table.with_name("store.arrow")).store


@pytest.fixture
def nasbench(store) -> api.NASBench:
    return api.NASBench(str(store), seed=0)


def spec_of(cell: Cell) -> api.ModelSpec:
    return api.ModelSpec(cell.matrix, list(cell.ops))


def run_of(cell: Cell, epochs: int, repeat: int, stage: str = "final") -> dict[str, float]:
    evaluation = figures(cell.module_hash, epochs, repeat)[2 if stage == "final" else 1]
    return {name: getattr(evaluation, name) for name in FIGURES}


@pytest.mark.parametrize("epochs", BUDGETS)
@pytest.mark.parametrize("halfway", [False, True])
def test_a_query_answers_with_one_of_the_runs(nasbench, epochs, halfway):
    stage = "halfway" if halfway else "final"
    for cell in CELLS:
        data = nasbench.query(spec_of(cell), epochs=epochs, stop_halfway=halfway)
        assert list(data) == [
            "module_adjacency",
            "module_operations",
            "trainable_parameters",
            *FIGURES,
        ]
        found = {name: data[name] for name in FIGURES}
        assert found in [run_of(cell, epochs, repeat, stage) for repeat in range(3)]
        assert data["module_adjacency"].dtype == np.int8
        assert Cell(data["module_adjacency"], data["module_operations"]) == cell
        assert data["trainable_parameters"] == cell.parameter_count()


def test_all_repeats_are_drawn_about_equally(nasbench):
    seconds = [run_of(INCEPTION_LIKE, 108, repeat)["training_time"] for repeat in range(3)]
    spec = spec_of(INCEPTION_LIKE)
    drawn = Counter(nasbench.query(spec)["training_time"] for _ in range(600))
    assert set(drawn) == set(seconds)
    assert min(drawn.values()) > 150  # 200 expected, standard deviation 12


def test_a_seed_draws_as_the_original_does_and_leaves_the_global_generator_alone(store):
    random.seed(123)
    before = random.getstate()
    nasbench = api.NASBench(store, seed=77)
    found = [nasbench.query(spec_of(cell))["training_time"] for cell in CELLS]
    assert random.getstate() == before
    random.seed(77)  # what the original does with the global generator
    wanted = [run_of(cell, 108, random.randint(0, 2))["training_time"] for cell in CELLS]
    assert found == wanted


def test_failed_queries_draw_nothing_and_cost_nothing(store):
    plain, disturbed = api.NASBench(store, seed=5), api.NASBench(store, seed=5)
    outside = api.ModelSpec(np.zeros((3, 3), int), ["input", CONV1X1, "output"])
    for cell in CELLS:
        with pytest.raises(api.OutOfDomainError):
            disturbed.query(outside)
        with pytest.raises(api.OutOfDomainError):
            disturbed.query(spec_of(cell), epochs=50)
        assert (
            plain.query(spec_of(cell))["test_accuracy"]
            == (disturbed.query(spec_of(cell))["test_accuracy"])
        )
    assert plain.get_budget_counters() == disturbed.get_budget_counters()


def test_budget_counters(nasbench):
    assert nasbench.get_budget_counters() == (0.0, 0)
    spec = spec_of(CELLS[3])
    spent = nasbench.query(spec, epochs=108)["training_time"]
    spent += nasbench.query(spec, epochs=36, stop_halfway=True)["training_time"]
    nasbench.get_metrics_from_spec(spec)
    assert nasbench.is_valid(spec)
    assert nasbench.get_budget_counters() == (spent, 108 + 18)
    assert (nasbench.training_time_spent, nasbench.total_epochs_spent) == (spent, 126)
    nasbench.reset_budget_counters()
    assert nasbench.get_budget_counters() == (0.0, 0)


def test_metrics_from_hash_and_spec_hold_every_run(nasbench):
    for cell in CELLS:
        fixed, computed = nasbench.get_metrics_from_hash(cell.module_hash)
        assert sorted(fixed) == ["module_adjacency", "module_operations", "trainable_parameters"]
        assert computed == {
            epochs: [
                {f"halfway_{k}": v for k, v in run_of(cell, epochs, repeat, "halfway").items()}
                | {f"final_{k}": v for k, v in run_of(cell, epochs, repeat).items()}
                for repeat in range(3)
            ]
            for epochs in BUDGETS
        }
        again, same = nasbench.get_metrics_from_spec(spec_of(cell))
        assert same == computed
        np.testing.assert_array_equal(again["module_adjacency"], fixed["module_adjacency"])


def test_answers_are_copies(nasbench):
    spec = spec_of(CELLS[1])
    fixed, computed = nasbench.get_metrics_from_spec(spec)
    fixed["module_adjacency"][:] = 7
    fixed["module_operations"].clear()
    computed[108][0]["final_test_accuracy"] = 7.0
    again, same = nasbench.get_metrics_from_spec(spec)
    assert again["module_adjacency"].max() == 1
    assert again["module_operations"] == list(CELLS[1].ops)
    assert same[108][0]["final_test_accuracy"] <= 1


def test_isomorphic_cells_and_loose_ends_are_the_same_cell(nasbench):
    order = [0, 3, 1, 2, 5, 4, 6]  # another topological numbering
    matrix = INCEPTION_LIKE.matrix[np.ix_(order, order)]
    permuted = api.ModelSpec(matrix, [INCEPTION_LIKE.ops[v] for v in order])
    assert not np.array_equal(permuted.matrix, INCEPTION_LIKE.matrix)
    data = nasbench.query(permuted)
    np.testing.assert_array_equal(data["module_adjacency"], INCEPTION_LIKE.matrix)
    loose = np.zeros((8, 8), int)
    kept = [0, 1, 2, 3, 4, 5, 7]
    loose[np.ix_(kept, kept)] = INCEPTION_LIKE.matrix
    loose[1, 6] = 1
    ops = [*INCEPTION_LIKE.ops[:6], MAXPOOL3X3, "output"]
    spec = api.ModelSpec(loose, ops)
    assert spec.original_matrix.shape == (8, 8)
    assert nasbench.is_valid(spec)
    assert nasbench.query(spec)["trainable_parameters"] == 2_694_282


def test_hash_iterator_keeps_the_order_of_the_file(tmp_path, nasbench):
    hashes = sorted(cell.module_hash for cell in CELLS)
    assert list(nasbench.hash_iterator()) == hashes
    assert len(nasbench.hash_iterator()) == len(CELLS)
    assert hashes[3] in nasbench.hash_iterator()
    assert "0" * 32 not in nasbench.hash_iterator()
    order = [cell for cell in CELLS if cell.module_hash != hashes[0]]
    contents = [payload(row) for cell in order for row in rows_of(cell)]
    write_records(tmp_path / "unsorted", contents)
    other = api.NASBench(convert(tmp_path / "unsorted", tmp_path / "store.arrow").store)
    assert list(other.hash_iterator()) == [cell.module_hash for cell in order]
    assert other.valid_epochs == {108}


def test_statistics_look_like_the_official_dicts(nasbench):
    name = CELLS[2].module_hash
    assert len(nasbench.fixed_statistics) == len(nasbench.computed_statistics) == len(CELLS)
    assert nasbench.fixed_statistics[name]["trainable_parameters"] == CELLS[2].parameter_count()
    assert len(nasbench.computed_statistics[name][108]) == 3
    assert nasbench.config["available_ops"] == [CONV3X3, CONV1X1, MAXPOOL3X3]
    assert nasbench.config["module_vertices"] == 7
    assert nasbench.config["max_edges"] == 9
    assert nasbench.config["num_repeats"] == 3
    assert nasbench.history == {}


def chain(vertices: int, op: str = CONV3X3) -> api.ModelSpec:
    ops = ["input", *[op] * (vertices - 2), "output"]
    return api.ModelSpec(np.eye(vertices, k=1, dtype=int), ops)


COMPLETE = np.triu(np.ones((5, 5), int), 1)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (chain(8), r"too many vertices, got 8 \(max vertices = 7\)"),
        (
            api.ModelSpec(COMPLETE, ["input", *[CONV1X1] * 3, "output"]),
            r"too many edges, got 10 \(max edges = 9\)",
        ),
        (api.ModelSpec([[0, 0], [0, 0]], ["input", "output"]), "disconnected"),
        (api.ModelSpec([[0]], ["input"]), "disconnected"),
        (chain(3, "conv5x5"), "unsupported op conv5x5"),
        (api.ModelSpec([[0, 1], [0, 0]], ["in", "output"]), "first operation should be 'input'"),
        (api.ModelSpec([[0, 1], [0, 0]], ["input", "out"]), "last operation should be 'output'"),
    ],
)
def test_cells_outside_of_the_benchmark(nasbench, spec, reason):
    assert not nasbench.is_valid(spec)
    for ask in (nasbench.query, nasbench.get_metrics_from_spec):
        with pytest.raises(api.OutOfDomainError, match=reason):
            ask(spec)


def test_epochs_outside_of_the_table(nasbench):
    with pytest.raises(api.OutOfDomainError, match=r"epochs 27, must be one of \[4, 12, 36, 108\]"):
        nasbench.query(chain(2), epochs=27)


@pytest.mark.parametrize(
    "name", ["0" * 32, "abc", "", "f" * 32, INCEPTION_LIKE.module_hash.upper()]
)
def test_unknown_hashes(nasbench, name):
    with pytest.raises(KeyError):
        nasbench.get_metrics_from_hash(name)


def test_cells_and_runs_that_a_partial_table_lacks(tmp_path):
    rows = [*rows_of(CELLS[0], (4, 108)), *rows_of(CELLS[1], (4,), 2)]
    write_records(tmp_path / "part", map(payload, rows))
    store = convert(tmp_path / "part", tmp_path / "store.arrow", partial=True).store
    nasbench = api.NASBench(store, seed=1)
    with pytest.raises(KeyError):
        nasbench.query(spec_of(CELLS[2]))
    with pytest.raises(KeyError):
        nasbench.query(spec_of(CELLS[1]), epochs=108)
    _, computed = nasbench.get_metrics_from_spec(spec_of(CELLS[1]))
    assert {epochs: len(runs) for epochs, runs in computed.items()} == {4: 2}
    seconds = {nasbench.query(spec_of(CELLS[1]), epochs=4)["training_time"] for _ in range(50)}
    assert seconds == {run_of(CELLS[1], 4, repeat)["training_time"] for repeat in range(2)}


# Opening -------------------------------------------------------------------------------------


def test_an_official_file_is_converted_once(table, tmp_path, monkeypatch, store):
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path))
    first = api.NASBench(str(table), seed=3)
    cached = sorted((tmp_path / "converted").iterdir())
    assert len(cached) == 2
    stamps = [path.stat().st_mtime_ns for path in cached]
    again = api.NASBench(table, seed=3)
    assert [path.stat().st_mtime_ns for path in cached] == stamps
    direct = api.NASBench(store, seed=3)
    for cell in CELLS:
        answers = [bench.query(spec_of(cell))["test_accuracy"] for bench in (first, again, direct)]
        assert len(set(answers)) == 1


def test_a_changed_official_file_is_converted_again(tmp_path, monkeypatch):
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path / "data"))
    path = write_official_table(tmp_path / "table.tfrecord", CELLS[:3])
    assert len(api.NASBench(path).hash_iterator()) == 3
    write_official_table(path, CELLS[:4])
    assert len(api.NASBench(path).hash_iterator()) == 4
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    api.NASBench(path)
    assert len(list((tmp_path / "data" / "converted").iterdir())) == 6


def test_files_that_cannot_be_opened(tmp_path, store, monkeypatch):
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path / "data"))
    with pytest.raises(UserError, match=r"cannot read .*search_spaces\.fetch"):
        api.NASBench(tmp_path / "absent.tfrecord")
    (tmp_path / "text").write_text("no table")
    with pytest.raises(UserError, match="row 0 at byte offset 0"):
        api.NASBench(tmp_path / "text")
    (tmp_path / "lonely.arrow").write_bytes(store.read_bytes())
    with pytest.raises(UserError, match=r"no details file .*lonely\.details\.arrow; convert"):
        api.NASBench(tmp_path / "lonely.arrow")


# ModelSpec -----------------------------------------------------------------------------------


@st.composite
def graphs(draw):
    size = draw(st.integers(2, 7))
    bits = draw(st.lists(st.booleans(), min_size=size * size, max_size=size * size))
    matrix = np.triu(np.array(bits, int).reshape(size, size), 1)
    ops = [draw(st.sampled_from([CONV1X1, CONV3X3, MAXPOOL3X3])) for _ in range(size - 2)]
    return matrix, ["input", *ops, "output"]


@settings(deadline=None)
@given(graphs())
def test_model_spec_agrees_with_cell(graph):
    """`Cell` prunes and hashes by itself; its hashes are tested against published ones."""
    matrix, ops = graph
    spec = api.ModelSpec(matrix, ops)
    np.testing.assert_array_equal(spec.original_matrix, matrix)
    assert spec.original_ops == ops
    try:
        pruned = Cell(matrix, ops).prune()
    except DisconnectedCellError:
        assert (spec.valid_spec, spec.matrix, spec.ops) == (False, None, None)
        with pytest.raises(api.OutOfDomainError):
            spec.hash_spec([CONV3X3, CONV1X1, MAXPOOL3X3])
    else:
        assert spec.valid_spec
        np.testing.assert_array_equal(spec.matrix, pruned.matrix)
        assert spec.ops == list(pruned.ops)
        assert spec.hash_spec([CONV3X3, CONV1X1, MAXPOOL3X3]) == pruned.module_hash


def test_model_spec_copies_its_arguments():
    matrix, ops = np.array([[0, 1], [0, 0]]), ["input", "output"]
    spec = api.ModelSpec(matrix, ops)
    matrix[0, 1] = 0
    ops[0] = "other"
    assert spec.matrix[0, 1] == spec.original_matrix[0, 1] == 1
    assert spec.ops == spec.original_ops == ["input", "output"]
    spec.matrix[0, 1] = 0
    assert spec.original_matrix[0, 1] == 1
    assert spec.data_format == "channels_last"


@pytest.mark.parametrize(
    ("matrix", "ops", "reason"),
    [
        ([[0, 1, 0], [0, 0, 1]], ["input", "output"], "matrix must be square"),
        ([[0, 1], [0, 0]], ["input"], "length of ops must match"),
        ([[0, 1], [1, 0]], ["input", "output"], "matrix must be upper triangular"),
        ([[1, 1], [0, 0]], ["input", "output"], "matrix must be upper triangular"),
    ],
)
def test_malformed_specs(matrix, ops, reason):
    with pytest.raises(ValueError, match=reason):
        api.ModelSpec(matrix, ops)


def test_hash_of_the_readme_example():
    spec = spec_of(INCEPTION_LIKE)
    assert spec.hash_spec([CONV3X3, CONV1X1, MAXPOOL3X3]) == "28cfc7874f6d200472e1a9dcd8650aa0"
    assert spec.hash_spec([CONV1X1, CONV3X3, MAXPOOL3X3]) != "28cfc7874f6d200472e1a9dcd8650aa0"


def test_visualize_draws_the_pruned_graph(monkeypatch):
    class Digraph:
        def __init__(self) -> None:
            self.nodes: dict[str, str] = {}
            self.edges: list[tuple[str, str]] = []

        def node(self, name: str, label: str) -> None:
            self.nodes[name] = label

        def edge(self, source: str, target: str) -> None:
            self.edges.append((source, target))

    monkeypatch.setitem(sys.modules, "graphviz", SimpleNamespace(Digraph=Digraph))
    matrix = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    graph = api.ModelSpec(matrix, ["input", CONV3X3, CONV1X1, "output"]).visualize()
    assert graph.nodes == {"0": "input", "1": CONV3X3, "2": "output"}
    assert graph.edges == [("0", "1"), ("1", "2")]
