from __future__ import annotations

import numpy as np

from raynas.optimizers.random_search import RandomSearch, RandomSearchSettings
from tests.support.domains import CategoricalDomain
from tests.support.optimizer_runs import asked, drive


def test_samples_are_uniform() -> None:
    domain = CategoricalDomain((2, 3))
    vectors = [p.vector for p in asked(drive(RandomSearch(domain, 0), 3000))]
    _, counts = np.unique(vectors, axis=0, return_counts=True)
    assert len(counts) == 6
    assert abs(counts - 500).max() < 5 * np.sqrt(500 * 5 / 6)


def test_results_change_nothing() -> None:
    runs = [
        [p.vector for p in asked(drive(RandomSearch(CategoricalDomain(), 0), 20, evaluate=f))]
        for f in (lambda p: 0.1, lambda p: None)
    ]
    assert runs[0] == runs[1]


def test_epochs_can_be_set() -> None:
    assert RandomSearch(CategoricalDomain(), 0, RandomSearchSettings(epochs=12)).ask().epochs == 12
