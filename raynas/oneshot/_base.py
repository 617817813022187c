"""What every one-shot method says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from raynas.images import Batch
from raynas.oneshot._evaluation import Evaluator
from raynas.oneshot._settings import SearchSettings, cast
from raynas.supernet.alphas import Alphas
from raynas.supernet.network import Supernet
from raynas.supernet.weights import ArchitectureWeights
from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
from search_spaces.space import Vectors


class OneShotMethod(ABC):
    """How a supernet is trained and an architecture found in it.

    A method says four things: the mixing weights of a step, the discretisation, the architecture
    step, and the weight step. Data, schedules, records and checkpoints are `Search`'s.

    Args:
        network: the supernet; its parameters are the shared weights.
        settings: of `settings_type`.
        generator: a CPU generator for the method's own random numbers.

    Attributes:
        name: what the user writes.
        settings_type: the class of its settings.
        alphas: the architecture parameters, if the method has such.
        warm_start_epochs: epochs at the beginning without architecture steps.
        capturable: whether all steps of an epoch run the same kernels on the same memory but for
            the batch, so that a GPU may replay them; false where paths or noise are drawn. Each
            class says it for itself: it is not inherited.
        weight_optimizer: SGD on the shared weights; `Search` sets its learning rate.
    """

    name: ClassVar[str]
    settings_type: ClassVar[type[SearchSettings]] = SearchSettings
    settings: Any
    alphas: Alphas | None = None
    warm_start_epochs: int = 0
    capturable: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.capturable = cls.__dict__.get("capturable", False)

    def __init__(
        self, network: Supernet, settings: SearchSettings, generator: torch.Generator
    ) -> None:
        self.network = network
        self.settings = settings
        self.generator = generator
        self.device = next(network.parameters()).device
        self.weight_optimizer = torch.optim.SGD(
            network.parameters(),
            lr=settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )

    @property
    def space(self) -> NASBench1Shot1Space:
        """The space that the supernet spans."""
        space: NASBench1Shot1Space = self.network.space
        return space

    # The four things --------------------------------------------------------------------------

    @abstractmethod
    def mixing_weights(self) -> ArchitectureWeights:
        """Weights of the next forward pass; sampling methods draw new ones at each call."""

    @abstractmethod
    def discretise(self) -> Vectors:
        """The architecture that the method has arrived at, a vector of the space (d,)."""

    def architecture_step(self, train: Batch, validation: Batch) -> None:  # noqa: B027
        """Move the architecture; called before each weight step, after the warm start.

        Args:
            train: the batch of the weight step to come.
            validation: a batch of the validation half, not augmented.
        """

    def weight_step(self, train: Batch) -> tuple[Tensor, Tensor]:
        """Move the shared weights.

        Returns:
            The loss, and the number of right answers, before the step; both on the device.
        """
        logits = self.network(self.cast(train.images), self.mixing_weights().detach())
        loss = cross_entropy(logits, train.labels)
        self.weight_optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.gradient_clip)
        self.weight_optimizer.step()
        return loss.detach(), (logits.argmax(1) == train.labels).sum()

    # What some methods add --------------------------------------------------------------------

    @staticmethod
    def network_options(settings: Any) -> dict[str, Any]:  # noqa: ARG004
        """Settings of the supernet that this method needs beside the common ones."""
        return {}

    def evaluation_weights(self) -> ArchitectureWeights:
        """Weights of the recorded one-shot validation accuracy; no random numbers."""
        return self.mixing_weights()

    def start_epoch(self, epoch: int) -> None:  # noqa: B027
        """Called before the steps of an epoch, counted from 0."""

    def end_epoch(self, epoch: int, evaluator: Evaluator) -> None:  # noqa: B027
        """Called after the steps of an epoch, before the architecture is recorded."""

    # State ------------------------------------------------------------------------------------

    def cast(self, images: Tensor) -> Tensor:
        """The images in the precision in which the network is to compute."""
        return cast(images, self.settings.precision)

    def state_dict(self) -> dict[str, Any]:
        """Everything that another object of the same method needs to go on."""
        return {
            "network": self.network.state_dict(),
            "weight_optimizer": self.weight_optimizer.state_dict(),
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where another object was."""
        self.network.load_state_dict(state["network"])
        self.weight_optimizer.load_state_dict(state["weight_optimizer"])
        self.generator.set_state(state["generator"])
