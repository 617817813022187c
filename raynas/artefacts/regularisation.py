"""What regularisation, learning rate and the length of a search do to one-shot methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from raynas import studies
from raynas.analysis.sensitivity import MARGIN
from raynas.artefacts import conditions
from raynas.artefacts._base import Artefact, Obtained, Reading
from raynas.artefacts.readings import POINTS
from raynas.artefacts.verdicts import (
    Claim,
    above,
    below,
    drawn_only,
    finding,
    not_lower,
    similar,
)

if TYPE_CHECKING:
    from raynas.artefacts.evidence import Evidence
    from raynas.studies import Effect

FAMILY = "Regularisation and length of a search"
_FILE = "sensitivity.parquet"

Row = dict[str, Any]


def part_of(effect: Effect, row: Row) -> Claim:
    """What a source says of the effect of a setting on the final test regret.

    Args:
        effect: that it claims.
        row: of `SENSITIVITY_SCHEMA`, of that setting.
    """
    reading = _against_default(row)
    if effect == "higher":
        return above(reading)
    if effect == "lower":
        return below(reading)
    if effect == "none":
        return similar(replace(reading, p_margin=row.get("p_similar")), MARGIN)
    return not_lower(replace(reading, p_margin=row.get("p_not_lower")), MARGIN)


def _against_default(row: Row) -> Reading:
    """Final test regret with a setting less that with the default."""
    return Reading(
        f"space {row['space']}, {row['method']}, {row['setting']} less the default",
        row["difference"],
        row["difference_low"],
        row["difference_high"],
        row["runs"] - row["failed"],
        POINTS,
        row.get("difference_statement") or "",
        row["p"],
    )


def _rows(
    evidence: Evidence, study: str, setting: str, methods: tuple[str, ...] | None = None
) -> list[Row]:
    """What was found for a setting of a study."""
    return [
        row
        for row in evidence.rows(study, _FILE)
        if row["published"] == setting and (methods is None or row["method"] in methods)
    ]


def _judged(study: str, *settings: str) -> Callable[[Evidence], Obtained]:
    """Judges what the sources say of these settings of a study."""

    def obtain(evidence: Evidence) -> Obtained:
        claims = [
            part_of(claim.effect, row)
            for claim in studies.STUDIES[study].claims
            if claim.setting in settings
            for row in _rows(evidence, study, claim.setting, claim.methods)
        ]
        manifest = evidence.manifest(study)
        found = tuple(claim.reading for claim in claims)
        judged = finding(claims, conditions.of_study(manifest))
        return Obtained(found, judged, conditions.made_with(manifest))

    return obtain


def _warm_start(evidence: Evidence) -> Obtained:
    study = "warm-start"
    manifest = evidence.manifest(study)
    found = [
        _against_default(row)
        for setting in studies.STUDIES[study].settings
        if not setting.default
        for row in _rows(evidence, study, setting.name)
    ]
    judged = drawn_only(conditions.of_study(manifest))
    return Obtained(tuple(found), judged, conditions.made_with(manifest))


def _said(study: str, *settings: str) -> str:
    claims = [c for c in studies.STUDIES[study].claims if c.setting in settings]
    texts = [claim.text for claim in claims]
    # Not the names of methods that begin a sentence.
    return "; ".join(t[0].lower() + t[1:] if t[1:2].islower() else t for t in texts)


_SOURCE = "Zela et al. 2020, slides of 2019"
_COMPUTED = (
    "final test regret with the setting less that with the default, of each method and space, BCa "
    "bootstrap over searches"
)
_DECAY = "weight_decay=0.0081, cutout=off"
_CUTOUT = "weight_decay=0.0003, cutout=on"
_RATE = "learning_rate=0.25"
_LENGTH = "epochs=100"

ARTEFACTS = (
    Artefact(
        "weight-decay",
        FAMILY,
        "weight decay of 1e-4, 3e-4, 9e-4, 27e-4 and 81e-4 in one-shot searches",
        _SOURCE,
        _said("regularisation", _DECAY),
        f"{_COMPUTED}; the largest decay against 3e-4",
        ("regularisation",),
        _judged("regularisation", _DECAY),
        figures=(("regularisation", "*.png"),),
    ),
    Artefact(
        "cutout",
        FAMILY,
        "cutout in one-shot searches, off and on",
        _SOURCE,
        _said("regularisation", _CUTOUT),
        f"{_COMPUTED}; little effect and no gain are judged by one-sided Welch tests with a margin "
        "of 0.2 percentage points",
        ("regularisation",),
        _judged("regularisation", _CUTOUT),
    ),
    Artefact(
        "learning-rate",
        FAMILY,
        "learning rates 0.0025, 0.025 and 0.25 of the shared weights",
        _SOURCE,
        _said("learning-rate", _RATE),
        f"{_COMPUTED}; 0.25 against 0.025",
        ("learning-rate",),
        _judged("learning-rate", _RATE),
        figures=(("learning-rate", "*.png"),),
    ),
    Artefact(
        "longer-search",
        FAMILY,
        "searches of 25, 50 and 100 epochs",
        _SOURCE,
        _said("epochs", _LENGTH),
        f"{_COMPUTED}; 100 epochs against 50, or the same proportion of shorter searches",
        ("epochs",),
        _judged("epochs", _LENGTH),
        figures=(("epochs", "*.png"),),
    ),
    Artefact(
        "warm-start",
        FAMILY,
        "20 epochs of training the shared weights alone before the architecture is searched",
        "Zela et al. 2020, warm-start scripts (6 seeds)",
        "curves only",
        f"{_COMPUTED}; 20 of 50 epochs, or the same proportion, against none",
        ("warm-start",),
        _warm_start,
        figures=(("warm-start", "*.png"),),
    ),
)
