"""RMSProp in TensorFlow's form."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn


class RMSProp(torch.optim.Optimizer):
    """RMSProp with momentum as TensorFlow 1 computes it, with which NAS-Bench-101 was trained.

    It differs from `torch.optim.RMSprop` in three ways, which matter with an epsilon of 1: epsilon
    is added below the root; the mean of squares starts from 1; and the learning rate enters the
    momentum buffer, so that older steps keep theirs. Weight decay is added to the gradient.

    Args:
        parameters: what to move.
        lr: learning rate.
        momentum: share of the last step in the next one.
        decay: share of the old value in the mean of squares.
        epsilon: see above.
        weight_decay: its gradient is this times the parameter.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float,
        momentum: float,
        decay: float,
        epsilon: float,
        weight_decay: float,
    ) -> None:
        names = ("lr", "momentum", "decay", "epsilon", "weight_decay")
        values = (lr, momentum, decay, epsilon, weight_decay)
        super().__init__(parameters, dict(zip(names, values, strict=True)))

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move all parameters that have a gradient.

        Raises:
            ValueError: for a closure, which nothing here needs.
        """
        if closure is not None:
            raise ValueError("this optimizer takes no closure")
        for group in self.param_groups:
            moved = [p for p in group["params"] if p.grad is not None]
            if not moved:
                continue
            gradients = [p.grad for p in moved]
            if group["weight_decay"]:
                gradients = list(torch._foreach_add(gradients, moved, alpha=group["weight_decay"]))
            squares = self._state(moved, "squares", 1.0)
            steps = self._state(moved, "steps", 0.0)
            torch._foreach_mul_(squares, group["decay"])
            torch._foreach_addcmul_(squares, gradients, gradients, value=1 - group["decay"])
            roots = torch._foreach_add(squares, group["epsilon"])
            torch._foreach_sqrt_(roots)
            torch._foreach_mul_(steps, group["momentum"])
            torch._foreach_addcdiv_(steps, gradients, roots, value=group["lr"])
            torch._foreach_sub_(moved, steps)

    def _state(self, parameters: list[Tensor], name: str, start: float) -> list[Tensor]:
        for parameter in parameters:
            if name not in self.state[parameter]:
                self.state[parameter][name] = torch.full_like(parameter, start)
        return [self.state[parameter][name] for parameter in parameters]
