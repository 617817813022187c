from __future__ import annotations

from pathlib import Path

import pytest

from raynas.training import cell_of_hash, cell_of_run
from search_spaces.errors import UserError
from search_spaces.sources import open_benchmark
from search_spaces.spaces import load_space
from tests.support.searches_study import walking_search, write_searches


@pytest.mark.parametrize("name", ["1", "2", "3"])
def test_a_cell_is_found_by_its_hash(name: str) -> None:
    space = load_space(name)
    cell = space.cell(100)
    found = cell_of_hash(cell.module_hash.upper())
    assert found.cell == cell
    benchmark = open_benchmark("surrogate")
    errors = found.errors(benchmark)
    assert errors is not None
    assert errors[1] == benchmark.table(space).test_error(100)


def test_a_hash_that_no_cell_has() -> None:
    with pytest.raises(UserError, match=r"no cell of the spaces 1, 2 has the hash 0{32}; studies"):
        cell_of_hash("0" * 32, ["1", "2"])


def test_what_is_no_hash() -> None:
    with pytest.raises(UserError, match="'xyz' is no module hash: it needs 32 hexadecimal"):
        cell_of_hash("xyz")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tables = [open_benchmark("surrogate").table(load_space(name)) for name in ("1", "2")]
    searches = [walking_search("darts", table, 3, epochs=4) for table in tables]
    return write_searches(tmp_path_factory.mktemp("found") / "study", searches)


def test_the_final_cell_of_a_run(study: Path) -> None:
    table = open_benchmark("surrogate").table(load_space("1"))
    last = walking_search("darts", table, 3, epochs=4).records[-1]
    found = cell_of_run(study, "darts", 3, "1")
    assert found.cell.module_hash == last.module_hash


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("darts", 3), "has the spaces 1, 2; say which with --space"),
        (
            ("rs", 3, "1"),
            "has no run with method rs; it has darts: give one of these with --method",
        ),
        (("darts", 0, "1"), "has no run with seed 0; it has 3: give one of these with --run-seed"),
        (("darts", 3, "3"), "has no run with space 3; it has 1, 2: give one of these with --space"),
    ],
)
def test_runs_that_are_not_there(study: Path, arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        cell_of_run(study, *arguments)  # type: ignore[arg-type]
