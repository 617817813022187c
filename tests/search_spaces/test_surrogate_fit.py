"""The fitting program, on tiny data, and its parts on small graphs."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from search_spaces.benchmark import ACCURACY_UNIT, BUDGETS, write_store
from search_spaces.errors import UserError
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.space import hash_texts
from search_spaces.spaces import load_space
from search_spaces.surrogate.__main__ import app
from search_spaces.surrogate.donors import nearest_donors, pick_donors
from search_spaces.surrogate.features import graph_features, network_costs, table_features
from search_spaces.surrogate.fitting import require_libraries
from search_spaces.surrogate.graphs import Graphs, graphs_from_bits, graphs_from_matrices
from search_spaces.surrogate.keys import folds, spaces, union_hashes
from search_spaces.surrogate.mixing import fractions, random_bits
from search_spaces.surrogate.noise import draw
from search_spaces.surrogate.regret import evolution_regret, random_search_regret
from search_spaces.surrogate.shipped import read_shipped
from search_spaces.surrogate.targets import from_scale, to_scale, unfail
from tests.support.command_line import call

CELLS = 300


def _graphs(space: NASBench1Shot1Space, rows: range) -> Graphs:
    vectors = np.stack([space.representative(row) for row in rows])
    return graphs_from_matrices(space.matrices(vectors), space.labels(vectors))


# Graphs and features --------------------------------------------------------------------------


@pytest.mark.parametrize("name", [1, 2, 3])
def test_parameters_from_arrays_equal_those_of_cells(name: int) -> None:
    space = spaces()[name - 1]
    rows = range(0, space.num_unique, space.num_unique // 60)
    counted = network_costs(_graphs(space, rows))[0]
    assert counted.tolist() == [space.cell(row).parameter_count() for row in rows]


def test_bits_and_matrices_describe_the_same_graph() -> None:
    matrix = np.zeros((1, 4, 4), np.uint8)
    matrix[0, [0, 0, 1, 2], [1, 2, 3, 3]] = 1
    labels = np.array([[9, 0, 2, 9]], np.uint8)
    bits = sum(1 << (j * (j - 1) // 2 + i) for i, j in [(0, 1), (0, 2), (1, 3), (2, 3)])
    unpacked = graphs_from_bits(np.array([4]), np.array([bits]), ["3,m"])
    padded = graphs_from_matrices(matrix, labels)
    np.testing.assert_array_equal(unpacked.adjacency, padded.adjacency)
    np.testing.assert_array_equal(unpacked.labels, padded.labels)


def test_features_do_not_depend_on_the_numbering() -> None:
    matrix = np.zeros((7, 7), np.uint8)
    for i, j in [(0, 1), (0, 2), (1, 3), (2, 4), (3, 6), (4, 6), (0, 5), (5, 6)]:
        matrix[i, j] = 1
    labels = np.array([0, 0, 1, 2, 0, 1, 0], np.uint8)
    order = np.array([0, 2, 1, 5, 4, 3, 6])  # another topological order
    both = graphs_from_matrices(
        np.stack([matrix, matrix[np.ix_(order, order)]]), np.stack([labels, labels[order]])
    )
    first, second = graph_features(both)
    # The remainder of a division of channels goes to the first parents, whichever these are.
    np.testing.assert_allclose(first, second, rtol=0.02, atol=0.01)
    np.testing.assert_allclose(*table_features(both)[:, :36])


# Randomness ----------------------------------------------------------------------------------


def test_mixing_is_fixed_for_all_time() -> None:
    bits = random_bits(np.array([0, 1, 2**63], np.uint64), 5)
    again = random_bits(np.array([2**63, 0], np.uint64), 5)
    assert again.tolist() == [bits[2], bits[0]]
    assert len(set(bits.tolist())) == 3
    assert random_bits(np.array([0], np.uint64), 6)[0] != bits[0]
    assert [f"{value:016x}" for value in bits.tolist()] == GOLDEN_BITS


GOLDEN_BITS = ["09883e20d8917bc2", "0d84d42c2b85dbe6", "c2dffa4cdf21deff"]


def test_random_bits_are_uniform_and_independent_between_streams() -> None:
    keys = np.arange(20_000, dtype=np.uint64)
    first, second = (fractions(random_bits(keys, stream)) for stream in (0, 1))
    assert abs(first.mean() - 0.5) < 0.01
    assert abs(first.var() - 1 / 12) < 0.003
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03


def test_drawing_inverts_the_quantile_function() -> None:
    quantiles = np.array([[0, 0, 0], [-160, 0, 1600]])
    bits = np.array([0, 2**63, 2**64 - 1, 2**62, 7], np.uint64)
    drawn = draw(quantiles, bits, np.array([1, 1, 1, 1, 0]))
    assert drawn.tolist() == [-160, 0, 1599, -80, 0]


def test_no_cell_is_its_own_donor() -> None:
    rng = np.random.default_rng(0)
    predictions = np.repeat(rng.normal(size=(40, 4)), 5, axis=0)  # with ties
    possible = np.arange(0, 200, 2)
    near = nearest_donors(predictions, possible, 7)
    assert near.shape == (200, 7)
    assert not (near == np.arange(200)[:, None]).any()
    keys = np.arange(200, dtype=np.uint64)
    chosen = pick_donors(near, keys, salt=3)
    assert np.isin(chosen, possible).all()
    assert (chosen != np.arange(200)).all()
    assert (chosen != pick_donors(near, keys, salt=4)).any()


def test_folds_follow_the_hash() -> None:
    hashes = union_hashes()
    fold = folds(hashes, 5)
    assert np.bincount(fold).min() > 12_500
    np.testing.assert_array_equal(folds(hashes[::-1], 5), fold[::-1])


# Targets and regret ---------------------------------------------------------------------------


def test_failures_are_recognised_in_a_mean_of_three() -> None:
    level, failures = unfail(np.array([0.93, (0.93 * 2 + 0.1) / 3, (0.93 + 0.2) / 3, 0.1, 0.5]))
    assert failures.tolist() == [0, 1, 2, 3, 0]
    np.testing.assert_allclose(level[[0, 1, 2, 4]], [0.93, 0.93, 0.93, 0.5])
    assert np.isnan(level[3])


@pytest.mark.parametrize("budget", range(4))
def test_scales_are_inverted(budget: int) -> None:
    accuracy = np.array([0.82, 0.9, 0.94])
    np.testing.assert_allclose(from_scale(to_scale(accuracy, budget), budget), accuracy)


def test_random_search_regret_equals_its_simulation() -> None:
    rng = np.random.default_rng(1)
    error = np.append(rng.random(50), np.nan)
    weights = np.append(rng.integers(1, 9, 50), 1_000)
    share = weights[:50] / weights[:50].sum()
    drawn = rng.choice(error[:50], size=(20_000, 10), p=share).min(1) - error[:50].min()
    expected = random_search_regret(error, weights)
    assert expected[0] == pytest.approx(drawn.mean(), abs=4 * drawn.std() / np.sqrt(len(drawn)))
    assert (np.diff(expected) < 0).all()


def test_evolution_finds_what_is_one_change_away() -> None:
    space = load_space(1)
    vectors = np.stack([space.representative(row) for row in range(space.num_unique)])
    error = (vectors[:, :4] != 0).sum(1) / 10 + 0.05
    error[::7] = np.nan  # left out
    curve = evolution_regret(space, error, population=20, seeds=50)
    assert curve[-1] < 0.01 < curve[0]
    assert (np.diff(curve) <= 0).all()


# The whole program ----------------------------------------------------------------------------


def _figures(rows: int) -> dict[str, Any]:
    """Made-up figures of `rows` cells of space 3, better for more parameters."""
    space = load_space(3)
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.permutation(space.num_unique)[:rows])
    cells = [space.cell(int(row)) for row in chosen]
    parameters = np.array([cell.parameter_count() for cell in cells])
    level = 0.88 + 0.01 * np.log(parameters / 3e5)
    budget = np.array([0.4, 0.65, 0.95, 1.0])
    accuracy = level[:, None, None] * budget[:, None]
    accuracy = accuracy + rng.normal(0, 0.004, (rows, 4, 3))
    accuracy[rng.random(accuracy.shape) < 0.02] = 0.1
    return {
        "hashes": space.unique_hashes()[chosen],
        "cells": cells,
        "parameters": parameters,
        "accuracy": np.round(accuracy * ACCURACY_UNIT),
        "seconds": 400 + parameters / 1e4,
    }


def _write_tables(folder: Path, figures: dict[str, Any]) -> None:
    folder.mkdir()
    hashes = hash_texts(figures["hashes"])
    letters = {"conv3x3-bn-relu": "3", "conv1x1-bn-relu": "1", "maxpool3x3": "m"}
    accuracy = figures["accuracy"] / ACCURACY_UNIT
    edges = [np.argwhere(cell.matrix) for cell in figures["cells"]]
    cells = {
        "module_hash": hashes,
        "num_vertices": np.array([cell.num_vertices for cell in figures["cells"]], np.uint8),
        "adjacency": np.array([sum(1 << (j * (j - 1) // 2 + i) for i, j in e) for e in edges]),
        "ops": [",".join(letters[op] for op in cell.ops[1:-1]) for cell in figures["cells"]],
        "params": figures["parameters"],
        "test_accuracy_mean_108": accuracy[:, 3].mean(1),
    }
    index = np.indices(accuracy.shape).reshape(3, -1)
    runs = {
        "module_hash": [hashes[i] for i in index[0]],
        "epochs": np.array(BUDGETS, np.uint8)[index[1]],
        "repeat": index[2].astype(np.uint8),
        "validation_accuracy": accuracy.reshape(-1),
        "test_accuracy": accuracy.reshape(-1),
    }
    times: dict[str, Any] = {"module_hash": hashes, "training_time_108": figures["seconds"]}
    times |= {f"validation_accuracy_{e}": accuracy[:, i, 0] for i, e in enumerate(BUDGETS)}
    for name, table in (("cells", cells), ("runs", runs), ("times", times)):
        pq.write_table(pa.table(table), folder / f"{name}.parquet")


def _write_store(path: Path, figures: dict[str, Any]) -> None:
    rows = len(figures["hashes"])
    accuracy = figures["accuracy"].astype(np.uint16)
    seconds = np.broadcast_to(figures["seconds"][:, None, None], accuracy.shape)
    columns = {
        "module_hash": figures["hashes"],
        "validation_accuracy": accuracy,
        "test_accuracy": accuracy,
        "training_seconds": seconds.astype(np.float32),
        "parameters": figures["parameters"].astype(np.int32),
    }
    assert rows == CELLS
    write_store(path, columns, name="made up", kind="synthetic", metadata={})


def _program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "search_spaces.surrogate", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        check=False,
    )


@pytest.mark.long
@pytest.mark.parametrize("kind", ["tables", "store"])
def test_a_tiny_fit_runs_from_end_to_end(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("lightgbm")
    data, out = tmp_path / "data", tmp_path / "small.parquet"
    (_write_tables if kind == "tables" else _write_store)(data, _figures(CELLS))
    options = ["--data", str(data), "--out", str(out), "--quick", "--epochs", "2", "--folds", "2"]
    done = _program("fit", *options)
    assert done.returncode == 0, done.stderr
    assert "fold 2/2" in done.stderr
    assert "epoch 2/2" in done.stderr
    shipped = read_shipped(out)
    assert len(shipped.test_level) == 66_111
    assert shipped.metadata["settings"]["network"]["epochs"] == 2
    assert shipped.metadata["fidelity"]["3"]["regret"]["cells"] == CELLS
    shown = _program("report", "--file", str(out), "--markdown")
    assert shown.returncode == 0, shown.stderr
    assert "| 3 | test | 108 | 300 |" in shown.stdout


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "lightgbm":
            raise ImportError("no module", name="lightgbm")
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UserError, match=r"lightgbm: pip install 'raynas\[surrogate\]'"):
        require_libraries()


def test_bad_arguments_end_in_one_line(tmp_path: Path) -> None:
    missing = call(
        app, "fit", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "o"), cwd=tmp_path
    )
    assert missing.returncode != 0
    assert "none" in missing.stderr
    assert "Traceback" not in missing.stderr
    folder = call(
        app, "fit", "--data", str(tmp_path), "--out", str(tmp_path / "no" / "o"), cwd=tmp_path
    )
    assert folder.returncode != 0
    assert "create it first" in folder.stderr
    wrong = call(app, "fit", "--data", str(tmp_path), "--out", "o", "--folds", "1", cwd=tmp_path)
    assert wrong.returncode == 2
    assert not list(tmp_path.iterdir())
