"""Trains one cell, epoch by epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from raynas.images import Augmentation, Pass, ResidentImages, TrainingImages
from raynas.oneshot import Diverged
from raynas.oneshot._set_up import generators, sequence
from raynas.oneshot._settings import cast
from raynas.supernet import NASBench101Network
from raynas.training._rmsprop import RMSProp
from raynas.training._settings import TrainingSettings
from search_spaces.cell import Cell
from search_spaces.errors import UserError

_FORMAT = 1


@dataclass(frozen=True)
class EpochResult:
    """The state after an epoch.

    Attributes:
        epoch: number of finished epochs, from 1.
        loss: mean cross-entropy of the steps, each before its update.
        train_accuracy: share of right answers in the steps, on augmented images.
        validation_accuracy: on the whole validation part.
        seconds: duration.
    """

    epoch: int
    loss: float
    train_accuracy: float
    validation_accuracy: float
    seconds: float


class CellTraining:
    """The training of a cell from scratch.

    Equal arguments give equal results, bit by bit on a CPU, and so does going on from a state
    that was taken between two epochs.

    Args:
        cell: what to train.
        images: what to train it on; the network lives on their device.
        settings: size and schedule.
        seed: root of all random streams.

    Attributes:
        network: the network.
        history: one result per finished epoch.

    Raises:
        UserError: a batch would need more images than there are, or the seed is negative.
    """

    def __init__(
        self, cell: Cell, images: TrainingImages, settings: TrainingSettings, *, seed: int = 0
    ) -> None:
        count, source = len(images.train), images.source
        if settings.batch_size > count:
            raise UserError(
                f"batch_size = {settings.batch_size}: {source.title} has only {count} images to "
                "train on",
                exit_code=2,
            )
        self.cell, self.images, self.settings, self.seed = cell, images, settings, seed
        self.history: list[EpochResult] = []
        weights, self._stream = generators(sequence(seed), 2)
        self.network = NASBench101Network(
            cell,
            weights,
            channels=settings.channels,
            classes=source.classes,
            image_channels=source.shape[0],
            momentum=settings.norm_momentum,
        ).to(images.train.pixels.device)
        self.optimizer = RMSProp(
            self.network.parameters(),
            lr=settings.learning_rate,
            momentum=settings.momentum,
            decay=settings.decay,
            epsilon=settings.epsilon,
            weight_decay=settings.weight_decay,
        )
        # Flips and crops from a frame of four pixels, as in NAS-Bench-101; no cutout.
        self._augmentation = Augmentation(min(source.shape[1:]) // 8, source.mirrored)

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.history)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.epoch >= self.settings.epochs

    @property
    def steps_per_epoch(self) -> int:
        """Steps in an epoch; images that fill no batch are left out, others each time."""
        return len(self.images.train) // self.settings.batch_size

    @property
    def parameters(self) -> int:
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    # Progress ---------------------------------------------------------------------------------

    def advance(self, on_step: Callable[[], object] = lambda: None) -> EpochResult:
        """Train for one epoch.

        Args:
            on_step: called after each step.

        Raises:
            Diverged: the loss or a parameter is no longer finite. The training is of no use then.
        """
        started = time.perf_counter()
        size = self.settings.batch_size
        batches = Pass.draw(self.images.train, size, self._stream, self._augmentation)
        totals = torch.zeros(2, device=self.images.train.pixels.device)
        self.network.train()
        for step in range(len(batches)):
            self._set_rate(self.epoch * len(batches) + step)
            batch = batches[step]
            logits = self.network(cast(batch.images, self.settings.precision))
            loss = cross_entropy(logits, batch.labels)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            right = (logits.argmax(1) == batch.labels).sum()
            totals += torch.stack([loss.detach(), right])
            on_step()
        self._check_finite(totals)
        loss_sum, right_sum = totals.tolist()
        result = EpochResult(
            self.epoch + 1,
            loss_sum / len(batches),
            right_sum / (len(batches) * size),
            self.accuracy(self.images.validation),
            time.perf_counter() - started,
        )
        self.history.append(result)
        return result

    def learning_rate(self, step: int) -> float:
        """Learning rate of a step, counted from 0 over all epochs: half a cosine down to 0."""
        total = self.settings.epochs * self.steps_per_epoch
        return self.settings.learning_rate * (1 + math.cos(math.pi * step / total)) / 2

    def _set_rate(self, step: int) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(step)

    @torch.no_grad()
    def accuracy(self, images: ResidentImages, count: int | None = None) -> float:
        """Share of right answers, with the running statistics.

        Args:
            images: any images.
            count: batches of them; None: all.
        """
        self.network.eval()
        right, seen = torch.zeros((), dtype=torch.int64, device=images.pixels.device), 0
        for batch in images.in_order(self.settings.batch_size, count):
            logits = self.network(cast(batch.images, self.settings.precision))
            right += (logits.argmax(1) == batch.labels).sum()
            seen += len(batch.labels)
        return int(right) / seen

    def final_accuracies(self) -> dict[str, float]:
        """Accuracy on training images as they are (at most 10,000), validation and test part."""
        few = max(1, 10_000 // self.settings.batch_size)
        return {
            "train": self.accuracy(self.images.train, few),
            "validation": self.accuracy(self.images.validation),
            "test": self.accuracy(self.images.test),
        }

    # State ------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on; tensors, numbers, texts, lists and dicts only."""
        return {
            "identity": self._identity(),
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "stream": self._stream.get_state(),
            "history": [asdict(result) for result in self.history],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where another training was.

        Raises:
            UserError: that training had other arguments.
        """
        own, given = self._identity(), state.get("identity", {})
        for name, value in own.items():
            if given.get(name) != value:
                raise UserError(
                    f"the checkpoint has {name} = {given.get(name)!r}, this training {value!r}"
                )
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._stream.set_state(state["stream"])
        self.history = [EpochResult(**result) for result in state["history"]]

    def _identity(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "matrix": np.asarray(self.cell.matrix).tolist(),
            "ops": list(self.cell.ops),
            "images": self.images.source.name,
            "training images": len(self.images.train),
            "seed": self.seed,
            **self.settings.as_dict(),
        }

    def _check_finite(self, totals: Tensor) -> None:
        values: dict[str, list[Tensor]] = {
            "training loss": [totals[0]],
            "weights": list(self.network.parameters()),
        }
        for what, tensors in values.items():
            if not torch.stack([t.detach().isfinite().all() for t in tensors]).all():
                raise Diverged(
                    f"the training of {self.cell.module_hash} diverged in epoch {self.epoch + 1} "
                    f"of {self.settings.epochs}: {what} not finite; try a lower learning rate than "
                    f"{self.settings.learning_rate}"
                )
