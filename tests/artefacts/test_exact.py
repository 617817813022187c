"""Artefacts that need no study are computed for real."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from raynas.artefacts import ARTEFACTS, Evidence, Obtained, Verdict
from raynas.artefacts.nas_bench_101 import all_to_output_graphs, one_parent_graphs, which_best
from search_spaces.benchmark import write_store


def obtain(name: str) -> Obtained:
    artefact = ARTEFACTS[name]
    assert artefact.obtain is not None
    return artefact.obtain(Evidence({}, "surrogate"))


def values(found: Obtained) -> list[float]:
    return [reading.value for reading in found.readings if reading.value is not None]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("space-definitions", [9, 9, 9]),
        ("architecture-parameters", [24, 26, 35]),
        ("one-shot-weights", [1_101_402, 1_101_402, 1_509_594]),
        ("nas-bench-101-network", [2_694_282]),
        ("evaluation-counts", [280, 17_100, 4]),
        ("wrong-output-edges", [49, 38, 65, 56]),
        ("reach-of-policies", [29_160, 3_123, 174_960, 596]),
    ],
)
def test_counts_that_agree(name: str, first: list[int]) -> None:
    found = obtain(name)
    assert found.judged.verdict is Verdict.AGREE, found
    assert values(found)[: len(first)] == first


def test_the_sizes_mix_rules_and_miss_cells() -> None:
    found = obtain("sizes-with-loose-ends")
    assert found.judged.verdict is Verdict.DISAGREE and "mixes two rules" in found.judged.reason
    assert values(found) == [6240, 16632, 363648, 14580, 29160, 1312200]
    found = obtain("sizes-without-loose-ends")
    assert found.judged.verdict is Verdict.DISAGREE and "on one chain" in found.judged.reason
    assert values(found) == [2487, 3609, 24066, 3702, 12474, 135900, 2685, 7773, 55854]


def test_graphs_of_encodings_by_hand() -> None:
    one, every = one_parent_graphs(), all_to_output_graphs()
    assert (len(one), len(every)) == (120, 720)
    # In the first all vertices hang on the input, and all are leaves: ten edges, too many.
    assert one[0].sum() == 10 and one[0][0, 1:6].all() and one[0][1:6, 6].all()
    assert one[-1].sum() == 6 and [one[-1][i, i + 1] for i in range(6)] == [1] * 6  # a chain
    assert every[0].sum() == 6  # nothing has a parent; only the input's edge to the output counts
    assert set(every.sum((1, 2))) == {6, 7, 8, 9, 10, 11}


def test_the_published_best_is_of_another_measure() -> None:
    found = which_best(validation=95.0554, test=94.3176)
    assert found.verdict is Verdict.DISAGREE and "best mean validation accuracy" in found.reason
    assert which_best(95.5, 95.06).verdict is Verdict.AGREE
    assert "validation" not in which_best(95.5, 94.3).reason


def test_the_law_of_a_draw_from_all_cells(tmp_path: Path) -> None:
    """Two of four cells, by hand."""
    errors = np.full((4, 4, 3), 9984)
    errors[2:] = 0
    columns = {
        "module_hash": np.sort(np.random.default_rng(0).integers(0, 256, (4, 16), np.uint8), 0),
        "validation_accuracy": (9984 - errors).astype(np.uint16),
        "test_accuracy": (9984 - errors).astype(np.uint16),
        "training_seconds": np.ones((4, 4, 3), np.float32),
        "parameters": np.ones(4, np.int32),
    }
    path = tmp_path / "four.arrow"
    write_store(path, columns, name="made up", kind="official", metadata={})
    artefact = ARTEFACTS["random-draw-nas-bench-101"]
    assert artefact.obtain is not None
    found = artefact.obtain(Evidence({}, str(path)))
    assert values(found) == pytest.approx([50, 50, 0, 100 * (1 - 2**-10), 100 * 2**-5], abs=0.1)
    assert found.judged.reason == "other conditions: 4 of 423,624 cells"


@pytest.mark.long
def test_all_cells_of_nas_bench_101_are_counted() -> None:
    found = obtain("nas-bench-101-cells")
    assert found.judged.verdict is Verdict.AGREE
    assert values(found)[-1] == 423_624


def test_a_surrogate_cannot_agree_with_the_measured_table() -> None:
    for name in (
        "least-errors",
        "nas-bench-101-best",
        "nas-bench-101-example",
        "nas-bench-101-published-best",
        "random-draw-nas-bench-101",
    ):
        found = obtain(name)
        assert found.judged.verdict is Verdict.NOT_COMPARABLE, name
    least = {reading.label: reading.value for reading in obtain("least-errors").readings}
    for space in "123":
        listed = least[f"space {space}, test, released list"]
        every = least[f"space {space}, test, all unique cells"]
        assert listed is not None and every is not None and every <= listed
