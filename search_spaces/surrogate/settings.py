"""How the surrogate is fitted."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Training of the graph network.

    Attributes:
        width: size of a vertex' state.
        epochs: passes over the training cells.
        batch: cells per step.
        learning_rate: peak of the one-cycle schedule of AdamW.
        weight_decay: of AdamW.
        members: networks with different seeds whose predictions are averaged.
    """

    width: int = 64
    epochs: int = 14
    batch: int = 1024
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    members: int = 1


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Everything that decides the fitted file, besides the data.

    Attributes:
        folds: number of folds over the module hashes.
        outside_cells: cells outside the three spaces with nothing but a mean test accuracy
            that help in training.
        seed: of the networks and of the choice of outside cells.
        threads: processor threads.
        network: the graph network's settings.
        tree_rounds: boosting rounds of the training-time model.
        tree_leaves: leaves per tree.
        tree_rate: learning rate of the boosting.
        neighbours: cells with similar predictions of which one gives its residuals.
        residual_scales: factors on the residuals to try.
        draws: draws of residuals to try for each factor.
        search_seeds: seeds of regularized evolution when a draw is judged.
        final_search_seeds: of the regrets in the metadata.
    """

    folds: int = 5
    outside_cells: int = 35_000
    seed: int = 0
    threads: int = 1
    network: NetworkSettings = field(default_factory=NetworkSettings)
    tree_rounds: int = 400
    tree_leaves: int = 63
    tree_rate: float = 0.08
    neighbours: int = 100
    residual_scales: tuple[float, ...] = (0.9, 1.0)
    draws: int = 40
    search_seeds: int = 300
    final_search_seeds: int = 1000


QUICK = FitSettings(
    folds=2,
    outside_cells=2_000,
    network=NetworkSettings(epochs=2, batch=64),
    tree_rounds=40,
    residual_scales=(1.0,),
    draws=1,
    search_seeds=10,
    final_search_seeds=10,
)
