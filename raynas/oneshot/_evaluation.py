"""How good architectures are with the shared weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from raynas.images import Batch
from raynas.oneshot._base import OneShotMethod
from raynas.supernet.operations import Norm, StatisticsMode
from raynas.supernet.weights import ArchitectureWeights, one_hot
from search_spaces.space import Vectors

#: Makes the same batches at each call.
Batches = Callable[[], Iterable[Batch]]


def accuracies(
    method: OneShotMethod, vectors: Vectors, batches: Batches
) -> npt.NDArray[np.float64]:
    """Share of right answers of discrete architectures with inherited weights.

    Args:
        method: owner of the network.
        vectors: architectures, shape (n, d).
        batches: what each of them sees.

    Returns:
        Shape (n,).
    """
    shares = [
        accuracy(method, one_hot(method.space, vector, skip=True, device=method.device), batches)
        for vector in vectors
    ]
    found: npt.NDArray[np.float64] = torch.stack(shares).cpu().double().numpy()
    return found


@torch.no_grad()
def accuracy(method: OneShotMethod, weights: ArchitectureWeights, batches: Batches) -> Tensor:
    """Share of right answers with any weights, a scalar on the device.

    The network's running statistics are left as they are.
    """
    right = torch.zeros((), dtype=torch.int64, device=method.device)
    count = 0
    with normalising(method.network, method.settings.statistics):
        for batch in batches():
            logits = method.network(method.cast(batch.images), weights)
            right += (logits.argmax(1) == batch.labels).sum()
            count += len(batch.labels)
    return right.double() / max(count, 1)


@contextmanager
def normalising(network: torch.nn.Module, mode: StatisticsMode) -> Iterator[None]:
    """Normalise in another way for a while."""
    norms = [module for module in network.modules() if isinstance(module, Norm)]
    before = [norm.mode for norm in norms]
    for norm in norms:
        norm.mode = mode
    try:
        yield
    finally:
        for norm, kept in zip(norms, before, strict=True):
            norm.mode = kept
