"""Facts of the search spaces that need no run: they are counted when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from raynas.artefacts._base import Artefact, Judged, Obtained, Reading, Verdict
from raynas.artefacts.readings import counts
from raynas.artefacts.verdicts import exact

if TYPE_CHECKING:
    from raynas.artefacts.evidence import Evidence
    from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
    from search_spaces.published import Rule

FAMILY = "Search spaces"
_TABLE_1 = "Zela et al. 2020 (NAS-Bench-1Shot1), Table 1"
CODE = "Zela et al. 2020, released code"
NAMES = ("1", "2", "3")
_COMPUTED = "computed, nothing is trained or sampled"

_PARENTS = {"1": (1, 2, 2, 2, 2), "2": (1, 1, 2, 2, 3), "3": (1, 1, 1, 2, 2, 2)}
_WITH = (6240, 29160, 363648)
_WITHOUT = (2487, 3609, 24066)
_WITHOUT_ROWS = ("on one chain", "complete", "unique cells")
_BY_SIZE = (1, 6, 84, 2_441, 62_010, 359_082)
_INCEPTION_LIKE = 2_694_282


def three_spaces() -> list[NASBench1Shot1Space]:
    """The spaces 1, 2 and 3."""
    from search_spaces.spaces import load_space

    return [cast("NASBench1Shot1Space", load_space(name)) for name in NAMES]


def computed(readings: tuple[Reading, ...], judged: Judged) -> Obtained:
    """What was counted, made with nothing."""
    return Obtained(readings, judged, _COMPUTED)


def _parents(_evidence: Evidence) -> Obtained:
    spaces = three_spaces()
    labels = [f"space {space.name}, sum of parents" for space in spaces]
    found = [space.num_parents for space in spaces]
    judged = exact(
        [n for name in NAMES for n in _PARENTS[name]], [n for each in found for n in each]
    )
    return computed(counts(labels, [sum(each) for each in found]), judged)


def _sizes(rule: Rule) -> list[int]:
    from search_spaces.published import published_architectures

    return [len(published_architectures(space, rule)) for space in three_spaces()]


def _with_loose_ends(_evidence: Evidence) -> Obtained:
    one_rule = _sizes("with-loose-ends")
    raw = [space.num_architectures for space in three_spaces()]
    labels = [f"space {n}, operations on blocks that feed another" for n in NAMES]
    labels += [f"space {n}, every vector" for n in NAMES]
    found = exact(_WITH, one_rule)
    if found.verdict is Verdict.DISAGREE and (one_rule[0], raw[1], one_rule[2]) == _WITH:
        found = Judged(
            Verdict.DISAGREE,
            "the row mixes two rules: spaces 1 and 3 leave out operations on blocks that feed "
            "nothing, space 2 counts every vector; each number is right by its own rule, and none "
            "counts distinct networks",
        )
    return computed(counts(labels, [*one_rule, *raw]), found)


def _without_loose_ends(_evidence: Evidence) -> Obtained:
    released, complete = _sizes("without-loose-ends"), _sizes("pruned")
    unique = [space.num_unique for space in three_spaces()]
    labels = [f"space {n}, {what}" for what in _WITHOUT_ROWS for n in NAMES]
    found = exact(_WITHOUT, complete)
    if found.verdict is Verdict.DISAGREE and tuple(released) == _WITHOUT:
        found = Judged(
            Verdict.DISAGREE,
            "the released enumeration, which gives exactly these numbers, lists only cells whose "
            "vertices lie on one chain; the complete sets are larger",
        )
    return computed(counts(labels, [*released, *complete, *unique]), found)


def _by_size(_evidence: Evidence) -> Obtained:
    from search_spaces.graph_arrays import used_vertices
    from search_spaces.nas_bench_101 import NASBench101Space, unique_vectors

    _, vectors = unique_vectors()
    used = used_vertices(NASBench101Space().matrices(vectors)).sum(axis=1)
    found = [int((used == n).sum()) for n in range(2, 8)]
    readings = counts([f"{n} vertices" for n in range(2, 8)], found)
    readings += counts([f"up to {n} vertices" for n in range(3, 8)], list(np.cumsum(found))[1:])
    return computed(readings, exact(_BY_SIZE, found))


def _inception_like(_evidence: Evidence) -> Obtained:
    from search_spaces.cell import CONV1X1, CONV3X3, INPUT, MAXPOOL3X3, OUTPUT, Cell

    matrix = np.zeros((7, 7), np.uint8)
    for parent, child in ((0, 1), (0, 2), (0, 3), (0, 5), (1, 6), (2, 6), (3, 4), (4, 6), (5, 6)):
        matrix[parent, child] = 1
    ops = [INPUT, CONV1X1, CONV3X3, CONV3X3, CONV3X3, MAXPOOL3X3, OUTPUT]
    found = Cell(matrix, ops).parameter_count()
    return computed(counts(["trainable weights"], [found]), exact([_INCEPTION_LIKE], [found]))


def _schedules(_evidence: Evidence) -> Obtained:
    from raynas.optimizers.brackets import bracket, geometric_budgets, total_evaluations

    budgets = geometric_budgets(25, 100, 2)
    evaluations = total_evaluations(64, budgets, 2)
    epochs = sum(bracket(i, budgets, 2).cost for i in range(64))
    rungs = len(geometric_budgets(4, 108, 3))
    labels = ("evaluations in 64 brackets of BOHB", "their epochs", "rungs of Hyperband, 4 to 108")
    found = (evaluations, epochs, rungs)
    return computed(counts(labels, found), exact((280, 17_100, 4), found))


def triples(values: tuple[int, ...]) -> str:
    """Numbers of the three spaces in one line."""
    return " / ".join(f"{value:,}" for value in values)


ARTEFACTS = (
    Artefact(
        "space-definitions",
        FAMILY,
        "number of choice blocks and of parents of each, in spaces 1, 2 and 3",
        f"{_TABLE_1} and released code",
        "; ".join(f"space {n}: {', '.join(map(str, _PARENTS[n]))}" for n in NAMES)
        + " (blocks, then the output); nine edges in each",
        "parents of each block and of the output as the spaces define them",
        obtain=_parents,
    ),
    Artefact(
        "sizes-with-loose-ends",
        FAMILY,
        "number of architectures with loose ends",
        _TABLE_1,
        f"{triples(_WITH)} in spaces 1 / 2 / 3",
        "architectures are listed by one rule for all spaces, and every vector is counted",
        obtain=_with_loose_ends,
    ),
    Artefact(
        "sizes-without-loose-ends",
        FAMILY,
        "number of architectures without loose ends",
        _TABLE_1,
        f"{triples(_WITHOUT)} in spaces 1 / 2 / 3",
        "pruned architectures are listed: those on one chain, all, and up to isomorphism",
        obtain=_without_loose_ends,
    ),
    Artefact(
        "nas-bench-101-cells",
        FAMILY,
        "unique cells of NAS-Bench-101 by number of vertices",
        "Ying et al. 2019 (NAS-Bench-101); Yu et al. 2020 for the sizes of its parts",
        "423,624 in all: 1, 6, 84, 2,441, 62,010 and 359,082 with 2 to 7 vertices, so 91, about "
        "2,500, 64,000 and 423,000 with up to 4, 5, 6 and 7",
        "all graphs of up to 7 vertices and 9 edges are listed up to isomorphism (seconds)",
        obtain=_by_size,
    ),
    Artefact(
        "nas-bench-101-network",
        FAMILY,
        "trainable weights of the cell that NAS-Bench-101 gives as its example",
        "google-research/nasbench, README",
        f"{_INCEPTION_LIKE:,}",
        "the weights of the network are counted from its cell",
        obtain=_inception_like,
    ),
    Artefact(
        "evaluation-counts",
        FAMILY,
        "where the 280 evaluations of the black-box methods come from",
        f"{CODE}: BOHB with 64 brackets at 25, 50 and 100 epochs, Hyperband from 4 to 108",
        "280 evaluations and 17,100 epochs in 64 brackets; 4 rungs of Hyperband",
        "the brackets are laid out and added up",
        obtain=_schedules,
    ),
)
