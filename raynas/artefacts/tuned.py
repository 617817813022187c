"""What tuning the hyperparameters of one-shot methods gains."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from raynas.artefacts import conditions, readings
from raynas.artefacts._base import Artefact, Judged, Obtained, Reading, Verdict
from raynas.artefacts.verdicts import Claim, above, below, drawn_only, finding
from raynas.tuned import tuned_label

if TYPE_CHECKING:
    import numpy as np

    from raynas.artefacts.evidence import Evidence

FAMILY = "Tuned one-shot methods"
_SLIDES = "Zela et al. 2020, slides of 2019 (values of Figure 5)"
_BELOW = "comparison"
_METHODS = ("darts", "gdas", "pc_darts")
_LEAST_FACTOR, _GREATEST_FACTOR = 7.0, 10.0


def study_of(method: str) -> str:
    """Name of the sweep of a method."""
    return f"tuning-{method.replace('_', '-')}"


def _finals(evidence: Evidence, method: str) -> dict[str, np.ndarray]:
    """Final test regrets of the comparison after a sweep, by label."""
    from raynas.analysis import anytime

    groups: dict[str, list[object]] = {}
    runs = evidence.runs(study_of(method), _BELOW)
    for run in runs:
        groups.setdefault(run.method, []).append(run)
    return {
        label: anytime.final([r for r in runs if r.method == label], "test_regret")
        for label in groups
    }


def _factor(method: str) -> Callable[[Evidence], Obtained]:
    def obtain(evidence: Evidence) -> Obtained:
        finals, manifest = _finals(evidence, method), evidence.manifest(study_of(method), _BELOW)
        tuned = tuned_label(method)
        both = [readings.mean(label, finals[label], readings.POINTS) for label in (method, tuned)]
        if _equal_settings(manifest, method, tuned):
            reason = "the sweep chose the default settings: there is nothing to compare"
            judged = Judged(Verdict.NOT_COMPARABLE, reason)
            return Obtained((both[0],), judged, conditions.made_with(manifest))
        gain = readings.ratio(f"{method}, default over tuned", finals[method], finals[tuned])
        differences = [*conditions.of_study(manifest), *_shorter(manifest)]
        judged = finding([Claim(gain, _LEAST_FACTOR, _GREATEST_FACTOR, 1.0)])
        if differences:
            judged = finding([above(gain, 1.0)], differences)
        return Obtained((gain, *both), judged, conditions.made_with(manifest))

    return obtain


def _equal_settings(manifest: dict[str, Any], *labels: str) -> bool:
    """Whether the searches of some labels are the same searches."""
    settings = manifest.get("search", {}).get("settings", {})
    first, *others = (settings.get(label) for label in labels)
    return first is not None and all(other == first for other in others)


def _shorter(manifest: dict[str, object]) -> list[str]:
    """A sweep of fewer evaluations than the published one."""
    arguments = manifest["arguments"]
    assert isinstance(arguments, dict)
    evaluations = arguments["evaluations"]
    return [f"{evaluations} evaluations instead of 280"] if evaluations < 280 else []


def _against_black_box(evidence: Evidence) -> Obtained:
    found: list[Reading] = []
    differences: dict[str, None] = {}
    made = []
    for method in _METHODS:
        if study_of(method) not in evidence.folders:
            continue
        finals, manifest = _finals(evidence, method), evidence.manifest(study_of(method), _BELOW)
        tuned = tuned_label(method)
        others = [label for label in finals if label not in (method, tuned)]
        found += [
            readings.difference(f"{tuned} less {other}", finals[tuned], finals[other])
            for other in others
        ]
        differences |= dict.fromkeys([*conditions.of_study(manifest), *_shorter(manifest)])
        made.append(f"{method}: {conditions.made_with(manifest)}")
    if not made:
        evidence.folder(study_of(_METHODS[0]))
    judged = finding([below(gap) for gap in found], list(differences))
    return Obtained(tuple(found), judged, "; ".join(made))


def _importance(evidence: Evidence) -> Obtained:
    manifest = evidence.manifest(study_of("darts"))
    judged: Judged = drawn_only(conditions.of_study(manifest))
    assert judged.verdict is Verdict.NOT_COMPARABLE
    return Obtained((), judged, conditions.made_with(manifest))


ARTEFACTS = (
    *(
        Artefact(
            f"tuned-{method.replace('_', '-')}",
            FAMILY,
            f"{method} with default and with tuned hyperparameters",
            _SLIDES,
            "tuned one-shot methods are better than their defaults by a factor of 7 to 10",
            "mean final test regret of the defaults divided by that of the tuned settings, with "
            "new seeds, percentile bootstrap; under other conditions a factor above 1 is the "
            "direction",
            (study_of(method),),
            _factor(method),
            figures=((study_of(method), "sweep-incumbent-*.png"),),
        )
        for method in _METHODS
    ),
    Artefact(
        "tuned-against-black-box",
        FAMILY,
        "tuned one-shot methods against black-box optimizers with as many evaluations",
        _SLIDES,
        "with the same number of function evaluations tuned one-shot methods are better than "
        "black-box optimizers",
        "difference of the mean final test regrets of the comparison after the sweeps, BCa "
        "bootstrap over runs; every one below zero",
        tuple(study_of(method) for method in _METHODS),
        _against_black_box,
    ),
    Artefact(
        "hyperparameter-importance",
        FAMILY,
        "importance of the tuned hyperparameters (fANOVA)",
        "Zela et al. 2020, unfinished branch of the released code",
        "a figure without numbers",
        "the figure of the sweep's own page",
        (study_of("darts"),),
        _importance,
        figures=((study_of("darts"), "sweep-importance.png"),),
    ),
)
