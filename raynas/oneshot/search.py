"""The loop that every one-shot method shares."""

from __future__ import annotations

import ast
import math
import time
from copy import deepcopy
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from raynas.images import Augmentation, Pass, SearchImages
from raynas.oneshot._base import OneShotMethod
from raynas.oneshot._evaluation import Evaluator
from raynas.oneshot._memory import peak_memory, reset_peak_memory
from raynas.oneshot._record import Diverged, EpochRecord
from raynas.oneshot._registry import method_info
from raynas.oneshot._set_up import (
    augmentation,
    check_batch_size,
    generators,
    network_settings,
    sequence,
)
from raynas.oneshot._settings import SearchSettings
from raynas.oneshot.step_graph import step_function
from raynas.supernet.network import Supernet
from search_spaces.errors import UserError
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.space import Vectors
from search_spaces.spaces import load_space

_FORMAT = 1


@dataclass
class _Totals:
    """Sums over the steps of an epoch; they stay on the device."""

    loss: Tensor
    right: Tensor
    images: int = 0

    def add(self, loss: Tensor, right: Tensor, count: int) -> None:
        self.loss += loss
        self.right += right
        self.images += count


class Search:
    """One search: a supernet, a method, and how far they are.

    Equal arguments give equal results, bit by bit on a CPU. So does going on from a state that
    was taken between two epochs.

    Args:
        method: a name, see `method_names`, or the class of a method of one's own.
        space: space 1, 2 or 3.
        images: what to search on; the network lives on their device.
        settings: of the method; None for the published ones.
        seed: root of all random streams. Methods with the same seed start from the same shared
            weights, if their networks have the same shape, and see the same batches.

    Attributes:
        epoch: number of finished epochs.
        method: the method, with the network.
        evaluator: measures the network on the validation half.

    Raises:
        UserError: there is no such method, or a setting does not fit the images.
        TypeError: the settings belong to another method.
    """

    def __init__(
        self,
        method: str | type[OneShotMethod],
        space: NASBench1Shot1Space,
        images: SearchImages,
        settings: SearchSettings | None = None,
        *,
        seed: int | np.random.SeedSequence = 0,
    ) -> None:
        kind = method_info(method).load() if isinstance(method, str) else method
        settings = settings or kind.settings_type()
        if not isinstance(settings, kind.settings_type):
            expected, given = kind.settings_type.__name__, type(settings).__name__
            raise TypeError(f"settings of {kind.name!r} must be {expected}, not {given}")
        self.space, self.images, self.settings, self.epoch = space, images, settings, 0
        self.augmentation = augmentation(settings, images.source)
        check_batch_size(settings, images)
        self._seed = seed if isinstance(seed, np.random.SeedSequence) else sequence(seed)
        weights, own, self._train_stream, self._validation_stream = generators(self._seed, 4)
        network = Supernet(space, network_settings(kind, settings, images.source), weights)
        self.method = kind(network.to(images.train.pixels.device), settings, own)
        self.evaluator = Evaluator(network, images, settings)

    @staticmethod
    def from_state(
        state: dict[str, Any], images: SearchImages, kind: type[OneShotMethod] | None = None
    ) -> Search:
        """The search that a state is of, where it was.

        Args:
            state: see `state_dict`.
            images: those of that search.
            kind: the class, if it is a method of one's own.

        Raises:
            UserError: the images are others, or there is no such method.
        """
        identity = state["identity"]
        kind = kind or method_info(identity["method"]).load()
        names = {field.name for field in fields(kind.settings_type)}
        settings = kind.settings_type(**{n: v for n, v in identity.items() if n in names})
        # Entropy may be several numbers; the key is a flat tuple.
        entropy, key = identity["seed"].rsplit(" (", 1)
        spawn_key = ast.literal_eval(f"({key}")
        seed = np.random.SeedSequence(ast.literal_eval(entropy), spawn_key=spawn_key)
        space: Any = load_space(identity["space"])
        search = Search(kind, space, images, settings, seed=seed)
        search.load_state_dict(state)
        return search

    # Progress ---------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.epoch >= self.settings.epochs

    def advance(self, epochs: int = 1) -> list[EpochRecord]:
        """Train for some epochs, at most up to the last one.

        Returns:
            One record per epoch.

        Raises:
            Diverged: loss, weights or alphas are no longer finite. The search is of no use then.
        """
        remaining = self.settings.epochs - self.epoch
        return [self._advance_once() for _ in range(min(epochs, remaining))]

    def _advance_once(self) -> EpochRecord:
        started = time.perf_counter()
        device = self.method.device
        reset_peak_memory(device)
        rate = self.learning_rate(self.epoch)
        for group in self.method.weight_optimizer.param_groups:
            group["lr"] = rate
        self.method.start_epoch(self.epoch)
        totals = self._steps()
        self._check_finite(totals)
        self.method.end_epoch(self.epoch, self.evaluator)
        self.epoch += 1
        vector = self.method.discretise()
        trained = time.perf_counter()
        validation_accuracy = self.validation_accuracy()
        return EpochRecord(
            epoch=self.epoch,
            alphas=self.alphas(),
            vector=tuple(vector.tolist()),
            module_hash=self.space.decode(vector).module_hash,
            learning_rate=rate,
            train_loss=float(totals.loss) / (totals.images // self.settings.batch_size),
            train_accuracy=int(totals.right) / totals.images,
            validation_accuracy=validation_accuracy,
            seconds=trained - started,
            validation_seconds=time.perf_counter() - trained,
            peak_memory=peak_memory(device),
        )

    def _steps(self) -> _Totals:
        """One pass over the training half; the loop itself never waits for the device."""
        method, size = self.method, self.settings.batch_size
        train = Pass.draw(
            self.images.train, size, self._train_stream, self.augmentation_of(self.epoch)
        )
        validation = Pass.draw(self.images.validation, size, self._validation_stream)
        searching = self.epoch >= method.warm_start_epochs
        zeros = torch.zeros(2, device=method.device)
        totals = _Totals(zeros[0], zeros[1])
        take = step_function(method, searching=searching)
        for step in range(len(train)):
            loss, right = take(train[step], validation[step])
            totals.add(loss, right, size)
        if method.device.type == "cuda":
            method.weight_optimizer.zero_grad()  # they hold the memory of the epoch's graph
        return totals

    def learning_rate(self, epoch: int) -> float:
        """Learning rate of the weights in an epoch, counted from 0: half a cosine."""
        low, high = self.settings.learning_rate_min, self.settings.learning_rate
        return low + (high - low) * (1 + math.cos(math.pi * epoch / self.settings.epochs)) / 2

    # What can be asked ------------------------------------------------------------------------

    def alphas(self) -> dict[str, npt.NDArray[np.float32]]:
        """The architecture parameters by name; empty if the method has none."""
        if self.method.alphas is None:
            return {}
        return {name: t.cpu().numpy() for name, t in self.method.alphas.state_dict().items()}

    def validation_accuracy(self) -> float:
        """Share of right answers on the validation half with the evaluation weights."""
        weights = self.method.evaluation_weights()
        return float(self.evaluator.accuracy(weights, self.evaluator.validation_batches()))

    def evaluate(self, vectors: Vectors, batches: int | None = None) -> npt.NDArray[np.float64]:
        """Validation accuracy of discrete architectures with the shared weights.

        Args:
            vectors: architectures of the space, shape (n, d).
            batches: use the first so many batches of the validation half; None: all of it.

        Returns:
            Shares of right answers, shape (n,).
        """
        return self.evaluator.accuracies(vectors, self.evaluator.validation_batches(batches))

    # State ------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything that a search with the same arguments needs to go on from here.

        It holds tensors, numbers, texts, lists and dicts only, so that `torch.load` reads it with
        `weights_only=True`.
        """
        return {
            "identity": self._identity(),
            "epoch": self.epoch,
            "method": deepcopy(self.method.state_dict()),
            "train_stream": self._train_stream.get_state(),
            "validation_stream": self._validation_stream.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where another search was.

        Raises:
            UserError: that search had other arguments.
        """
        own, given = self._identity(), state["identity"]
        for name, value in own.items():
            if given.get(name) != value:
                raise UserError(
                    f"the checkpoint has {name} = {given.get(name)!r}, this search {value!r}"
                )
        self.epoch = state["epoch"]
        # Optimizers would go on in the very tensors of the state.
        self.method.load_state_dict(deepcopy(state["method"]))
        self._train_stream.set_state(state["train_stream"])
        self._validation_stream.set_state(state["validation_stream"])

    def _identity(self) -> dict[str, Any]:
        """What must be equal for a state to fit."""
        return {
            "format": _FORMAT,
            "method": self.method.name,
            "space": self.space.name,
            "images": self.images.source.name,
            "images per half": len(self.images.train),
            "seed": f"{self._seed.entropy} {self._seed.spawn_key}",
            **self.settings.as_dict(),
        }

    def augmentation_of(self, epoch: int) -> Augmentation:
        """How the training images vary in an epoch, counted from 0."""
        if not self.settings.cutout_ramp:
            return self.augmentation
        share = epoch / max(self.settings.epochs - 1, 1)
        probability = share * self.augmentation.cutout_probability
        return replace(self.augmentation, cutout_probability=probability)

    def _check_finite(self, totals: _Totals) -> None:
        """One look at the device per epoch: what is not finite once stays so."""
        alphas = [] if self.method.alphas is None else self.method.alphas.tensors()
        values: dict[str, list[Tensor]] = {
            "training loss": [totals.loss],
            "architecture parameters": alphas,
            "shared weights": list(self.method.network.parameters()),
        }
        for what, tensors in values.items():
            if tensors and not torch.stack([t.detach().isfinite().all() for t in tensors]).all():
                raise Diverged(
                    f"{self.method.name} on space {self.space.name} diverged in epoch "
                    f"{self.epoch + 1} of {self.settings.epochs}: {what} not finite; try a lower "
                    f"learning_rate than {self.settings.learning_rate}"
                )
