"""Whether a search is better than drawing a cell at random."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from raynas.analysis.random_policy.against import MARGIN
from raynas.analysis.random_policy.population import UNIQUE
from raynas.artefacts import conditions
from raynas.artefacts._base import Artefact, Obtained, Reading
from raynas.artefacts.readings import POINTS
from raynas.artefacts.verdicts import below, elsewhere, finding, similar

if TYPE_CHECKING:
    from raynas.artefacts.evidence import Evidence

FAMILY = "Against the random policy"
STUDY = "random-policy"
_FILE = "random_policy.parquet"
_STUDIES = ("black-box", "one-shot", STUDY)
_DARTS = 0.24


def _rows(evidence: Evidence) -> list[dict[str, Any]]:
    """The one-shot methods against draws from the unique cells."""
    rows = evidence.rows(STUDY, _FILE)
    return [row for row in rows if row["reference"] == UNIQUE and row["weight_sharing"]]


def _differences(evidence: Evidence) -> list[str]:
    found = conditions.of_study(evidence.manifest("one-shot"))
    return ["spaces of NAS-Bench-1Shot1 instead of all of NAS-Bench-101", *found]


def _made(evidence: Evidence) -> str:
    """Both studies that the comparison with random draws is of."""
    inputs = [name for name in _STUDIES if name != STUDY and name in evidence.folders]
    return "; ".join(
        f"study {name}: {conditions.made_with(evidence.manifest(name))}" for name in inputs
    )


def _similar(evidence: Evidence) -> Obtained:
    found = tuple(
        Reading(
            f"space {row['space']}, {row['method']} less a random cell",
            row["difference"],
            row["difference_low"],
            row["difference_high"],
            row["runs_with_cell"],
            POINTS,
            p=row["p_mean"],
            p_margin=row["p_equivalence"] if row["margin"] == MARGIN else None,
        )
        for row in _rows(evidence)
    )
    judged = finding([similar(one, MARGIN) for one in found], _differences(evidence))
    return Obtained(found, judged, _made(evidence))


def _better(evidence: Evidence) -> Obtained:
    found = _similar(evidence)
    claims = [below(replace(reading, p_margin=None)) for reading in found.readings]
    judged = finding(claims, _differences(evidence))
    return Obtained(tuple(claim.reading for claim in claims), judged, found.made_with)


def _surpass(evidence: Evidence) -> Obtained:
    found = tuple(
        Reading(
            f"space {row['space']}, {row['method']}",
            row["published_probability"],
            runs=row["runs_with_cell"],
            note="uniform on 0 to 1 if the method is random",
        )
        for row in _rows(evidence)
        if row["method"] in ("darts", "darts2")
    )
    judged = elsewhere(_differences(evidence))
    return Obtained(found, judged, _made(evidence))


ARTEFACTS = (
    Artefact(
        "similar-to-random",
        FAMILY,
        "final cells of searches with weight sharing against cells drawn at random",
        "Yu et al. 2020 (third version of Sciuto et al.), main claim",
        "the policies perform similarly to random",
        "mean final test accuracy less that of a uniform draw from the unique cells, bootstrap "
        "over searches; similar means within 0.2 percentage points, set beforehand, by two "
        "one-sided t-tests; the source's space and policies are others, so it can agree in "
        "direction at most",
        _STUDIES,
        _similar,
        figures=((STUDY, "random-policy-*-draws.png"),),
    ),
    Artefact(
        "random-better-on-average",
        FAMILY,
        "the same cells: is a random cell better on average?",
        "Sciuto et al. 2019 (first version of Yu et al.), recurrent cells",
        "random outperforms the policies on average",
        "mean final test accuracy less that of a uniform draw from the unique cells, bootstrap "
        "over searches, p of simulated draws; all below zero; the source's space and policies are "
        "others, so it can agree in direction at most",
        _STUDIES,
        _better,
    ),
    Artefact(
        "surpass-random-darts",
        FAMILY,
        "probability of DARTS to surpass a random policy on NAS-Bench-101",
        "Yu et al. 2020, NAS-Bench-101 with 7 vertices, 10 runs",
        f"{_DARTS:.2f}, by (r / r_max)^n with r the rank of the best run counted from the worst",
        "the same formula on the final cells of DARTS in spaces 1 to 3; the source's space is "
        "another, and the value of a random policy is uniform on 0 to 1, so it is only shown",
        _STUDIES,
        _surpass,
        figures=((STUDY, "random-policy-*-best-of.png"),),
    ),
)
