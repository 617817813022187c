"""Whether shared weights rank cells as training alone does."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from raynas.analysis.rank_correlation.wording import grouped, guessing
from raynas.artefacts import conditions, readings
from raynas.artefacts._base import Artefact, Judged, Obtained, Reading
from raynas.artefacts.coefficients import (
    STUDY,
    Row,
    last_checkpoints,
    late_readings,
    one_kind,
    reading_of,
    rows_of,
)
from raynas.artefacts.verdicts import Claim, above, elsewhere, finding

if TYPE_CHECKING:
    from raynas.artefacts.evidence import Evidence

FAMILY = "Rank correlation"
SEARCHES = "one-shot"

#: Spearman of several methods on space 3, quoted in a later paper as "no correlation".
_LOW, _HIGH = -0.25, 0.3
_TAU_BY_SIZE = {4: 0.441, 5: 0.314, 6: 0.214, 7: 0.195}
_TEST_IMAGES = "images of the validation half instead of the test set"


def _judged(rows: list[Row], claims: list[Claim], differences: list[str]) -> Judged:
    """By the claims, unless there are weights that are not shown to have learnt anything."""
    if not rows:
        return elsewhere(["nothing was evaluated by the corrected rule", *differences])
    idle = [row for row in rows if row["by_chance"]]
    if idle:
        return elsewhere([_unlearnt(idle), *differences])
    return finding(claims, differences)


def _unlearnt(rows: list[Row]) -> str:
    """Which weights are not shown to be better than guessing, with their epochs."""
    named = []
    for (method,), of in grouped(rows, ("method",)).items():
        epochs = sorted({row["epoch"] for row in of})
        shown = ", ".join(map(str, epochs))
        named.append(f"{method} at epoch{'s' * (len(epochs) > 1)} {shown}")
    return (
        f"by the {rows[0]['rule']} rule the weights of {'; '.join(named)} are {guessing(rows[0])}"
    )


def _of(evidence: Evidence) -> list[str]:
    return [*conditions.of_study(evidence.manifest(SEARCHES)), _TEST_IMAGES]


def _made(evidence: Evidence) -> str:
    given = evidence.manifest(STUDY)["arguments"]
    cells = "all cells" if given["cells"] is None else f"{given['cells']:,} cells per space"
    return f"{conditions.made_with(evidence.manifest(SEARCHES))}; {cells} evaluated"


def _obtained(evidence: Evidence, found: list[Reading], judged: Judged) -> Obtained:
    return Obtained(tuple(found), judged, _made(evidence))


def _spearman(evidence: Evidence) -> Obtained:
    rows = last_checkpoints(_main(evidence))
    found = [reading_of(row) for row in rows]
    corrected = [row for row in rows if row["rule"] == "corrected"]
    claims = [Claim(reading_of(row), _LOW, _HIGH) for row in corrected]
    return _obtained(evidence, found, _judged(corrected, claims, _of(evidence)))


def _main(evidence: Evidence) -> list[Row]:
    """Spearman of all cells; of the corrected rule with the first kind of statistics."""
    rows = rows_of(evidence, measure="spearman", subset="all")
    corrected = one_kind([row for row in rows if row["rule"] == "corrected"])
    return corrected + [row for row in rows if row["rule"] != "corrected"]


def _best(evidence: Evidence) -> Obtained:
    rows = rows_of(evidence, measure="spearman", subset="best 10 % by one-shot accuracy")
    found = [reading_of(row) for row in last_checkpoints(rows)]
    reason = ["the best 10 % instead of the 1000 best", *_of(evidence)]
    return _obtained(evidence, found, elsewhere(reason))


def _over_epochs(evidence: Evidence) -> Obtained:
    rows = [row for row in _main(evidence) if row["rule"] == "corrected"]
    each = [
        reading_of(row, f"space {row['space']}, {row['method']}, epoch {row['epoch']}")
        for row in rows
    ]
    found = [*each, *late_readings(evidence, "spearman", "corrected")]
    if len({row["epoch"] for row in rows}) < 2:
        return _obtained(evidence, found, elsewhere(["one checkpoint of a search", *_of(evidence)]))
    claims = [Claim(one, _LOW, _HIGH) for one in each]
    return _obtained(evidence, found, _judged(rows, claims, _of(evidence)))


def _over_budgets(evidence: Evidence) -> Obtained:
    found: list[Reading] = []
    read: list[Row] = []
    for budget in (4, 12, 36, 108):
        rows = rows_of(evidence, measure="spearman", subset="all", budget=budget, rule="corrected")
        rows = last_checkpoints(one_kind(rows))
        read += rows
        found += [
            reading_of(row, f"space {row['space']}, {row['method']}, {budget} epochs")
            for row in rows
        ]
    claims = [Claim(one, _LOW, _HIGH) for one in found]
    return _obtained(evidence, found, _judged(read, claims, _of(evidence)))


def _by_size(evidence: Evidence) -> Obtained:
    rows = rows_of(evidence, measure="kendall", method="random_ws", rule="corrected")
    rows = last_checkpoints(one_kind(rows))
    found: list[Reading] = []
    claims: list[Claim] = []
    for space in dict.fromkeys(row["space"] for row in rows):
        by_size = {
            size: reading_of(row, f"space {space}, {size} vertices, tau")
            for size in _TAU_BY_SIZE
            for row in rows
            if (row["space"], row["subset"]) == (space, f"{size} vertices")
        }
        found += by_size.values()
        for smaller, larger in pairwise(by_size):
            label = f"space {space}, {smaller} less {larger} vertices"
            gap = readings.apart(label, by_size[smaller], by_size[larger])
            found.append(gap)
            claims.append(above(gap))
    supernet = "cells and supernet of NAS-Bench-1Shot1, sizes apart instead of up to a size"
    return _obtained(evidence, found, _judged(rows, claims, [supernet, *_of(evidence)]))


_STUDIES = (SEARCHES, STUDY)
_SOURCE = "Zela et al. 2020, Figure 3 and released correlation script"
_NONE = "no correlation for any method or space; a later paper quotes Spearman between -0.25 and "

ARTEFACTS = (
    Artefact(
        "rank-correlation",
        FAMILY,
        "Spearman correlation of one-shot accuracy with accuracy after training alone",
        f"{_SOURCE}; range quoted by a later paper of the aw_nas authors",
        f"{_NONE}0.3 on space 3",
        "over the evaluated cells, last checkpoint, test accuracy at 108 epochs, with the "
        "corrected and the published evaluation rule; intervals over cells and, from 3 seeds on, "
        "seeds; judged is whether every interval of the corrected rule lies in the quoted range, "
        "which is more than zero",
        _STUDIES,
        _spearman,
        figures=((STUDY, "correlation-space-*-scatter-*.png"),),
    ),
    Artefact(
        "rank-correlation-over-epochs",
        FAMILY,
        "the same at checkpoints along the search",
        f"{_SOURCE}: epochs 5, 15, 25, 35 and 45 of 50",
        f"{_NONE}0.3 on space 3",
        "as above for every evaluated checkpoint, corrected rule; beside them the average over "
        "the last three of each seed",
        _STUDIES,
        _over_epochs,
        figures=((STUDY, "correlation-space-*-epochs.png"),),
    ),
    Artefact(
        "rank-correlation-over-budgets",
        FAMILY,
        "the same with accuracies after 4, 12, 36 and 108 epochs of training alone",
        _SOURCE,
        f"{_NONE}0.3 on space 3",
        "as above for every budget of the truth, corrected rule, last checkpoint",
        _STUDIES,
        _over_budgets,
        figures=((STUDY, "correlation-space-*-budgets.png"),),
    ),
    Artefact(
        "rank-correlation-among-the-best",
        FAMILY,
        "the same among the 1000 cells with the least one-shot error",
        _SOURCE,
        "no correlation",
        "Spearman among the 10 % of the evaluated cells with the best one-shot accuracy",
        _STUDIES,
        _best,
    ),
    Artefact(
        "tau-by-cell-size",
        FAMILY,
        "Kendall's tau of weight sharing by the size of the cells",
        "Yu et al. 2020, as quoted by others (sizes assigned by them)",
        "; ".join(f"{tau:.3f} with {n} vertices" for n, tau in _TAU_BY_SIZE.items())
        + ": it falls with the size",
        "tau of random search with weight sharing among cells of each size; a fall is shown if "
        "the intervals of neighbouring sizes do not overlap",
        _STUDIES,
        _by_size,
        figures=((STUDY, "correlation-space-*-vertices.png"),),
    ),
)
