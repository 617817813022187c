"""SMAC's random forest over categorical vectors, on scikit-learn's trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from raynas.optimizers._base import Vectors

Floats = npt.NDArray[np.float64]
Encoding = Literal["one-hot", "ordinal"]

VARIANCE_FLOOR = 1e-10
"""Smallest variance that SMAC predicts (constant VERY_SMALL_NUMBER of SMAC 2.4)."""


@dataclass(frozen=True, slots=True)
class ForestSettings:
    """Shape of the forest; defaults of SMAC's algorithm configuration facade.

    Attributes:
        n_trees: number of trees (Zela et al. 2020: 10).
        ratio_features: share of the columns considered at each split.
        min_samples_split: smallest node that is split.
        min_samples_leaf: smallest leaf.
        max_depth: of each tree.
        encoding: "one-hot" splits one option from the others and knows no order among options;
            "ordinal" splits the option indices at a threshold, as the `smac` package does.
    """

    n_trees: int = 10
    ratio_features: float = 5 / 6
    min_samples_split: int = 3
    min_samples_leaf: int = 3
    max_depth: int = 20
    encoding: Encoding = "one-hot"


class RandomForest:
    """Bootstrapped regression trees; mean and variance are taken over the trees.

    Args:
        cardinalities: number of options per choice.
        settings: shape of the forest.
    """

    def __init__(self, cardinalities: tuple[int, ...], settings: ForestSettings) -> None:
        from sklearn.tree import DecisionTreeRegressor

        self.settings = settings
        self._tree_type = DecisionTreeRegressor
        self._offsets = np.concatenate([[0], np.cumsum(cardinalities)[:-1]]).astype(np.int64)
        self._columns = int(sum(cardinalities))
        self._trees: list[Any] = []

    def fit(self, vectors: Vectors, costs: Floats, seeds: npt.NDArray[np.int64]) -> None:
        """Grow one tree per seed, each on a bootstrap sample.

        Args:
            vectors: observed vectors, shape (n, choices).
            costs: their costs, shape (n,).
            seeds: one 31-bit integer per tree, for its bootstrap and its column order.
        """
        import sklearn

        features = self._encode(vectors)
        share = int(len(self._offsets) * self.settings.ratio_features)
        if self.settings.encoding == "one-hot":
            share = int(self._columns * self.settings.ratio_features)
        # Checking the same parameters again for every tree takes longer than growing it.
        with sklearn.config_context(skip_parameter_validation=True):
            self._trees = [self._grow(features, costs, share, seed) for seed in seeds.tolist()]

    def _grow(self, features: npt.NDArray[np.float32], costs: Floats, share: int, seed: int) -> Any:
        tree = self._tree_type(
            max_features=max(1, share),
            max_depth=self.settings.max_depth,
            min_samples_split=self.settings.min_samples_split,
            min_samples_leaf=self.settings.min_samples_leaf,
            min_impurity_decrease=1e-8,
            # Never reached; the package grows trees best-first because it sets a bound, so do we.
            max_leaf_nodes=max(2, len(costs)),
            random_state=seed,
        )
        # The generator and the order of draws of scikit-learn's own forests.
        drawn = np.random.RandomState(seed).randint(0, len(costs), len(costs))
        weights = np.bincount(drawn, minlength=len(costs)).astype(np.float64)
        return tree.fit(features, costs, sample_weight=weights, check_input=False).tree_

    def predict(self, vectors: Vectors) -> tuple[Floats, Floats]:
        """Mean and variance of the cost of each vector, both of shape (n,)."""
        features = self._encode(vectors)
        predictions = np.stack([tree.predict(features)[:, 0] for tree in self._trees])
        variance = np.maximum(predictions.var(axis=0), VARIANCE_FLOOR)
        return predictions.mean(axis=0), variance

    def _encode(self, vectors: Vectors) -> npt.NDArray[np.float32]:
        if self.settings.encoding == "ordinal":
            return np.ascontiguousarray(vectors, dtype=np.float32)
        columns = vectors.astype(np.int64) + self._offsets
        features = np.zeros((len(vectors), self._columns), dtype=np.float32)
        np.put_along_axis(features, columns, 1.0, axis=1)
        return features
