"""Facts of the table of trained cells; only the measured table can agree or disagree with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from raynas.artefacts import conditions, readings
from raynas.artefacts._base import Artefact, Judged, Obtained, Reading, Verdict
from raynas.artefacts.verdicts import elsewhere, exact

if TYPE_CHECKING:
    from raynas.artefacts.evidence import Evidence
    from search_spaces.benchmark import Benchmark
    from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
    from search_spaces.table import Table

FAMILY = "The table of trained cells"
_NAMES = ("1", "2", "3")
_UNIT = 9984

#: Least errors of a single training at 108 epochs, in units of 1 / 9984: test, validation.
_MINIMA = {"1": (544, 492), "2": (575, 515), "3": (533, 484)}
_GLOBAL = {
    "best mean test accuracy": 0.943175752957662,
    "best single test accuracy": 0.9466145634651184,
    "best mean validation accuracy": 0.9505542318026224,
    "best single validation accuracy": 0.9518229365348816,
}
_EXAMPLE = "28cfc7874f6d200472e1a9dcd8650aa0"
_EXAMPLE_VALUES = (0.9376001358, 0.9311898947)
#: Stored accuracies are float32, published ones are printed from them.
_ROUNDING = 1e-6
_TRUTH_TAU = 0.80
#: Cells that are enough for a tau with a standard error below 0.01.
_SAMPLED = 5_000


def _made(benchmark: Benchmark) -> str:
    return f"{benchmark.name} ({len(benchmark):,} cells); nothing is trained"


def _unlike(benchmark: Benchmark) -> list[str]:
    return conditions.of_table(benchmark.kind)


def _least(table: Table, quantity: str, rows: np.ndarray) -> float:
    look_up = table.test_error if quantity == "test" else table.validation_error
    return min(float(look_up(rows, 108, repeat).min()) for repeat in (0, 1, 2))


def _minima(evidence: Evidence) -> Obtained:
    from search_spaces.published import published_architectures

    found, wanted, readings = [], [], []
    for name in _NAMES:
        table = evidence.table(name)
        space: NASBench1Shot1Space = table.space  # type: ignore[assignment]
        listed = np.unique(space.rows(published_architectures(space, "without-loose-ends")))
        every = np.arange(space.num_unique)
        for quantity, published in zip(("test", "validation"), _MINIMA[name], strict=True):
            least = _least(table, quantity, listed)
            found.append(round(least * _UNIT))
            wanted.append(published)
            whole = _least(table, quantity, every)
            readings += [
                Reading(f"space {name}, {quantity}, released list", least),
                Reading(f"space {name}, {quantity}, all unique cells", whole),
            ]
    differences = _unlike(evidence.benchmark)
    judged = elsewhere(differences) if differences else exact(wanted, found)
    return Obtained(tuple(readings), judged, _made(evidence.benchmark))


def _whole_table(evidence: Evidence) -> Obtained:
    from search_spaces.benchmark import column_name

    benchmark = evidence.benchmark
    readings, same = [], []
    for name, published in _GLOBAL.items():
        _, kind, quantity, _ = name.split()
        values = np.stack(
            [benchmark.column(column_name(f"{quantity}_accuracy", 108, r))[0] for r in (0, 1, 2)]
        )
        values = values.astype(np.float64) / _UNIT
        best = float((values.mean(axis=0) if kind == "mean" else values).max())
        readings.append(Reading(name, best))
        same.append(abs(best - published) < _ROUNDING)
    differences = _unlike(benchmark)
    if len(benchmark) < 423_624:
        differences.append(f"{len(benchmark):,} of 423,624 cells")
    judged = elsewhere(differences) if differences else exact([1] * len(same), same)
    return Obtained(tuple(readings), judged, _made(benchmark))


def _example(evidence: Evidence) -> Obtained:
    from search_spaces.benchmark import column_name
    from search_spaces.space import as_keys

    benchmark = evidence.benchmark
    key = as_keys(np.frombuffer(bytes.fromhex(_EXAMPLE), np.uint8)[None])[0]
    keys = as_keys(benchmark.hashes)
    place = min(int(np.searchsorted(keys, key)), len(keys) - 1)
    if keys[place] != key:
        judged = Judged(
            Verdict.NOT_COMPARABLE,
            "the cell is in none of the spaces 1 to 3, and this benchmark has no other cells; "
            "`python -m search_spaces.fetch nasbench101` gets the table that has it",
        )
        return Obtained((), judged, _made(benchmark))
    pairs = [
        tuple(
            float(benchmark.column(column_name(f"{q}_accuracy", 108, r))[0][place]) / _UNIT
            for q in ("validation", "test")
        )
        for r in (0, 1, 2)
    ]
    readings = tuple(
        Reading(f"repeat {r}, {quantity}", value)
        for r, pair in enumerate(pairs)
        for quantity, value in zip(("validation", "test"), pair, strict=True)
    )
    known = any(np.allclose(pair, _EXAMPLE_VALUES, atol=_ROUNDING, rtol=0) for pair in pairs)
    differences = _unlike(benchmark)
    judged = elsewhere(differences) if differences else exact([1], [int(known)])
    return Obtained(readings, judged, _made(benchmark))


def _noise(evidence: Evidence) -> Obtained:
    from raynas.analysis.statistics import TwoWay

    found = []
    for name in _NAMES:
        table = evidence.table(name)
        rows = np.arange(table.space.num_unique)
        if len(rows) > _SAMPLED:
            rows = np.sort(np.random.default_rng(0).choice(rows, _SAMPLED, replace=False))
        repeats = np.stack([1 - table.test_error(rows, 108, r) for r in (0, 1, 2)], axis=1)
        draws = TwoWay(len(rows))
        for label, function in (
            ("one training against one other", draws.repeat_agreement),
            ("one training against the mean of the others", draws.one_against_others),
        ):
            found.append(readings.estimated(f"space {name}, {label}", function(repeats)))
    differences = [
        *_unlike(evidence.benchmark),
        "the spaces of NAS-Bench-1Shot1 instead of the source's own",
    ]
    judged = elsewhere(differences)
    return Obtained(tuple(found), judged, _made(evidence.benchmark))


ARTEFACTS = (
    Artefact(
        "least-errors",
        FAMILY,
        "the least test and validation error of each space, the zero of the published regrets",
        "Zela et al. 2020, released code (constants)",
        "test 0.054487, 0.057592, 0.053385 and validation 0.049279, 0.051583, 0.048478 in spaces "
        "1, 2, 3: minima over single trainings of the released list of cells",
        "minimum over the three repeats at 108 epochs of the same list, and of all unique cells",
        obtain=_minima,
    ),
    Artefact(
        "nas-bench-101-best",
        FAMILY,
        "the best cells of the whole of NAS-Bench-101",
        "google-research/nasbench, issue 10",
        "; ".join(f"{name} {value:.6f}" for name, value in _GLOBAL.items()),
        "maximum over the cells of the benchmark at 108 epochs",
        obtain=_whole_table,
    ),
    Artefact(
        "nas-bench-101-example",
        FAMILY,
        "what the example cell of NAS-Bench-101 scored",
        "google-research/nasbench, README",
        "one training of 108 epochs: validation 0.937600, test 0.931190",
        "the three repeats of that cell in the benchmark",
        obtain=_example,
    ),
    Artefact(
        "truth-against-truth",
        FAMILY,
        "how well one training ranks cells as another does: the ceiling of any predictor",
        "Zhang et al. 2020 (arXiv 2001.01431), as quoted by others",
        f"Kendall tau {_TRUTH_TAU:.2f} between trainings, in a space of its own",
        f"Kendall tau between the repeats at 108 epochs, test, {_SAMPLED:,} cells drawn at random "
        "where there are more",
        obtain=_noise,
    ),
)
