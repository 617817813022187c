"""The steps of a search as one CUDA graph."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

from raynas.images import Batch
from raynas.oneshot._base import OneShotMethod

#: Takes what is to be captured; returns a function that does it again.
Capture = Callable[[Callable[[], object]], Callable[[], object]]

#: Steps that are taken before the capture: libraries choose their algorithms in them, and
#: optimizers make their buffers.
WARM_UP = 3

_logger = logging.getLogger(__name__)


class StepGraph:
    """Architecture and weight step of one epoch; after a few steps they are replayed.

    A batch of 96 small images leaves a GPU waiting for the host, which starts thousands of kernels
    per step; a graph is started at once. Learning rates are constants of the graph, so there is a
    new one for each epoch. A method whose steps cannot be captured goes on without.

    Args:
        method: see `OneShotMethod.capturable`.
        searching: whether the architecture moves in this epoch.
        capture: `capture_on_gpu`; tests use another.
    """

    def __init__(
        self, method: OneShotMethod, *, searching: bool, capture: Capture | None = None
    ) -> None:
        self._method, self._searching = method, searching
        self._capture = capture or capture_on_gpu
        self._taken = 0
        self._batches: tuple[Batch, Batch] | None = None
        self._replay: Callable[[], object] | None = None
        self._aside: torch.cuda.Stream | None = None
        self._result: tuple[Tensor, Tensor]

    def __call__(self, train: Batch, validation: Batch) -> tuple[Tensor, Tensor]:
        """Take one step; returns what `OneShotMethod.weight_step` does.

        What it returns is overwritten by the next step.
        """
        if self._taken == WARM_UP:
            self._batches = (_copy(train), _copy(validation))
            self._replay = self._captured()
        self._taken += 1
        if self._replay is None or self._batches is None:
            return self._step_aside(train, validation)
        for static, batch in zip(self._batches, (train, validation), strict=True):
            static.images.copy_(batch.images)
            static.labels.copy_(batch.labels)
        self._replay()
        return self._result

    def _step_aside(self, train: Batch, validation: Batch) -> tuple[Tensor, Tensor]:
        """One step, on a GPU on a stream of its own, as steps before a capture must be."""
        if self._method.device.type != "cuda":
            return _step(self._method, train, validation, searching=self._searching)
        current = torch.cuda.current_stream()
        if self._aside is None:  # one for all steps: freed memory stays with its stream
            self._aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside = self._aside
        aside.wait_stream(current)
        with torch.cuda.stream(aside):
            result = _step(self._method, train, validation, searching=self._searching)
        current.wait_stream(aside)
        return result

    def _captured(self) -> Callable[[], object] | None:
        try:
            return self._capture(self._work)
        except torch.OutOfMemoryError:
            raise  # a larger share of the GPU may help
        except RuntimeError as error:
            _logger.warning("steps are not replayed as a CUDA graph: %s", error)
            return None

    def _work(self) -> None:
        assert self._batches is not None
        self._result = _step(self._method, *self._batches, searching=self._searching)


def capture_on_gpu(work: Callable[[], object]) -> Callable[[], object]:
    """Capture work on the current device as a CUDA graph; it is not done yet.

    Raises:
        RuntimeError: something in it cannot be captured.
    """
    torch.cuda.synchronize()
    torch.cuda.empty_cache()  # the graph has memory of its own
    graph = torch.cuda.CUDAGraph()
    stream = torch.cuda.current_stream()
    try:
        with torch.cuda.graph(graph):
            work()
    finally:
        torch.cuda.set_stream(stream)  # a capture that fails leaves its own
    replay: Callable[[], object] = graph.replay
    return replay


def step_function(
    method: OneShotMethod, *, searching: bool
) -> Callable[[Batch, Batch], tuple[Tensor, Tensor]]:
    """How to take the steps of an epoch on the device of a method."""
    if method.device.type == "cuda" and method.capturable:
        return StepGraph(method, searching=searching)
    return lambda train, validation: _step(method, train, validation, searching=searching)


def _step(
    method: OneShotMethod, train: Batch, validation: Batch, *, searching: bool
) -> tuple[Tensor, Tensor]:
    if searching:
        method.architecture_step(train, validation)
    return method.weight_step(train)


def _copy(batch: Batch) -> Batch:
    images = batch.images.clone(memory_format=torch.preserve_format)
    return Batch(images, batch.labels.clone())
