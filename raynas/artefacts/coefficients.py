"""The rows of an evaluated rank correlation, and the readings that they give."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from raynas.analysis.rank_correlation.wording import guessing, labelling_tau
from raynas.artefacts._base import Reading
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from raynas.artefacts.evidence import Evidence

STUDY = "correlation"
_FILE = "correlation_coefficients.parquet"
_LATE = "correlation_late.parquet"

Row = dict[str, Any]


def rows_of(evidence: Evidence, **wanted: object) -> list[Row]:
    """The rows with these values, against test accuracy at 108 epochs."""
    wanted = {"quantity": "test", "budget": 108, **wanted}
    rows = evidence.rows(STUDY, _FILE)
    if rows and not {"seeds_used", "cells_with_several", "guessing_bar", "parameters"} <= set(
        rows[0]
    ):
        raise _earlier(evidence, "is of an earlier version")
    return [row for row in rows if all(row[k] == v for k, v in wanted.items())]


def _earlier(evidence: Evidence, why: str) -> UserError:
    folder = evidence.folder(STUDY)
    # The study may have been moved since.
    study = evidence.folders.get("one-shot") or evidence.manifest(STUDY)["arguments"]["study"]
    anew = shlex.join([str(study), "--out", str(folder), "--resume"])
    return UserError(
        f"{folder / _FILE} {why}; `python -m raynas.correlation {anew}` writes it anew"
    )


def last_checkpoints(rows: list[Row]) -> list[Row]:
    """Of each method and space the last checkpoint."""
    last: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["method"], row["space"])
        last[key] = max(row["epoch"], last.get(key, 0))
    return [row for row in rows if row["epoch"] == last[row["method"], row["space"]]]


def reading_of(row: Row, label: str = "") -> Reading:
    """The value of a row with its interval, and what is to be known of it."""
    place = f"space {row['space']}, {row['method']}, {row['rule']} rule"
    notes = [row["statement"] or ""]
    if row["by_chance"]:
        notes.append(f"one-shot accuracy {100 * row['mean_accuracy']:.1f} %, {guessing(row)}")
    if row["ceiling"] is not None:
        notes.append(f"ceiling {row['ceiling']:.2f}")
    if row["parameters"] is not None:
        notes.append(f"counting parameters reaches {row['parameters']:.2f}")
    if row["labelling_tau"] is not None:
        agree = labelling_tau(row)
        cells = row["cells_with_several"]
        notes.append(f"two architectures of a cell agree with tau {agree} ({cells} cells)")
    note = "; ".join(part for part in notes if part)
    used = row["seeds_used"]
    return Reading(label or place, row["value"], row["low"], row["high"], used, note=note)


def late_readings(evidence: Evidence, measure: str, rule: str) -> list[Reading]:
    """Averages over the last three checkpoints, where so many were scored, of one rule."""
    if not (evidence.folder(STUDY) / _LATE).exists():
        raise _earlier(evidence, f"has no {_LATE} beside it")
    rows = evidence.rows(STUDY, _LATE)
    kept = one_kind([row for row in rows if (row["measure"], row["rule"]) == (measure, rule)])
    found = []
    for row in kept:
        epochs = ", ".join(map(str, row["epochs"]))
        label = f"space {row['space']}, {row['method']}, average of epochs {epochs}"
        value = (row["value"], row["low"], row["high"], row["seeds_used"])
        found.append(Reading(label, *value, note=row["statement"] or ""))
    return found


def one_kind(rows: list[Row]) -> list[Row]:
    """Those with the first of several kinds of statistics."""
    return [row for row in rows if row["statistics"] == rows[0]["statistics"]]
