"""DARTS, second order."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from raynas.images import Batch
from raynas.oneshot._gradient import alpha_gradient
from raynas.oneshot._settings import GradientSettings
from raynas.oneshot.darts import Darts
from raynas.supernet.weights import ArchitectureWeights

Tensors = list[Tensor]


@dataclass(frozen=True, kw_only=True)
class Darts2Settings(GradientSettings):
    """Settings of second-order DARTS.

    Attributes:
        hessian_radius: the finite difference moves the weights by this over the norm of the
            direction (Liu et al. 2019, footnote of section 2.3).
    """

    hessian_radius: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_positive("hessian_radius")


class Darts2(Darts):
    """DARTS with the architecture gradient after a virtual step of the weights.

    Liu, Simonyan and Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, equations 7
    and 8. The virtual step is that of the weight optimizer, with its momentum buffers, weight decay
    and current learning rate, but without clipping, as in their code. Neither it nor the
    finite difference touches the network's weights or running statistics. The finite difference is
    computed in float32 whatever the precision: bfloat16 would round most of it away.
    """

    name = "darts2"
    capturable = True
    settings_type = Darts2Settings
    settings: Darts2Settings

    def architecture_step(self, train: Batch, validation: Batch) -> None:
        """Adam with the unrolled gradient; see `OneShotMethod.architecture_step`."""
        self.move_alphas(self.unrolled_gradient(train, validation))

    def unrolled_gradient(self, train: Batch, validation: Batch) -> Tensors:
        """Gradient of L_val(w', alpha), where w' = w - rate * step(w, alpha)."""
        alphas = self.alphas.tensors()
        weights = [weight.detach().clone() for weight in self.network.parameters()]
        rate = self.weight_optimizer.param_groups[0]["lr"]
        virtual = self._virtual_step(weights, rate, train)
        loss = self._loss(virtual, self._cast(validation), self.mixing_weights())
        gradient = torch.autograd.grad(
            loss, [*alphas, *virtual], allow_unused=True, materialize_grads=True
        )
        direct, direction = gradient[: len(alphas)], list(gradient[len(alphas) :])
        product = self._hessian_product(weights, direction, train)
        return [own - rate * second for own, second in zip(direct, product, strict=True)]

    def _virtual_step(self, weights: Tensors, rate: float, train: Batch) -> Tensors:
        """The weights after one step of SGD on the training loss."""
        leaves = [weight.requires_grad_() for weight in weights]
        loss = self._loss(leaves, self._cast(train), self.mixing_weights().detach())
        gradient = torch.autograd.grad(loss, leaves)
        moved = []
        for own, weight, slope in zip(self.network.parameters(), leaves, gradient, strict=True):
            step = slope + self.settings.weight_decay * weight.detach()
            buffer = self.weight_optimizer.state[own].get("momentum_buffer")
            if buffer is not None:
                step = step + self.settings.momentum * buffer
            moved.append((weight.detach() - rate * step).requires_grad_())
        return moved

    def _hessian_product(self, weights: Tensors, direction: Tensors, train: Batch) -> Tensors:
        """Mixed second derivative of the training loss times a direction (equation 8)."""
        norm = torch.nn.utils.get_total_norm(direction)
        radius = self.settings.hessian_radius / norm
        slopes = []
        for distance in (radius, -radius):
            moved = self._moved(weights, distance, direction)
            loss = self._loss(moved, train, self.mixing_weights())
            slopes.append(alpha_gradient(loss, self.alphas))
        return [(plus - minus) / (2 * radius) for plus, minus in zip(*slopes, strict=True)]

    @staticmethod
    def _moved(weights: Tensors, distance: Tensor, direction: Tensors) -> Tensors:
        return [w.detach() + distance * d for w, d in zip(weights, direction, strict=True)]

    def _cast(self, batch: Batch) -> Batch:
        return Batch(self.cast(batch.images), batch.labels)

    def _loss(self, weights: Tensors, batch: Batch, mixing: ArchitectureWeights) -> Tensor:
        """Cross-entropy with other weights than the network's, in the precision of the images."""
        names = [name for name, _ in self.network.named_parameters()]
        state = dict(zip(names, weights, strict=True))
        state |= {name: buffer.clone() for name, buffer in self.network.named_buffers()}
        inputs = (batch.images, mixing)
        return cross_entropy(functional_call(self.network, state, inputs), batch.labels)
