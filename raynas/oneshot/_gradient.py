"""What the methods with architecture parameters share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from raynas.images import Batch
from raynas.oneshot._base import OneShotMethod
from raynas.oneshot._settings import GradientSettings
from raynas.supernet.alphas import Alphas
from raynas.supernet.network import Supernet
from search_spaces.space import Vectors


class GradientMethod(OneShotMethod):
    """Adam on architecture parameters, by the gradient of the validation loss.

    The gradient is that at the current weights (first order, Liu et al. 2019, equation 7 with
    xi = 0). What is left to say is `mixing_weights`.
    """

    settings_type = GradientSettings
    alphas: Alphas

    def __init__(
        self, network: Supernet, settings: GradientSettings, generator: torch.Generator
    ) -> None:
        super().__init__(network, settings, generator)
        self.warm_start_epochs = settings.warm_start_epochs
        self.alphas = Alphas(network.space, generator, self.device)
        self.alpha_optimizer = torch.optim.Adam(
            self.alphas.tensors(),
            lr=settings.arch_learning_rate,
            betas=settings.arch_betas,
            weight_decay=settings.arch_weight_decay,
            capturable=self.device.type == "cuda",
        )

    def discretise(self) -> Vectors:
        """The largest weights win; see `Alphas.discretise`."""
        return self.alphas.discretise(self.space)

    def architecture_step(self, train: Batch, validation: Batch) -> None:  # noqa: ARG002
        """One step of Adam; see `OneShotMethod.architecture_step`."""
        self.move_alphas(self.alpha_gradient(validation))

    def alpha_gradient(self, batch: Batch) -> list[Tensor]:
        """Gradient of the loss at the current weights, in the order of `Alphas.tensors`."""
        with frozen(self.network):
            return alpha_gradient(self.loss(batch), self.alphas)

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy of a batch, with new mixing weights."""
        logits = self.network(self.cast(batch.images), self.mixing_weights())
        return cross_entropy(logits, batch.labels)

    def move_alphas(self, gradient: Sequence[Tensor]) -> None:
        """Give Adam a gradient, clipped if the settings say so."""
        for alpha, part in zip(self.alphas.tensors(), gradient, strict=True):
            alpha.grad = part
        if self.settings.arch_gradient_clip is not None:
            limit = self.settings.arch_gradient_clip
            torch.nn.utils.clip_grad_norm_(self.alphas.tensors(), limit)
        self.alpha_optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """See `OneShotMethod.state_dict`."""
        own = {
            "alphas": self.alphas.state_dict(),
            "alpha_optimizer": self.alpha_optimizer.state_dict(),
        }
        return super().state_dict() | own

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `OneShotMethod.load_state_dict`."""
        super().load_state_dict(state)
        self.alphas.load_state_dict(state["alphas"])
        self.alpha_optimizer.load_state_dict(state["alpha_optimizer"])
        for group in self.alpha_optimizer.param_groups:  # the state may be of another device
            group["capturable"] = self.device.type == "cuda"


def alpha_gradient(loss: Tensor, alphas: Alphas) -> list[Tensor]:
    """Gradient of a loss; zero for architecture parameters that it does not depend on."""
    tensors = alphas.tensors()
    return list(torch.autograd.grad(loss, tensors, allow_unused=True, materialize_grads=True))


@contextmanager
def frozen(network: torch.nn.Module) -> Iterator[None]:
    """Spare the backward pass the gradients of the shared weights."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
