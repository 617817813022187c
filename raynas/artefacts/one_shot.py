"""What one-shot methods find, and how their own error relates to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from raynas.analysis.random_policy.ended import ended, planned_epochs
from raynas.artefacts import conditions, readings
from raynas.artefacts._base import Artefact, Judged, Obtained, Reading
from raynas.artefacts.verdicts import above, below, drawn_only, finding

if TYPE_CHECKING:
    from raynas.analysis.searches import SearchRun
    from raynas.artefacts.evidence import Evidence

FAMILY = "One-shot methods"
STUDY = "one-shot"
_SLIDES = "Zela et al. 2020, slides of 2019"

Groups = dict[tuple[str, str], list["SearchRun"]]


def _groups(evidence: Evidence) -> Groups:
    """The searches that came to their end, by space and method."""
    lost = _lost(evidence)
    found: Groups = {}
    for run in evidence.searches(STUDY):
        if (run.method, run.space, run.seed) not in lost:
            found.setdefault((run.space, run.method), []).append(run)
    return found


def _lost(evidence: Evidence) -> set[tuple[str, str, int]]:
    """Method, space and seed of the searches that failed before their end."""
    planned = planned_epochs(evidence.manifest(STUDY))
    runs = evidence.runs(STUDY)
    return {(run.method, run.space, run.seed) for run in runs if not ended(run, planned)}


def _final(runs: Sequence[SearchRun]) -> np.ndarray:
    return np.array([run.test_regret[-1] for run in runs])


def _obtained(evidence: Evidence, found: Sequence[Reading], judged: Judged) -> Obtained:
    made, lost = conditions.made_with(evidence.manifest(STUDY)), _lost(evidence)
    if lost:
        names = ", ".join(
            f"{method} on space {space}, seed {n}" for method, space, n in sorted(lost)
        )
        made += f"; {len(lost)} left out, failed before the last epoch: {names}"
    return Obtained(tuple(found), judged, made)


def _differences(evidence: Evidence) -> list[str]:
    return conditions.of_study(evidence.manifest(STUDY))


def _curves(evidence: Evidence) -> Obtained:
    found = []
    for (space, method), runs in _groups(evidence).items():
        place = f"space {space}, {method}"
        errors = np.array([run.one_shot_error[-1] for run in runs])
        found += [
            readings.mean(f"{place}, test regret", _final(runs), readings.POINTS),
            readings.mean(f"{place}, one-shot error", errors, readings.POINTS),
        ]
    return _obtained(evidence, found, drawn_only(_differences(evidence)))


def _against(evidence: Evidence, first: str, others: Sequence[str]) -> list[Reading]:
    """Final test regret of a method less that of others, in each space."""
    groups = _groups(evidence)
    return [
        readings.difference(
            f"space {space}, {first} less {other}",
            _final(groups[space, first]),
            _final(groups[space, other]),
        )
        for space in dict.fromkeys(space for space, _ in groups)
        for other in others
        if (space, first) in groups and (space, other) in groups
    ]


def _pc_darts(evidence: Evidence) -> Obtained:
    found = _against(evidence, "pc_darts", ("darts", "gdas"))
    return _obtained(
        evidence, found, finding([below(gap) for gap in found], _differences(evidence))
    )


def _random_ws(evidence: Evidence) -> Obtained:
    found = _against(evidence, "random_ws", ("darts", "gdas", "pc_darts"))
    return _obtained(
        evidence, found, finding([above(gap) for gap in found], _differences(evidence))
    )


def _local_optima(evidence: Evidence) -> Obtained:
    """How long the cell of the end has stood, as a share of the search."""
    found: list[Reading] = []
    for (space, method), runs in _groups(evidence).items():
        if method not in ("darts", "gdas", "pc_darts"):
            continue
        stood = np.array([_stood(run) for run in runs])
        found += [
            readings.mean(f"space {space}, {method}, share of the search", stood),
            readings.mean(f"space {space}, {method}, regret", _final(runs), readings.POINTS),
        ]
    reason = "the source says it in words and gives no measure of it"
    return _obtained(evidence, found, drawn_only(_differences(evidence), reason))


def _stood(run: SearchRun) -> float:
    """Share of the epochs during which the search had its last cell without a break."""
    last = [name == run.hashes[-1] for name in reversed(run.hashes)]
    return (last.index(False) if False in last else len(last)) / len(last)


ARTEFACTS = (
    Artefact(
        "one-shot-curves",
        FAMILY,
        "test regret and one-shot validation error over the epochs of the searches",
        "Zela et al. 2020, trajectories of DARTS, second-order DARTS, GDAS, PC-DARTS, ENAS and "
        "random search with weight sharing (12 seeds, 6 for some)",
        "curves only",
        "means after the last epoch; regret of the cell that the search has arrived at",
        (STUDY,),
        _curves,
        figures=((STUDY, "space-*-search-test-regret.png"),),
    ),
    Artefact(
        "local-optima",
        FAMILY,
        "whether DARTS and GDAS move on from a cell that is not good",
        _SLIDES,
        "DARTS and GDAS get stuck in local optima",
        "share of the epochs for which the search had held its final cell, and the regret of that "
        "cell; PC-DARTS for comparison",
        (STUDY,),
        _local_optima,
        figures=((STUDY, "space-*-search-entropy.png"),),
    ),
    Artefact(
        "pc-darts-against-darts",
        FAMILY,
        "final regret of PC-DARTS against DARTS and GDAS",
        _SLIDES,
        "PC-DARTS is stable and relatively good for its epochs",
        "difference of the mean final test regrets, BCa bootstrap over searches; both below zero "
        "in every space",
        (STUDY,),
        _pc_darts,
    ),
    Artefact(
        "random-search-with-weight-sharing",
        FAMILY,
        "final regret of random search with weight sharing against the gradient methods",
        _SLIDES,
        "random search with weight sharing explores mainly poor architectures",
        "difference of the mean final test regrets from DARTS, GDAS and PC-DARTS, BCa bootstrap "
        "over searches; all above zero in every space, by our definition of poor",
        (STUDY,),
        _random_ws,
    ),
)
