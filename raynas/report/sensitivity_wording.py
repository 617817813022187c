"""What can be concluded from a study of settings, in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from math import comb
from typing import Any

from raynas.analysis.statistics import LEVEL, Statement, power_statement, spearman
from raynas.artefacts import Verdict
from raynas.artefacts.regularisation import part_of
from raynas.artefacts.verdicts import finding
from raynas.studies import Claim

Row = dict[str, Any]
_ALPHA = 1 - LEVEL
# Of three or four even a perfect order is often chance.
_FEWEST_SETTINGS = 5


def findings(rows: list[Row]) -> str:
    """One method on one space: what its settings do, and how certain that is.

    Args:
        rows: of `SENSITIVITY_SCHEMA`, of one method and space.
    """
    known = [row for row in rows if row["test_regret"] is not None]
    default = next(row for row in rows if row["default"])
    if not known:
        return "No search came to its end."
    best = min(known, key=lambda row: float(row["test_regret"]))
    text = f"The lowest mean final test regret, {value(best, 'test_regret')}, is that of "
    if best["default"]:
        text += f"the default ({best['setting']})."
    else:
        text += (
            f"{best['setting']}; the default ({default['setting']}) has "
            f"{value(default, 'test_regret')}."
        )
    return " ".join([text, _certainty(rows), *_failed(rows), _one_shot(known)])


def _certainty(rows: list[Row]) -> str:
    tested = [row for row in rows if row["p_holm"] is not None]
    others = [row for row in rows if not row["default"]]
    if not tested:
        reasons = dict.fromkeys(row.get("difference_statement") for row in others)
        said = "; ".join(reason for reason in reasons if reason) or "nothing to compare"
        return f"Nothing can be said of the differences: {said}."
    least = min(row["p_holm"] for row in tested)
    sure = [row for row in tested if row["p_holm"] < _ALPHA]
    if sure:
        listed = "; ".join(f"{r['setting']}: {difference(r)} (p {p_value(r)})" for r in sure)
        text = f"Different from the default beyond chance: {listed}."
        rest = len(others) - len(sure)
        others_are = "The other is" if rest == 1 else f"The other {rest} are"
        return text + (f" {others_are} not told apart from it." if rest else "")
    these = "The other setting is" if len(others) == 1 else f"None of {len(others)} settings is"
    apart = "not told apart" if len(others) == 1 else "told apart"
    return (
        f"{these} {apart} from the default (smallest p by Holm's correction {least:.2f}), which "
        f"does not show that they do the same."
    )


def _failed(rows: list[Row]) -> list[str]:
    failed = [row for row in rows if row["failed"]]
    if not failed:
        return []
    listed = "; ".join(f"{r['setting']}: {r['failed']} of {r['runs']}" for r in failed)
    return [f"Searches that failed and are in no figure: {listed}."]


def _one_shot(known: list[Row]) -> str:
    found = spearman(
        [row["one_shot_error"] for row in known], [row["test_regret"] for row in known]
    )
    if isinstance(found, Statement) or len(known) < _FEWEST_SETTINGS:
        return "Too few settings to correlate one-shot error and regret."
    return (
        f"Over the {len(known)} settings one-shot error and regret have Spearman's correlation "
        f"{found:.2f}."
    )


def power(rows: list[Row]) -> str:
    """What so many searches can show at all."""
    ended = max(row["runs"] - row["failed"] for row in rows)
    settings = sum(not row["default"] for row in rows)
    said = power_statement(ended, ended)
    if settings < 2:
        return said
    least = settings * 2 / comb(2 * ended, ended)
    if least < _ALPHA:
        return f"{said} Holm's correction over {settings} settings asks for more."
    return (
        f"{said} After Holm's correction over {settings} settings a single one cannot fall below "
        f"p = {min(least, 1):.2g}; {_enough(settings)} searches each can."
    )


def _enough(settings: int) -> int:
    """The fewest searches each with which one of so many settings can be told apart."""
    return next(n for n in count(2) if settings * 2 / comb(2 * n, n) < _ALPHA)


def verdict(claim: Claim, row: Row | None, differences: Sequence[str]) -> str:
    """What the difference that a claim is about says of it, by the rules of a reproduction.

    Args:
        claim: of a source.
        row: of the setting that it is about; None if that was not run.
        differences: where the conditions of the study differ from the source's.
    """
    if row is None:
        return str(Verdict.NOT_RUN)
    return str(finding([part_of(claim.effect, row)], differences).verdict)


def value(row: Row, name: str, decimals: int = 3) -> str:
    """A figure of a row in percentage points, with its interval if there is one."""
    found = [row[f"{name}{end}"] for end in ("", "_low", "_high")]
    shown = ["–" if number is None else f"{100 * number:.{decimals}f}" for number in found]
    return shown[0] if found[1] is None else f"{shown[0]} [{shown[1]}, {shown[2]}]"


def difference(row: Row) -> str:
    """The difference from the default in percentage points, signed."""
    if row["difference"] is None:
        return "–"
    shown = f"{100 * row['difference']:+.3f}"
    if row["difference_low"] is None:
        return shown
    low, high = (100 * row[f"difference_{end}"] for end in ("low", "high"))
    return f"{shown} [{low:+.3f}, {high:+.3f}]"


def p_value(row: Row) -> str:
    """The adjusted p-value."""
    found = row["p_holm"]
    if found is None:
        return "–"
    return "< 0.001" if found < 0.001 else f"{found:.3f}"
