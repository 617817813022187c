from __future__ import annotations

import numpy as np
import pytest

from raynas.optimizers._random_forest import VARIANCE_FLOOR, ForestSettings, RandomForest
from tests.support.domains import SPACE_3, CategoricalDomain, error_of


def data(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    vectors = CategoricalDomain().sample(rng, n)
    return vectors, np.array([error_of(v.tolist()) for v in vectors]) + rng.normal(0, 0.01, n)


def test_ordinal_forest_equals_the_smac_packages() -> None:
    from smac.model.random_forest.random_forest import RandomForest as Reference

    from raynas.optimizers._configuration_space import categorical_space

    vectors, costs = data(120)
    theirs = Reference(
        categorical_space(SPACE_3, 0),
        n_trees=10,
        ratio_features=5 / 6,
        min_samples_split=3,
        min_samples_leaf=3,
        max_depth=20,
        seed=5,
        n_jobs=1,
        max_leaf_nodes=2**13,
    )
    theirs.train(vectors.astype(float), costs[:, None])
    # Seeds of the trees, as scikit-learn's ensembles draw them.
    random = np.random.RandomState(5)
    seeds = np.array([random.randint(np.iinfo(np.int32).max) for _ in range(10)])
    ours = RandomForest(SPACE_3, ForestSettings(encoding="ordinal"))
    ours.fit(vectors, costs, seeds)
    points = data(300, seed=1)[0]
    mean, variance = theirs.predict_marginalized(points.astype(float))
    assert ours.predict(points)[0] == pytest.approx(mean[:, 0], rel=1e-12)
    assert ours.predict(points)[1] == pytest.approx(variance[:, 0], rel=1e-9)


def test_one_hot_splits_know_no_order_among_options() -> None:
    """Renaming options leaves a forest of all columns as it is, up to ties among splits."""
    rng = np.random.default_rng(0)
    names = rng.permutation(15)
    vectors = rng.integers(15, size=(200, 1)).astype(np.uint8)
    costs = rng.normal(size=15)[vectors[:, 0]]
    settings = ForestSettings(ratio_features=1.0, min_samples_leaf=1, min_samples_split=2)
    plain, renamed = RandomForest((15,), settings), RandomForest((15,), settings)
    plain.fit(vectors, costs, np.arange(10))
    renamed.fit(names[vectors].astype(np.uint8), costs, np.arange(10))
    options = np.arange(15, dtype=np.uint8)[:, None]
    expected = renamed.predict(names[options].astype(np.uint8))[0]
    assert plain.predict(options)[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("encoding", ["one-hot", "ordinal"])
def test_it_learns(encoding) -> None:  # type: ignore[no-untyped-def]
    forest = RandomForest(SPACE_3, ForestSettings(encoding=encoding))
    forest.fit(*data(400), np.arange(10))
    points, costs = data(500, seed=1)
    assert np.corrcoef(forest.predict(points)[0], costs)[0, 1] > 0.6


def test_variance_has_a_floor() -> None:
    forest = RandomForest((3,), ForestSettings())
    forest.fit(np.zeros((5, 1), dtype=np.uint8), np.full(5, 0.2), np.arange(10))
    mean, variance = forest.predict(np.zeros((1, 1), dtype=np.uint8))
    assert mean == pytest.approx([0.2])
    assert variance == [VARIANCE_FLOOR]


@pytest.mark.parametrize(
    "change", [{"n_trees": 3}, {"ratio_features": 0.3}, {"min_samples_leaf": 9}, {"max_depth": 2}]
)
def test_every_setting_changes_the_predictions(change: dict[str, float]) -> None:
    points = data(100, seed=1)[0]
    predictions = []
    for settings in (ForestSettings(), ForestSettings(**change)):  # type: ignore[arg-type]
        forest = RandomForest(SPACE_3, settings)
        forest.fit(*data(200), np.arange(settings.n_trees))
        predictions.append(forest.predict(points)[0])
    assert not np.allclose(*predictions)
