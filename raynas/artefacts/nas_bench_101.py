"""What can be said of NAS-Bench-101 as a whole: what encodings of it reach, and random draws."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from raynas.artefacts import conditions
from raynas.artefacts._base import Artefact, Judged, Obtained, Reading, Verdict
from raynas.artefacts.readings import counts
from raynas.artefacts.verdicts import elsewhere, exact, printed

if TYPE_CHECKING:
    from raynas.artefacts.evidence import Evidence

FAMILY = "NAS-Bench-101 as a whole"
_CODE = "Yu et al. 2020, released code (eval-nas)"
_ALL, _BLOCKS = 423_624, 5
_REACH = {"ENAS and NAO": (29_160, 3_123), "DARTS and FBNet": (174_960, 596)}
_DRAW = {
    "mean": "89.68",
    "standard deviation": "5.80",
    "median": "90.64",
    "best of ten, mean": "92.90",
    "best of ten, standard deviation": "0.54",
}
_BEST = 95.06


def one_parent_graphs() -> npt.NDArray[np.uint8]:
    """Graphs of ENAS and NAO: each vertex has one parent, the leaves feed the output: (n, 7, 7)."""
    graphs = []
    for parents in product(*(range(vertex) for vertex in range(1, _BLOCKS + 1))):
        matrix = _chosen(parents)
        leaves = ~matrix[:-1, :-1].any(axis=1)
        matrix[:-1, -1] = leaves
        graphs.append(matrix)
    return np.stack(graphs)


def all_to_output_graphs() -> npt.NDArray[np.uint8]:
    """Graphs of DARTS and FBNet: at most one parent, all feed the output, the input too."""
    graphs = []
    for parents in product(*(range(-1, vertex) for vertex in range(1, _BLOCKS + 1))):
        matrix = _chosen(parents)
        matrix[:-1, -1] = 1
        graphs.append(matrix)
    return np.stack(graphs)


def _chosen(parents: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Edges from one parent to each vertex; none from -1."""
    matrix = np.zeros((_BLOCKS + 2, _BLOCKS + 2), np.uint8)
    for vertex, parent in enumerate(parents, start=1):
        if parent >= 0:
            matrix[parent, vertex] = 1
    return matrix


def reached(graphs: npt.NDArray[np.uint8]) -> tuple[int, int]:
    """Labelled architectures of some graphs, and the unique cells of the table among them."""
    from search_spaces.cell import OPERATIONS
    from search_spaces.graph_arrays import fingerprints
    from search_spaces.nas_bench_101 import EDGES, NASBench101Space

    space = NASBench101Space()
    operations = np.array(list(product(range(len(OPERATIONS)), repeat=_BLOCKS)), np.uint8)
    sources, targets = np.array(EDGES).T
    edges = graphs[:, sources, targets]
    valid = space.valid(np.concatenate([np.zeros((len(edges), _BLOCKS), np.uint8), edges], axis=1))
    labels = np.full((len(operations), _BLOCKS + 2), len(OPERATIONS), np.uint8)
    labels[:, 1:-1], labels[:, -1] = operations, len(OPERATIONS) + 1
    prints = [
        np.unique(fingerprints(np.repeat(graph[None], len(labels), 0), labels))
        for graph in graphs[valid]
    ]
    return len(graphs) * len(operations), len(np.unique(np.concatenate(prints)))


def _reach(_evidence: Evidence) -> Obtained:
    found = [reached(graphs()) for graphs in (one_parent_graphs, all_to_output_graphs)]
    labels = [f"{who}, {what}" for who in _REACH for what in ("labelled", "unique cells")]
    values = [value for pair in found for value in pair]
    judged = exact([n for pair in _REACH.values() for n in pair], values)
    return Obtained(counts(labels, values), judged, "computed, nothing is trained or sampled")


def _accuracies(evidence: Evidence, quantity: str) -> npt.NDArray[np.float64]:
    """Mean accuracy of the three trainings of every cell of the benchmark, in percent."""
    from search_spaces.benchmark import column_name

    names = [column_name(f"{quantity}_accuracy", 108, repeat) for repeat in (0, 1, 2)]
    values = [evidence.benchmark.column(name)[0] for name in names]
    return np.asarray(100 * np.mean(values, axis=0) / 9984, np.float64)


def _differences(evidence: Evidence) -> list[str]:
    found = conditions.of_table(evidence.benchmark.kind)
    if len(evidence.benchmark) < _ALL:
        found.append(f"{len(evidence.benchmark):,} of {_ALL:,} cells")
    return found


def _made(evidence: Evidence) -> str:
    return f"{evidence.benchmark.name} ({len(evidence.benchmark):,} cells); nothing is trained"


def _draw(evidence: Evidence) -> Obtained:
    from raynas.analysis.random_policy import population

    accuracies = _accuracies(evidence, "test")
    law = population("unique cells", accuracies, np.ones(len(accuracies)))
    values = [law.mean, law.deviation, law.quantile(0.5), *law.best_of(10)]
    differences = _differences(evidence)
    judged = elsewhere(differences) if differences else printed(list(_DRAW.values()), values)
    return Obtained(counts(list(_DRAW), values), judged, _made(evidence))


def _best(evidence: Evidence) -> Obtained:
    best = {name: float(_accuracies(evidence, name).max()) for name in ("validation", "test")}
    found = tuple(Reading(f"best mean {name} accuracy, %", value) for name, value in best.items())
    differences = _differences(evidence)
    judged = elsewhere(differences) if differences else which_best(best["validation"], best["test"])
    return Obtained(found, judged, _made(evidence))


def which_best(validation: float, test: float) -> Judged:
    """Whether the published best is that of the test accuracy, of which the text speaks."""
    if round(test, 2) == _BEST:
        return Judged(Verdict.AGREE, "equal")
    reason = f"the best mean test accuracy is {test:.2f}"
    if round(validation, 2) == _BEST:
        reason += f"; {_BEST} is the best mean validation accuracy"
    return Judged(Verdict.DISAGREE, reason)


ARTEFACTS = (
    Artefact(
        "reach-of-policies",
        FAMILY,
        "cells that the encodings of the policies can express, 7 vertices",
        f"{_CODE}, counted on its encodings; no publication states it",
        "; ".join(f"{who}: {n:,} labelled, {u:,} unique" for who, (n, u) in _REACH.items())
        + f"; of {_ALL:,} cells",
        "one parent for each vertex and leaves to the output; at most one parent, and the input "
        "and every vertex to the output; up to 9 edges, up to isomorphism",
        obtain=_reach,
    ),
    Artefact(
        "random-draw-nas-bench-101",
        FAMILY,
        "test accuracy of a cell drawn at random from all of NAS-Bench-101, and best of ten",
        "NAS-Bench-101 (Ying et al. 2019), its exact distribution; no publication states it",
        "; ".join(f"{name} {value}" for name, value in _DRAW.items()) + " (percent)",
        "exact law over the unique cells of the benchmark, mean of three trainings at 108 epochs",
        obtain=_draw,
    ),
    Artefact(
        "nas-bench-101-published-best",
        FAMILY,
        "the best of the space that found accuracies are held against",
        "Yu et al. 2020, NAS-Bench-101 with 7 vertices",
        f"{_BEST}, beside test accuracies",
        "greatest mean test accuracy, and greatest mean validation accuracy, at 108 epochs",
        obtain=_best,
    ),
)
