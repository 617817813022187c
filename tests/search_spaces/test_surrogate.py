"""The shipped surrogate: complete, reproducible, plausible."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from search_spaces.benchmark import ACCURACY_UNIT, BUDGETS, Benchmark
from search_spaces.spaces import load_space
from search_spaces.surrogate import SurrogateError, cache, open_surrogate
from search_spaces.surrogate.assembly import repeats_checksum
from search_spaces.surrogate.expansion import expand, pseudo_repeats
from search_spaces.surrogate.keys import checksum, hash_words, union_hashes
from search_spaces.surrogate.shipped import Shipped, read_metadata, read_shipped, shipped_path


@pytest.fixture(scope="module")
def shipped() -> Shipped:
    return read_shipped(shipped_path())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAYNAS_DATA", str(tmp_path_factory.mktemp("data")))
        return open_surrogate()


def test_the_file_is_under_four_megabytes() -> None:
    assert shipped_path().stat().st_size < 4_000_000


def test_every_cell_of_the_three_spaces_is_present(store: Benchmark) -> None:
    assert len(store) == 66_111
    for name in (1, 2, 3):
        space = load_space(name)
        table = store.table(space)
        rows = np.arange(space.num_unique)
        for epochs in BUDGETS:
            for quantity in ("validation", "test", "seconds"):
                assert table.known(quantity, epochs)
            assert (table.training_seconds(rows, epochs) > 0).all()
        assert 0.05 < table.best_test_error < 0.07


def test_parameters_are_those_of_the_network(store: Benchmark) -> None:
    for name in (1, 2, 3):
        space = load_space(name)
        for row in range(0, space.num_unique, space.num_unique // 40):
            expected = space.cell(row).parameter_count()
            assert store.table(space).parameters(row) == expected


def test_the_smallest_and_the_largest_networks_are_those_of_the_spaces(store: Benchmark) -> None:
    ranges = {1: (882_570, 41_557_898), 2: (301_074, 11_930_506), 3: (445_706, 49_979_274)}
    for name, (least, most) in ranges.items():
        space = load_space(name)
        counts = store.table(space).parameters(np.arange(space.num_unique))
        assert (counts.min(), counts.max()) == (least, most)


def test_seconds_are_in_proportion_to_the_epochs(store: Benchmark) -> None:
    space = load_space(1)
    table, rows = store.table(space), np.arange(space.num_unique)
    full = table.training_seconds(rows, 108, 0)
    np.testing.assert_allclose(table.training_seconds(rows, 12, 2), full / 9, rtol=1e-6)


def test_metadata_tell_what_it_is(store: Benchmark) -> None:
    metadata = store.metadata
    assert store.kind == "surrogate"
    assert "surrogate" in store.name
    assert "Apache-2.0" in metadata["provenance"]["licence_of_the_data"]
    assert "Ying" in metadata["provenance"]["fitted_to"]
    for carrier in ("FreeREA", "NAS-Bench-1Shot1", "nasbench-vis"):
        assert any(carrier in text for text in metadata["provenance"]["carried_by"])
    assert metadata["settings"]["folds"] == 5
    assert "proportion to the epochs" in metadata["method"]["training_seconds"]
    for name in ("1", "2", "3"):
        fidelity = metadata["fidelity"][name]
        listed = {(score["quantity"], score["epochs"]) for score in fidelity["accuracy"]}
        assert listed == {(q, e) for q in ("validation", "test") for e in BUDGETS}
        assert all({"kendall", "spearman", "r2", "mae"} <= set(s) for s in fidelity["accuracy"])
        assert {"real", "pseudo"} <= set(fidelity["regret"])
        assert metadata["draws"][name]["chosen_among"] > 1


def test_expansion_reproduces_the_recorded_checksum(shipped: Shipped) -> None:
    hashes = union_hashes()
    assert checksum(hashes) == shipped.metadata["cells"]["sha256"]
    assert (
        repeats_checksum(shipped, hash_words(hashes)) == shipped.metadata["pseudo_repeats_sha256"]
    )


def test_noise_depends_on_the_hash_alone(shipped: Shipped) -> None:
    words = hash_words(union_hashes())
    chosen = np.array([40_000, 17, 3, 66_110])
    names = ("validation_level", "test_level", "failure")
    part = replace(shipped, **{name: getattr(shipped, name)[chosen] for name in names})
    for alone, all_cells in zip(
        pseudo_repeats(part, words[chosen]), pseudo_repeats(shipped, words), strict=True
    ):
        np.testing.assert_array_equal(alone, all_cells[chosen])


def test_repeats_differ_and_failures_are_as_rare_as_recorded(shipped: Shipped) -> None:
    _, test = pseudo_repeats(shipped, hash_words(union_hashes()))
    accuracy = test / ACCURACY_UNIT
    assert accuracy.min() > 0.02  # some real runs of four epochs are worse than chance
    assert accuracy.max() < 0.96
    failed = accuracy < 0.12
    assert 0.005 < failed[:, 3].mean() < 0.02
    assert 0.05 < failed[:, 0].mean() < 0.2
    np.testing.assert_allclose(
        failed[:, 3].mean(), (shipped.failure[:, 3] / 65536).mean(), rtol=0.1
    )
    spread = np.where(failed.any(2), np.nan, accuracy.std(2, ddof=1))
    assert 0.002 < np.nanmedian(spread[:, 3]) < 0.005
    assert 0.03 < np.nanmedian(spread[:, 0]) < 0.06


def test_validation_and_test_of_one_run_move_together(shipped: Shipped) -> None:
    validation, test = pseudo_repeats(shipped, hash_words(union_hashes()))
    learned = (test[:, 3] > 0.5 * ACCURACY_UNIT).all(1)
    deviations = [
        (runs[learned, 3] - runs[learned, 3].mean(1, keepdims=True)).reshape(-1)
        for runs in (validation.astype(float), test.astype(float))
    ]
    assert 0.8 < np.corrcoef(deviations)[0, 1] < 0.98


def test_the_smooth_columns_are_in_the_store(store: Benchmark, shipped: Shipped) -> None:
    for index, epochs in enumerate(BUDGETS):
        values, unknown = store.column(f"smooth_test_accuracy_{epochs}")
        assert unknown is None
        np.testing.assert_array_equal(values, shipped.smooth_test_accuracy[:, index])


def test_the_second_opening_maps_the_same_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path))
    first = open_surrogate()
    written = first.path.stat().st_mtime_ns
    assert first.path.parent == tmp_path / "cache"
    second = open_surrogate()
    assert (second.path, second.sha256) == (first.path, first.sha256)
    assert second.path.stat().st_mtime_ns == written


def test_a_damaged_store_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYNAS_DATA", str(tmp_path))
    first = open_surrogate()
    path, sha256 = first.path, first.sha256
    path.write_bytes(b"not a store")
    assert open_surrogate().sha256 == sha256


def test_without_a_writable_data_directory_the_temporary_one_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("a file where the data directory should be")
    monkeypatch.setenv("RAYNAS_DATA", str(occupied))
    monkeypatch.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path))
    assert open_surrogate().path.is_relative_to(tmp_path)


def test_processes_that_start_together_share_one_store(tmp_path: Path) -> None:
    program = (
        "from search_spaces.surrogate import open_surrogate; b = open_surrogate();"
        "print(b.sha256, len(b))"
    )
    environment = {**os.environ, "RAYNAS_DATA": str(tmp_path), "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    printed = [process.communicate(timeout=120)[0] for process in started]
    assert printed[0] == printed[1]
    assert printed[0].split()[1] == "66111"
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_opening_needs_no_fitting_library(tmp_path: Path) -> None:
    program = (
        "import sys; from search_spaces.surrogate import open_surrogate; open_surrogate();"
        "print(sorted({'torch', 'lightgbm', 'scipy', 'ray'} & set(sys.modules)))"
    )
    environment = {**os.environ, "RAYNAS_DATA": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_file_for_other_cells_is_refused(shipped: Shipped) -> None:
    with pytest.raises(SurrogateError, match="another list of cells"):
        expand(shipped, union_hashes()[:-1])


@pytest.mark.parametrize("content", [None, b"", b"PAR1 nonsense"])
def test_a_file_that_is_no_surrogate_is_an_error_of_one_line(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "s.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SurrogateError, match=r"s\.parquet"):
        read_metadata(path)
    with pytest.raises(SurrogateError, match=r"s\.parquet"):
        read_shipped(path)


def test_metadata_are_plain_json(shipped: Shipped) -> None:
    assert json.loads(json.dumps(shipped.metadata)) == shipped.metadata
