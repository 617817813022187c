"""GDAS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from raynas.oneshot._gradient import GradientMethod
from raynas.oneshot._settings import GradientSettings
from raynas.supernet.weights import ActivePaths, ArchitectureWeights, on_device


@dataclass(frozen=True, kw_only=True)
class GdasSettings(GradientSettings):
    """Settings of GDAS.

    Attributes:
        arch_gradient_clip: see `GradientSettings` (Zela et al. 2020).
        tau_max: temperature in the first epoch (Dong and Yang 2019).
        tau_min: temperature in the last epoch.
        sampling: one sample for all cells ("network", as in the paper), or one for each cell
            ("cell", as Zela et al. 2020 released it).
    """

    arch_gradient_clip: float | None = 5.0
    tau_max: float = 10.0
    tau_min: float = 1.0
    sampling: Literal["network", "cell"] = "network"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(0 < self.tau_min <= self.tau_max, "tau_min", "must be in (0, tau_max]")

    @classmethod
    def choices(cls) -> dict[str, tuple[str, ...]]:
        """See `SearchSettings.choices`."""
        return super().choices() | {"sampling": ("network", "cell")}


class Gdas(GradientMethod):
    """One sampled operation per block, differentiable by the Gumbel-softmax trick.

    Dong and Yang, "Searching for a Robust Neural Architecture in Four GPU Hours", CVPR 2019.
    Operations are hard samples with the gradient of the soft ones (straight through). Edges are
    soft samples (Zela et al. 2020: hard ones made gradients explode).

    On a CPU only the sampled operations are computed. A GPU would have to be waited for to know
    them, twice per step; there all are computed and weighted with 0 or 1. The architecture gradient
    is the same, through the sampled operations alone; the others' parameters receive zeros as
    gradient, and keep decaying and following their momentum.
    """

    name = "gdas"
    settings_type = GdasSettings
    settings: GdasSettings
    tau: float

    def start_epoch(self, epoch: int) -> None:
        """Set the temperature: linear from the first epoch to the last."""
        progress = epoch / max(self.settings.epochs - 1, 1)
        self.tau = self.settings.tau_max + progress * (
            self.settings.tau_min - self.settings.tau_max
        )

    def mixing_weights(self) -> ArchitectureWeights:
        """A new sample: hard operations, soft edges."""
        per_cell = self.settings.sampling == "cell"
        copies = (self.network.settings.cells,) if per_cell else ()
        operation = self._sample(self.alphas.operation, copies)
        output, *inputs = (
            self._sample(row[0], copies) for row in (self.alphas.output, *self.alphas.inputs)
        )
        return _hard(operation, tuple(inputs), output)

    def evaluation_weights(self) -> ArchitectureWeights:
        """The likeliest operations, and the edges without noise."""
        soft = self.alphas.softmax()
        return _hard(soft.operation, soft.inputs, soft.output)

    def _sample(self, logits: Tensor, copies: tuple[int, ...]) -> Tensor:
        """Gumbel-softmax over the last dimension, shape (*copies, *logits.shape)."""
        waiting = torch.empty(*copies, *logits.shape).exponential_(generator=self.generator)
        noise = on_device(-waiting.clamp_min(1e-20).log(), logits.device)
        return ((logits.log_softmax(-1) + noise) / self.tau).softmax(-1)


def _hard(operation: Tensor, inputs: tuple[Tensor, ...], output: Tensor) -> ArchitectureWeights:
    """Operations as 0 and 1 with the gradient of the given probabilities."""
    chosen = operation.detach().argmax(-1)
    ones = torch.zeros_like(operation).scatter_(-1, chosen[..., None], 1)
    # In this order the difference is exactly zero, and the value exactly 0 or 1. The factor keeps
    # gradients of operations that were not sampled away, where they are computed.
    straight_through = ones * (1 + (operation - operation.detach()))
    if chosen.device.type != "cpu":
        return ArchitectureWeights(straight_through, inputs, output)
    edges = tuple(tuple(range(row.shape[-1])) for row in inputs)
    active = tuple(
        ActivePaths(tuple((column,) for column in columns), edges, tuple(range(output.shape[-1])))
        for columns in chosen.reshape(-1, chosen.shape[-1]).tolist()
    )
    return ArchitectureWeights(straight_through, inputs, output, active)
