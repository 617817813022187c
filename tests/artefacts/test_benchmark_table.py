"""Facts of the table, judged on stores that say that they were measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from raynas.artefacts import ARTEFACTS, Evidence, Verdict
from raynas.artefacts.benchmark_table import _MINIMA
from search_spaces import load_space
from search_spaces.benchmark import write_store
from search_spaces.published import published_architectures

EXAMPLE = bytes.fromhex("28cfc7874f6d200472e1a9dcd8650aa0")


def measured_store(path: Path, off: int = 0) -> Path:
    """Cells of the three spaces and the example: every error 1000 / 9984 but for the minima."""
    spaces = [load_space(name) for name in ("1", "2", "3")]
    hashes = np.unique(
        np.concatenate(
            [space.unique_hashes() for space in spaces] + [np.frombuffer(EXAMPLE, np.uint8)[None]]
        ),
        axis=0,
    )
    errors = {q: np.full((len(hashes), 4, 3), 1000) for q in ("test", "validation")}
    keys = {row.tobytes(): i for i, row in enumerate(hashes)}
    for space in spaces:
        # The last listed cell of the space, so that no two spaces share it.
        listed = space.rows(published_architectures(space, "without-loose-ends"))
        cell = keys[space.unique_hashes()[int(listed[-1])].tobytes()]
        for quantity, least in zip(("test", "validation"), _MINIMA[space.name], strict=True):
            errors[quantity][cell, 3, 1] = least + off
    place = keys[EXAMPLE]
    errors["validation"][place, 3, 2] = round((1 - 0.9376001358) * 9984)
    errors["test"][place, 3, 2] = round((1 - 0.9311898947) * 9984)
    columns = {
        "module_hash": hashes,
        "validation_accuracy": (9984 - errors["validation"]).astype(np.uint16),
        "test_accuracy": (9984 - errors["test"]).astype(np.uint16),
        "training_seconds": np.ones((len(hashes), 4, 3), np.float32),
        "parameters": np.ones(len(hashes), np.int32),
    }
    write_store(path, columns, name="made up", kind="official", metadata={})
    return path


def verdict(name: str, store: Path) -> Verdict:
    artefact = ARTEFACTS[name]
    assert artefact.obtain is not None
    return artefact.obtain(Evidence({}, str(store))).judged.verdict


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return measured_store(tmp_path_factory.mktemp("store") / "right.arrow")


def test_a_table_with_the_published_minima_agrees(store: Path) -> None:
    assert verdict("least-errors", store) is Verdict.AGREE


def test_one_with_others_disagrees(tmp_path: Path) -> None:
    assert verdict("least-errors", measured_store(tmp_path / "off.arrow", 1)) is Verdict.DISAGREE


def test_the_example_is_found_in_any_repeat(store: Path) -> None:
    assert verdict("nas-bench-101-example", store) is Verdict.AGREE


def test_a_part_of_the_table_cannot_know_its_best_cells(store: Path) -> None:
    assert verdict("nas-bench-101-best", store) is Verdict.NOT_COMPARABLE
