"""Trains the graph network on a subset of the cells and predicts the others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from search_spaces.surrogate.network import CellNetwork, Encoded
from search_spaces.surrogate.settings import NetworkSettings
from search_spaces.surrogate.targets import FAILURE, HEADS, Targets

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

_CONTINUOUS = FAILURE.start
_FAILURE_WEIGHT = 0.1
_WARM_UP = 0.2  # share of the steps in which the learning rate rises
_PREDICTION_BATCH = 4096


def train_and_predict(
    inputs: Encoded,
    targets: Targets,
    training: Index,
    wanted: Index,
    settings: NetworkSettings,
    seed: int,
    report: Callable[[str], None],
) -> Floats:
    """Raw predictions (len(wanted), 13) of a network that saw nothing but `training`.

    Also the scaling of features and targets comes from the training cells alone. Failure
    columns are logits.
    """
    torch.manual_seed(seed)
    mean, scale = _target_scale(targets, training)
    centre, spread = inputs.graph[training].mean(0), inputs.graph[training].std(0) + 1e-6
    inputs = Encoded(
        inputs.adjacency, inputs.vertices, ((inputs.graph - centre) / spread).astype(np.float32)
    )
    values = ((targets.values - mean) / scale).astype(np.float32)
    weights = targets.weights.astype(np.float32)
    network = CellNetwork(settings.width, inputs.vertices.shape[2], inputs.graph.shape[1], HEADS)
    _train(network, inputs, values, weights, training, settings, seed, report)
    return _predict(network, inputs, wanted) * scale + mean


def _target_scale(targets: Targets, training: Index) -> tuple[Floats, Floats]:
    values, weights = targets.values[training], targets.weights[training]
    total = np.maximum(weights.sum(0), 1e-9)
    mean = (values * weights).sum(0) / total
    scale = np.sqrt(((values - mean) ** 2 * weights).sum(0) / total) + 1e-6
    mean[FAILURE], scale[FAILURE] = 0.0, 1.0
    return mean, scale


def _train(
    network: CellNetwork,
    inputs: Encoded,
    values: npt.NDArray[np.float32],
    weights: npt.NDArray[np.float32],
    training: Index,
    settings: NetworkSettings,
    seed: int,
    report: Callable[[str], None],
) -> None:
    batch = min(settings.batch, len(training))
    steps = len(training) // batch
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.epochs * steps, pct_start=_WARM_UP
    )
    rng = np.random.default_rng(seed)
    for epoch in range(settings.epochs):
        order, total = rng.permutation(training), 0.0
        for step in range(steps):
            index = order[step * batch : (step + 1) * batch]
            output = network(*inputs.batch(index))
            loss = _loss(output, torch.from_numpy(values[index]), torch.from_numpy(weights[index]))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        report(f"epoch {epoch + 1}/{settings.epochs}: loss {total / steps:.4f}")


def _loss(output: Tensor, values: Tensor, weights: Tensor) -> Tensor:
    regression = functional.huber_loss(
        output[:, :_CONTINUOUS], values[:, :_CONTINUOUS], reduction="none"
    )
    failure = functional.binary_cross_entropy_with_logits(
        output[:, FAILURE], values[:, FAILURE], reduction="none"
    )
    total = (regression * weights[:, :_CONTINUOUS]).sum()
    total = total + _FAILURE_WEIGHT * (failure * weights[:, FAILURE]).sum()
    return total / len(output)


def _predict(network: CellNetwork, inputs: Encoded, wanted: Index) -> Floats:
    network.eval()
    starts = range(0, len(wanted), _PREDICTION_BATCH)
    with torch.no_grad():
        parts = [
            network(*inputs.batch(wanted[start : start + _PREDICTION_BATCH])).numpy()
            for start in starts
        ]
    return np.concatenate(parts).astype(np.float64)
