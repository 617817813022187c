"""DARTS, first order."""

from __future__ import annotations

from raynas.oneshot._gradient import GradientMethod
from raynas.supernet.weights import ArchitectureWeights


class Darts(GradientMethod):
    """Continuous relaxation by softmax; both steps use the current values of the other side.

    Liu, Simonyan and Yang, "DARTS: Differentiable Architecture Search", ICLR 2019.
    """

    name = "darts"
    capturable = True

    def mixing_weights(self) -> ArchitectureWeights:
        """Softmax over operations and over edges."""
        return self.alphas.softmax()
