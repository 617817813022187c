"""Out-of-fold predictions: every cell is predicted by models that never saw it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from search_spaces.errors import UserError
from search_spaces.surrogate.features import table_features
from search_spaces.surrogate.graphs import Graphs
from search_spaces.surrogate.keys import folds
from search_spaces.surrogate.measurements import Measurements
from search_spaces.surrogate.settings import FitSettings
from search_spaces.surrogate.targets import (
    FAILURE,
    HEADS,
    SECONDS,
    Targets,
    from_scale,
    make_targets,
)

Floats = npt.NDArray[np.float64]
Report = Callable[[str], None]

_INSTALL = "pip install 'raynas[surrogate]'"


@dataclass(frozen=True, slots=True)
class Predictions:
    """Smooth out-of-fold predictions of the covered cells, in the order of their hashes.

    Attributes:
        validation: (n, 4) accuracy of a run that does not fail.
        test: (n, 4) likewise.
        failure: (n, 4) probability that a run fails.
        seconds: (n,) training time at 108 epochs.
    """

    validation: Floats
    test: Floats
    failure: Floats
    seconds: Floats


def predict_out_of_fold(
    measured: Measurements,
    settings: FitSettings,
    report: Report,
    checkpoints: Path | None = None,
) -> Predictions:
    """Trains `settings.folds` times and predicts each fold's cells.

    Args:
        measured: what is known.
        settings: how to train.
        report: called with one line of progress at a time.
        checkpoints: existing folder for the predictions of finished folds; they are read from
            there instead of computed again. Use one folder per data set and settings.

    Raises:
        UserError: if a fitting library is not installed.
    """
    require_libraries()
    targets = make_targets(measured)
    chosen = _training_cells(measured, targets, settings)
    fold = folds(measured.hashes, settings.folds)
    raw = np.zeros((measured.covered, HEADS))
    for number in range(settings.folds):
        wanted = np.flatnonzero(fold[: measured.covered] == number)
        training = chosen[fold[chosen] != number]
        path = checkpoints / f"fold{number}.npy" if checkpoints else None
        if path is not None and path.exists():
            raw[wanted] = np.load(path)
            continue
        report(f"fold {number + 1}/{settings.folds}: {len(training):,} training cells")
        raw[wanted] = _predict_fold(measured.graphs, targets, training, wanted, settings, report)
        if path is not None:
            np.save(path, raw[wanted])
    return _decode(raw)


def require_libraries() -> None:
    """Raises a UserError if lightgbm or torch is missing."""
    try:
        import lightgbm  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise UserError(f"fitting needs {error.name}: {_INSTALL}") from error


def _training_cells(
    measured: Measurements, targets: Targets, settings: FitSettings
) -> npt.NDArray[np.int64]:
    """Every known cell of the spaces, and outside them those with runs and some with a mean."""
    known = targets.weights.sum(1) > 0
    inside = np.arange(len(known)) < measured.covered
    with_run = targets.weights[:, 0:7].any(1)
    rest = np.flatnonzero(known & ~inside & ~with_run)
    rng = np.random.default_rng(settings.seed)
    some = rng.permutation(rest)[: settings.outside_cells]
    return np.concatenate([np.flatnonzero(known & (inside | with_run)), np.sort(some)])


def _predict_fold(
    graphs: Graphs,
    targets: Targets,
    training: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.int64],
    settings: FitSettings,
    report: Report,
) -> Floats:
    import torch

    from search_spaces.surrogate.network import encode
    from search_spaces.surrogate.training import train_and_predict

    torch.set_num_threads(settings.threads)
    torch.use_deterministic_algorithms(True)
    together = np.concatenate([training, wanted])
    inputs = encode(graphs.take(together))
    local = Targets(targets.values[together], targets.weights[together])
    first = np.arange(len(training))
    rest = np.arange(len(training), len(together))
    members = [
        train_and_predict(
            inputs, local, first, rest, settings.network, settings.seed + member, report
        )
        for member in range(settings.network.members)
    ]
    raw: Floats = np.mean(members, axis=0)
    timed = training[targets.weights[training, SECONDS] > 0]
    if len(timed):
        raw[:, SECONDS] = _boosted_seconds(graphs, targets, timed, wanted, settings)
    return raw


def _boosted_seconds(
    graphs: Graphs,
    targets: Targets,
    training: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.int64],
    settings: FitSettings,
) -> Floats:
    """Log seconds by gradient-boosted trees on the analytic costs, more exact than the network."""
    import lightgbm

    parameters = {
        "objective": "regression",
        "learning_rate": settings.tree_rate,
        "num_leaves": settings.tree_leaves,
        "min_data_in_leaf": min(20, max(1, len(training) // 20)),
        "num_threads": settings.threads,
        "deterministic": True,
        "force_row_wise": True,
        "seed": settings.seed,
        "verbosity": -1,
    }
    label = targets.values[training, SECONDS]
    data = lightgbm.Dataset(table_features(graphs.take(training)), label)
    booster = lightgbm.train(parameters, data, settings.tree_rounds)
    features = table_features(graphs.take(wanted))
    return np.asarray(booster.predict(features, num_threads=settings.threads), np.float64)


def _decode(raw: Floats) -> Predictions:
    levels = [
        np.column_stack([from_scale(raw[:, 4 * block + budget], budget) for budget in range(4)])
        for block in range(2)
    ]
    failure = 1 / (1 + np.exp(-np.clip(raw[:, FAILURE], -30, 30)))
    return Predictions(levels[0], levels[1], failure, np.exp(raw[:, SECONDS]))
