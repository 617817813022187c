"""Artefacts that need no study are computed for real."""

from __future__ import annotations

import pytest

from raynas.artefacts import ARTEFACTS, Evidence, Obtained, Verdict


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


@pytest.mark.long
def test_all_cells_of_nas_bench_101_are_counted() -> None:
    found = obtain("nas-bench-101-cells")
    assert found.judged.verdict is Verdict.AGREE
    assert values(found)[-1] == 423_624


def test_a_surrogate_cannot_agree_with_the_measured_table() -> None:
    for name in ("least-errors", "nas-bench-101-best", "nas-bench-101-example"):
        found = obtain(name)
        assert found.judged.verdict is Verdict.NOT_COMPARABLE, name
    least = {reading.label: reading.value for reading in obtain("least-errors").readings}
    for space in "123":
        listed = least[f"space {space}, test, released list"]
        every = least[f"space {space}, test, all unique cells"]
        assert listed is not None and every is not None and every <= listed
