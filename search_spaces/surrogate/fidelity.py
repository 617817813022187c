"""How faithful the surrogate is, measured against known figures that its models never saw."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.benchmark import ACCURACY_UNIT, BUDGETS
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.surrogate.expansion import pseudo_repeats
from search_spaces.surrogate.keys import hash_words, positions, spaces
from search_spaces.surrogate.measurements import Measurements
from search_spaces.surrogate.regret import CHECKPOINTS, search_curves
from search_spaces.surrogate.shipped import Shipped
from search_spaces.surrogate.targets import FAILED_BELOW, SMOOTH_COUNTS_FAILURES, unfail

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

#: Accuracies below are set to these before R2 and MAE at 4, 12, 36 and 108 epochs.
CLIPPED_BELOW = (0.0, 0.0, 0.7, 0.8)
_FEWEST = 10  # cells below which no statistic is given


def measure_fidelity(
    shipped: Shipped, measured: Measurements, *, evolution_seeds: int
) -> dict[str, Any]:
    """All figures of fidelity, by space.

    Args:
        shipped: the surrogate; it needs no fidelity in its metadata yet.
        measured: the known figures.
        evolution_seeds: seeds of regularized evolution for the regrets.
    """
    words = hash_words(measured.hashes[: measured.covered])
    validation, test = pseudo_repeats(shipped, words)
    real = real_curves(measured, evolution_seeds)
    pseudo = pseudo_curves(test, measured, evolution_seeds)
    found = {}
    for space in spaces():
        rows = _rows(space, measured)
        found[space.name] = {
            "cells": len(rows),
            "accuracy": accuracy_fidelity(shipped, measured, rows),
            "seconds": seconds_fidelity(shipped, measured, rows),
            "non_chain": non_chain_bias(shipped, measured, rows),
            "repeats": repeat_statistics(validation, test, measured, rows),
            "regret": {
                "evaluations": list(CHECKPOINTS),
                "cells": int((~np.isnan(measured.test_mean[rows])).sum()),
                "evolution_seeds": evolution_seeds,
                "real": real[space.name],
                "pseudo": pseudo[space.name],
            },
        }
    return found


def accuracy_fidelity(
    shipped: Shipped, measured: Measurements, rows: Index
) -> list[dict[str, Any]]:
    """Rank correlations and errors of the smooth predictions against means of three runs."""
    found = []
    for name, smooth, runs in (
        ("validation", shipped.smooth_validation_accuracy, measured.validation),
        ("test", shipped.smooth_test_accuracy, measured.test),
    ):
        for budget, epochs in enumerate(BUDGETS):
            real = runs[rows, budget].mean(1)
            if name == "test" and epochs == BUDGETS[-1]:
                real = measured.test_mean[rows]
            known = ~np.isnan(real)
            predicted = smooth[rows, budget] / ACCURACY_UNIT
            scores = _scores(predicted[known], real[known], CLIPPED_BELOW[budget])
            found.append({"quantity": name, "epochs": epochs, **scores})
    return found


def _scores(predicted: Floats, real: Floats, floor: float) -> dict[str, Any]:
    from scipy.stats import kendalltau, spearmanr

    if len(real) < _FEWEST:
        return {"cells": len(real)}
    predicted, real = np.maximum(predicted, floor), np.maximum(real, floor)
    variance = ((real - real.mean()) ** 2).sum()
    return {
        "cells": len(real),
        "kendall": round(float(kendalltau(predicted, real)[0]), 4),
        "spearman": round(float(spearmanr(predicted, real)[0]), 4),
        "r2": round(float(1 - ((predicted - real) ** 2).sum() / variance), 4),
        "mae": round(float(np.abs(predicted - real).mean()), 6),
    }


def seconds_fidelity(shipped: Shipped, measured: Measurements, rows: Index) -> dict[str, Any]:
    """Fidelity of the training time at 108 epochs; `mae` in seconds."""
    real = measured.seconds[rows]
    known = ~np.isnan(real)
    predicted = shipped.training_seconds[rows][known].astype(np.float64)
    scores = _scores(predicted, real[known], 0.0)
    if "r2" in scores:
        scores["median_relative_error"] = round(
            float(np.median(np.abs(predicted / real[known] - 1))), 5
        )
    return scores


def non_chain_bias(shipped: Shipped, measured: Measurements, rows: Index) -> dict[str, Any]:
    """Predicted minus real on cells without three runs, for which only means are known.

    In the partial tables these are the cells whose vertices do not lie on one chain. Cells with
    failed runs count with the level of the other runs.
    """
    without = np.isnan(measured.test[rows]).any((1, 2))
    level, failures = unfail(measured.test_mean[rows])
    usable = without & ~np.isnan(level) & (failures < 3)
    error = shipped.smooth_test_accuracy[rows, 3] / ACCURACY_UNIT - np.maximum(level, 0.8)
    result: dict[str, Any] = {"test_108": _bias(error[usable])}
    for budget, epochs in enumerate(BUDGETS):
        run = measured.single_validation[rows, budget]
        counted = run >= (0.0 if SMOOTH_COUNTS_FAILURES[budget] else FAILED_BELOW)
        usable = without & counted
        smooth = shipped.smooth_validation_accuracy[rows, budget] / ACCURACY_UNIT
        error = smooth - run
        result[f"validation_{epochs}"] = _bias(error[usable])
    return result


def _bias(error: Floats) -> dict[str, Any]:
    if len(error) < _FEWEST:
        return {"cells": len(error)}
    return {
        "cells": len(error),
        "median": round(float(np.median(error)), 6),
        "mean": round(float(error.mean()), 6),
    }


def repeat_statistics(
    validation: npt.NDArray[np.uint16],
    test: npt.NDArray[np.uint16],
    measured: Measurements,
    rows: Index,
) -> list[dict[str, Any]]:
    """Spread and failures of real runs and pseudo-repeats on the cells that have real runs."""
    found = []
    real = {"validation": measured.validation, "test": measured.test}
    pseudo = {"validation": validation, "test": test}
    for name, runs in real.items():
        for budget, epochs in enumerate(BUDGETS):
            known = ~np.isnan(runs[rows, budget]).any(1)
            if known.sum() < _FEWEST:
                continue
            pair = [runs[rows, budget][known], pseudo[name][rows, budget][known] / ACCURACY_UNIT]
            entry: dict[str, Any] = {"quantity": name, "epochs": epochs}
            for source, values in zip(("real", "pseudo"), pair, strict=True):
                spread = values.std(1, ddof=1)
                entry[f"{source}_median_sd"] = round(float(np.median(spread)), 5)
                failed = values < FAILED_BELOW
                entry[f"{source}_failed_runs"] = round(float(failed.mean()), 5)
                entry[f"{source}_cells_with_failure"] = round(float(failed.any(1).mean()), 5)
            found.append(entry)
    return found


def real_curves(measured: Measurements, seeds: int) -> dict[str, Any]:
    """Regrets on the known mean test accuracies, by space."""
    known = measured.test_mean[: measured.covered]
    return {
        space.name: search_curves(space, known[_rows(space, measured)], seeds) for space in spaces()
    }


def pseudo_curves(
    test: npt.NDArray[np.uint16], measured: Measurements, seeds: int
) -> dict[str, Any]:
    """Regrets on the means of the pseudo-repeats, without the cells whose real mean is unknown.

    Args:
        test: (n, 4, 3) pseudo-repeats of the covered cells.
        measured: which cells are known.
        seeds: of regularized evolution.
    """
    unknown = np.isnan(measured.test_mean[: measured.covered])
    mean = np.where(unknown, np.nan, test[:, -1].mean(1) / ACCURACY_UNIT)
    return {
        space.name: search_curves(space, mean[_rows(space, measured)], seeds) for space in spaces()
    }


def _rows(space: NASBench1Shot1Space, measured: Measurements) -> Index:
    return positions(measured.hashes[: measured.covered], space.unique_hashes())


def worst_deviation(real: dict[str, list[float]], pseudo: dict[str, list[float]]) -> float:
    """The largest relative deviation of the pseudo regrets of one space from the real ones."""
    deviations = [
        float(np.abs(np.array(pseudo[method]) / np.maximum(curve, 1e-9) - 1).max())
        for method, curve in real.items()
    ]
    return max(deviations, default=0.0)
