"""From predictions to the shipped file: draws, noise model, fidelity, metadata."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.benchmark import ACCURACY_UNIT
from search_spaces.surrogate.donors import (
    LevelModel,
    draw_failure_chances,
    expected_accuracy,
    level_model,
)
from search_spaces.surrogate.expansion import pseudo_repeats
from search_spaces.surrogate.features import network_costs
from search_spaces.surrogate.fidelity import (
    measure_fidelity,
    pseudo_curves,
    real_curves,
    worst_deviation,
)
from search_spaces.surrogate.fitting import Predictions, Report
from search_spaces.surrogate.graphs import Graphs
from search_spaces.surrogate.keys import checksum, hash_words, positions, spaces
from search_spaces.surrogate.measurements import Measurements
from search_spaces.surrogate.noise import fit_noise
from search_spaces.surrogate.settings import FitSettings
from search_spaces.surrogate.shipped import GENERATOR, Shipped
from search_spaces.surrogate.targets import SMOOTH_COUNTS_FAILURES, levels

Floats = npt.NDArray[np.float64]

PROVENANCE = {
    "fitted_to": "NAS-Bench-101 (Ying, Klein, Christiansen, Real, Murphy and Hutter, ICML 2019)",
    "licence_of_the_data": "Apache-2.0 (google-research/nasbench)",
    "carried_by": [
        "mean test accuracy at 108 epochs: cached metrics of FreeREA (Cavagnero et al., WACV "
        "2023; MIT)",
        "runs of the cells whose vertices lie on one chain: analysis data of NAS-Bench-1Shot1 "
        "(Zela, Siems and Hutter, ICLR 2020)",
        "single validation accuracies and training times: data tables of nasbench-vis "
        "(github.com/tiga1231/nasbench-vis)",
    ],
    "notice": "A surrogate: predictions and simulated repeats. No figure is a NAS-Bench-101 "
    "measurement, and none may be quoted as one.",
}

METHOD = {
    "smooth": "Every cell is predicted by models that never saw it: folds by module hash, a graph "
    "network of two sweeps with heads for validation and test accuracy and the chance of "
    "failure at each budget. At 4 and 12 epochs the mean of all runs, at 36 and 108 the "
    "accuracy of a run that does not fail.",
    "training_seconds": "Gradient-boosted trees on features of the graph, 108 epochs, out of "
    "fold. Shorter budgets in proportion to the epochs, all repeats equal (assumptions: "
    "times of repeats and of shorter budgets were not known).",
    "pseudo_repeats": "Prediction, plus the residual vector of one other cell with similar "
    "predictions (drawn by the module hash; all budgets, validation and test together), plus "
    "repeat noise from quantile tables, and failed runs by a chance drawn from a "
    "Beta distribution around the predicted one.",
    "features": "computed from the graph alone",
}


def assemble(
    measured: Measurements, predicted: Predictions, settings: FitSettings, report: Report
) -> Shipped:
    """The content of the file.

    The draw of residuals is, for each space, the one under which random search and regularized
    evolution deviate least from their regret on the real means; the metadata tell of how many
    draws it is the best, and how far the median draw deviates.
    """
    hashes = measured.hashes[: measured.covered]
    words = hash_words(hashes)
    found = levels(measured)
    chances, concentrations = draw_failure_chances(found, predicted.failure, words, salt=0)
    model = level_model(measured, predicted, settings.neighbours)
    metadata: dict[str, Any] = {
        "generator": GENERATOR,
        "cells": {"count": len(hashes), "sha256": checksum(hashes)},
        "method": METHOD,
        "provenance": PROVENANCE | {"read_from": measured.source},
        "settings": asdict(settings),
        "failure_concentration": [round(value, 4) for value in concentrations],
        "noise": fit_noise(measured).to_json(),
        "libraries": _libraries(),
    }
    content = _content(measured, predicted, chances, metadata)
    judged = _judge_draws(content, model, measured, settings, report)
    content.metadata["draws"] = {}
    for space in reversed(spaces()):  # the few cells of two spaces follow the smaller one
        deviations = {draw: worst[space.name] for draw, worst in judged.items()}
        scale, salt = min(deviations, key=lambda draw: deviations[draw])
        rows = positions(hashes, space.unique_hashes())
        _set_levels(content, model.draw(words, scale=scale, salt=salt), rows)
        content.metadata["draws"][space.name] = {
            "scale": scale,
            "salt": salt,
            "chosen_among": len(deviations),
            "median_deviation_of_all": round(float(np.median(list(deviations.values()))), 4),
        }
    content.metadata["fidelity"] = measure_fidelity(
        content, measured, evolution_seeds=settings.final_search_seeds
    )
    for name, scores in content.metadata["fidelity"].items():
        worst = worst_deviation(scores["regret"]["real"], scores["regret"]["pseudo"])
        content.metadata["draws"][name]["worst_regret_deviation"] = round(worst, 4)
    content.metadata["pseudo_repeats_sha256"] = repeats_checksum(content, words)
    return content


def _judge_draws(
    content: Shipped,
    model: LevelModel,
    measured: Measurements,
    settings: FitSettings,
    report: Report,
) -> dict[tuple[float, int], dict[str, float]]:
    """Largest relative deviation from the real regrets by (scale, draw) and space."""
    words = hash_words(measured.hashes[: measured.covered])
    everywhere = np.arange(measured.covered)
    real = real_curves(measured, settings.search_seeds)
    judged = {}
    for scale, salt in product(settings.residual_scales, range(settings.draws)):
        _set_levels(content, model.draw(words, scale=scale, salt=salt), everywhere)
        _, test = pseudo_repeats(content, words)
        pseudo = pseudo_curves(test, measured, settings.search_seeds)
        worst = {name: worst_deviation(curves, pseudo[name]) for name, curves in real.items()}
        judged[scale, salt] = worst
        shown = ", ".join(f"{name}: {value:.0%}" for name, value in worst.items())
        report(f"residual scale {scale}, draw {salt}: regrets within {shown}")
    return judged


def _set_levels(content: Shipped, drawn: Floats, rows: npt.NDArray[np.int64]) -> None:
    content.validation_level[rows] = _units(drawn[0][rows])
    content.test_level[rows] = _units(drawn[1][rows])


def _content(
    measured: Measurements,
    predicted: Predictions,
    chances: Floats,
    metadata: dict[str, Any],
) -> Shipped:
    graphs = measured.graphs
    inside = Graphs(graphs.adjacency[: measured.covered], graphs.labels[: measured.covered])
    return Shipped(
        smooth_validation_accuracy=_units(_smooth(predicted.validation, predicted.failure)),
        smooth_test_accuracy=_units(_smooth(predicted.test, predicted.failure)),
        validation_level=_units(predicted.validation),
        test_level=_units(predicted.test),
        failure=np.clip(np.round(chances * 65536), 0, 65535).astype(np.uint16),
        training_seconds=predicted.seconds.astype(np.float32),
        parameters=network_costs(inside)[0].astype(np.int32),
        metadata=dict(metadata),
    )


def _smooth(level: Floats, failure: Floats) -> Floats:
    return np.where(SMOOTH_COUNTS_FAILURES, expected_accuracy(level, failure), level)


def _units(accuracy: Floats) -> npt.NDArray[np.uint16]:
    return np.round(accuracy * ACCURACY_UNIT).astype(np.uint16)


def repeats_checksum(content: Shipped, words: npt.NDArray[np.uint64]) -> str:
    """SHA-256 of the pseudo-repeats as little-endian integers, validation first."""
    validation, test = pseudo_repeats(content, words)
    data = validation.astype("<u2").tobytes() + test.astype("<u2").tobytes()
    return hashlib.sha256(data).hexdigest()


def _libraries() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("lightgbm", "numpy", "scipy", "torch")}
