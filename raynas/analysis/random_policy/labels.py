"""What methods of several sources are called, and which of them are the same without sharing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from raynas.analysis.random_policy.finals import Finals

#: Ending of the label of a method that is there with weight sharing too.
WITHOUT = " without sharing"
#: With weight sharing -> the same policy without it. Methods of one name in both ways need none.
COUNTERPARTS = {"random_ws": "rs", "enas": "reinforce"}


def distinct(found: Iterable[Finals]) -> list[Finals]:
    """Rename methods that several sources have, so that their runs are not mixed.

    Of a method that is there with weight sharing, runs known to be without it are named so; any
    others of one name are told apart by their source.
    """
    given = list(found)
    shared = {(one.method, one.space) for one in given if one.weight_sharing}
    taken: set[tuple[str, str]] = set()
    result = []
    for finals in given:
        without = finals.weight_sharing is False and (finals.method, finals.space) in shared
        base = label = f"{finals.method}{WITHOUT}" if without else finals.method
        number = 1
        while (label, finals.space) in taken:
            suffix = f" ({number})" if number > 1 else ""
            label = f"{base} · {finals.source}{suffix}"
            number += 1
        taken.add((label, finals.space))
        result.append(replace(finals, method=label))
    return result


def counterpart(finals: Finals, others: Sequence[Finals]) -> Finals | None:
    """The same method without weight sharing, of a method with it; of the same source if it can."""
    if not finals.weight_sharing:
        return None
    base = finals.method.partition(" · ")[0]
    twin = COUNTERPARTS.get(base, base)
    names = {f"{name}{end}" for name in (base, twin) for end in ("", WITHOUT)}
    for other in sorted(others, key=lambda one: one.source != finals.source):
        name, _, elsewhere = other.method.partition(" · ")
        alike = name in names and other.space == finals.space
        near = not elsewhere or other.source == finals.source
        if alike and near and other.weight_sharing is False and not other.oracle:
            return other
    return None
