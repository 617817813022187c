"""The figures, tables and claims of the sources, and what raynas obtains for each."""

from __future__ import annotations

from collections.abc import Sequence

from raynas.artefacts import (
    benchmark_table,
    black_box,
    correlation,
    nas_bench_101,
    one_shot,
    one_shot_model,
    random_policy,
    regularisation,
    spaces,
    tuned,
    unavailable,
)
from raynas.artefacts._base import Artefact, Judged, Obtained, Reading, Verdict
from raynas.artefacts.evidence import Evidence, MissingStudyError
from search_spaces.errors import unknown_name

_FAMILIES = (
    spaces,
    one_shot_model,
    benchmark_table,
    nas_bench_101,
    black_box,
    one_shot,
    correlation,
    regularisation,
    tuned,
    random_policy,
    unavailable,
)

#: By name, in the order in which they are listed.
ARTEFACTS: dict[str, Artefact] = {
    artefact.name: artefact for family in _FAMILIES for artefact in family.ARTEFACTS
}
ALL = "all"


def find_artefacts(names: Sequence[str]) -> list[Artefact]:
    """The artefacts of these names; "all" is every one.

    Raises:
        UserError: there is no such artefact.
    """
    if ALL in names:
        return list(ARTEFACTS.values())
    for name in names:
        if name not in ARTEFACTS:
            raise unknown_name("artefact", name, [ALL, *ARTEFACTS])
    return [ARTEFACTS[name] for name in dict.fromkeys(names)]


__all__ = [
    "ALL",
    "ARTEFACTS",
    "Artefact",
    "Evidence",
    "Judged",
    "MissingStudyError",
    "Obtained",
    "Reading",
    "Verdict",
    "find_artefacts",
]
