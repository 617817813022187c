"""The store: exact figures, nulls, alignment, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from search_spaces import load_space
from search_spaces.benchmark import Benchmark, BenchmarkError, write_store
from search_spaces.table import MissingFigureError, Table

SPACE = load_space(1)


def columns(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = SPACE.num_unique
    return {
        "module_hash": SPACE.unique_hashes()[rng.permutation(n)],
        "validation_accuracy": rng.integers(998, 9500, (n, 4, 3)).astype(np.uint16),
        "test_accuracy": rng.integers(998, 9500, (n, 4, 3)).astype(np.uint16),
        "training_seconds": rng.uniform(10, 3000, (n, 4, 3)).astype(np.float32),
        "parameters": rng.integers(1, 10**7, n).astype(np.int32),
    }


def write(path: Path, data: dict[str, np.ndarray]) -> Benchmark:
    write_store(path, data, name="random figures", kind="synthetic", metadata={"seed": 0})
    return Benchmark.open(path)


@pytest.fixture(scope="module")
def data() -> dict[str, np.ndarray]:
    return columns()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, data: dict[str, np.ndarray]) -> Table:
    return write(tmp_path_factory.mktemp("store") / "store.arrow", data).table(SPACE)


def test_every_figure_comes_back_exactly(table: Table, data: dict[str, np.ndarray]) -> None:
    place = {h.tobytes(): i for i, h in enumerate(data["module_hash"])}
    order = np.array([place[h.tobytes()] for h in SPACE.unique_hashes()])
    rows = np.arange(SPACE.num_unique)
    for i, epochs in enumerate((4, 12, 36, 108)):
        for repeat in range(3):
            k = np.round((1 - table.validation_error(rows, epochs, repeat)) * 9984)
            assert (k == data["validation_accuracy"][order, i, repeat]).all()
            k = np.round((1 - table.test_error(rows, epochs, repeat)) * 9984)
            assert (k == data["test_accuracy"][order, i, repeat]).all()
            seconds = table.training_seconds(rows, epochs, repeat)
            assert (seconds == data["training_seconds"][order, i, repeat]).all()
    assert (table.parameters(rows) == data["parameters"][order]).all()


def test_repeats_are_explicit(table: Table) -> None:
    rows = np.array([5, 3, 5])
    singles = [table.validation_error(rows, 36, repeat) for repeat in range(3)]
    assert table.validation_error(rows, 36, "mean") == pytest.approx(np.mean(singles, axis=0))
    mixed = table.validation_error(rows, 36, np.array([2, 0, 1]))
    assert mixed.tolist() == [singles[2][0], singles[0][1], singles[1][2]]
    assert float(table.validation_error(5, 36, 1)) == singles[1][0]


def test_the_zero_of_regret_is_the_best_mean(table: Table, data: dict[str, np.ndarray]) -> None:
    best = 1 - (data["test_accuracy"][:, 3] / 9984).mean(1).max()
    assert table.best_test_error == pytest.approx(best, abs=1e-12)
    best = 1 - (data["validation_accuracy"][:, 3] / 9984).mean(1).max()
    assert table.best_validation_error == pytest.approx(best, abs=1e-12)


def test_unknown_figures_are_nulls_and_asking_is_an_error(
    tmp_path: Path, data: dict[str, np.ndarray]
) -> None:
    partial = {name: values.copy() for name, values in data.items()}
    partial["validation_accuracy"][7, 0, 2] = 65535
    partial["training_seconds"][:, 1] = np.nan
    partial["parameters"][9] = -1
    benchmark = write(tmp_path / "partial.arrow", partial)
    table = benchmark.table(SPACE)
    hidden = SPACE.row_of_hash(partial["module_hash"][7].tobytes().hex())
    known = (hidden + 1) % SPACE.num_unique
    assert np.isfinite(table.validation_error(known, 4, 2))
    assert np.isfinite(table.validation_error(hidden, 4, 0))
    with pytest.raises(
        MissingFigureError, match=r"validation at 4 epochs, repeat 2 of cell \w{32}"
    ):
        table.validation_error([known, hidden], 4, 2)
    with pytest.raises(MissingFigureError):
        table.validation_error(hidden, 4, "mean")
    with pytest.raises(MissingFigureError, match="parameters"):
        table.parameters(np.arange(SPACE.num_unique))
    assert not table.known("validation", 4)
    assert table.known("validation", 108)
    assert not table.known("seconds", 12)
    arrow = pa.ipc.open_file(str(tmp_path / "partial.arrow")).read_all()
    assert arrow["validation_accuracy_4_2"].null_count == 1


@pytest.mark.parametrize(("epochs", "repeat"), [(5, 0), (108, 3)])
def test_unknown_budgets_and_repeats_are_refused(table: Table, epochs: int, repeat: int) -> None:
    with pytest.raises(Exception, match="valid"):
        table.validation_error(0, epochs, repeat)


def test_checksum_is_of_the_content(tmp_path: Path, data: dict[str, np.ndarray]) -> None:
    shuffled = {name: values[::-1] for name, values in data.items()}
    first = write(tmp_path / "a.arrow", data)
    assert write(tmp_path / "b.arrow", shuffled).sha256 == first.sha256
    changed = {name: values.copy() for name, values in data.items()}
    changed["test_accuracy"][0, 0, 0] ^= 1
    assert write(tmp_path / "c.arrow", changed).sha256 != first.sha256


def test_a_space_with_missing_cells_is_refused(tmp_path: Path, data: dict[str, np.ndarray]) -> None:
    few = {name: values[:100] for name, values in data.items()}
    with pytest.raises(BenchmarkError, match="lacks at least 2,585 of the 2,685 cells of space 1"):
        write(tmp_path / "few.arrow", few).table(SPACE)


def test_other_cells_are_no_substitute(tmp_path: Path, data: dict[str, np.ndarray]) -> None:
    other = {name: values.copy() for name, values in data.items()}
    other["module_hash"][:3] ^= 255
    with pytest.raises(BenchmarkError, match="lacks 3 of the 2,685 cells of space 1"):
        write(tmp_path / "other.arrow", other).table(SPACE)


def test_a_hash_may_occur_once_only(tmp_path: Path, data: dict[str, np.ndarray]) -> None:
    double = {name: np.concatenate([values, values[:1]]) for name, values in data.items()}
    with pytest.raises(ValueError, match="twice"):
        write(tmp_path / "double.arrow", double)
    assert not list(tmp_path.iterdir())


def test_foreign_files_are_refused_in_one_line(tmp_path: Path) -> None:
    text = tmp_path / "text.arrow"
    text.write_text("not a table")
    other = tmp_path / "other.arrow"
    with pa.OSFile(str(other), "wb") as sink, pa.ipc.new_file(sink, pa.schema([])):
        pass
    for path, message in [
        (text, "is not a benchmark store"),
        (other, "not a benchmark store"),
        (tmp_path / "absent.arrow", "fetch nasbench101"),
        (tmp_path, "no benchmark file"),
    ]:
        with pytest.raises(BenchmarkError, match=message) as caught:
            Benchmark.open(path)
        assert "\n" not in str(caught.value)


def test_a_truncated_store_is_refused(tmp_path: Path, data: dict[str, np.ndarray]) -> None:
    write(tmp_path / "whole.arrow", data)
    content = (tmp_path / "whole.arrow").read_bytes()
    (tmp_path / "half.arrow").write_bytes(content[: len(content) // 2])
    with pytest.raises(BenchmarkError, match="not a benchmark store"):
        Benchmark.open(tmp_path / "half.arrow")


def test_nothing_is_left_when_writing_fails(
    tmp_path: Path, data: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "store.arrow", data)
    before = (tmp_path / "store.arrow").read_bytes()

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pa, "OSFile", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_store(tmp_path / "store.arrow", columns(1), name="x", kind="synthetic", metadata={})
    assert [path.name for path in tmp_path.iterdir()] == ["store.arrow"]
    assert (tmp_path / "store.arrow").read_bytes() == before


def test_damage_to_the_content_is_found(tmp_path: Path, data: dict[str, np.ndarray]) -> None:
    write(tmp_path / "whole.arrow", data).verify()
    content = bytearray((tmp_path / "whole.arrow").read_bytes())
    found = 0
    for place in np.random.default_rng(0).integers(len(content), size=60).tolist():
        flipped = content.copy()
        flipped[place] ^= 1
        (tmp_path / "flipped.arrow").write_bytes(flipped)
        try:
            damaged = Benchmark.open(tmp_path / "flipped.arrow")
            damaged.verify()
        except BenchmarkError:
            found += 1
        else:  # padding: every figure is as it was
            for name in pa.ipc.open_file(str(tmp_path / "whole.arrow")).schema.names[1:]:
                whole = Benchmark.open(tmp_path / "whole.arrow").column(name)[0]
                assert (damaged.column(name)[0] == whole).all()
    assert found > 50


def test_equal_means_are_equal_floats(tmp_path: Path, data: dict[str, np.ndarray]) -> None:
    changed = {name: values.copy() for name, values in data.items()}
    changed["test_accuracy"][:, 3] = np.array([9001, 9208, 9333])
    changed["test_accuracy"][::2, 3] = np.array([9208, 9001, 9333])
    changed["test_accuracy"][1::3, 3] = np.array([9333, 9000, 9209])
    table = write(tmp_path / "equal.arrow", changed).table(SPACE)
    assert len(np.unique(table.test_error(np.arange(SPACE.num_unique)))) == 1
