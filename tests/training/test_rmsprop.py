from __future__ import annotations

import numpy as np
import pytest
import torch

from raynas.training import RMSProp

OPTIONS = {"lr": 0.2, "momentum": 0.9, "decay": 0.8, "epsilon": 1.0, "weight_decay": 0.01}


def test_steps_are_tensorflows() -> None:
    rng = np.random.default_rng(0)
    weights, gradients = rng.normal(size=(2, 3)), rng.normal(size=(4, 2, 3))
    parameter = torch.nn.Parameter(torch.tensor(weights))
    optimizer = RMSProp([parameter], **OPTIONS)
    expected, squares, steps = weights.copy(), np.ones((2, 3)), np.zeros((2, 3))
    for number, slope in enumerate(gradients):
        rate = 0.2 / (number + 1)
        slope = slope + 0.01 * expected
        squares = 0.8 * squares + 0.2 * slope**2
        steps = 0.9 * steps + rate * slope / np.sqrt(squares + 1.0)
        expected = expected - steps
        optimizer.param_groups[0]["lr"] = rate
        parameter.grad = torch.tensor(gradients[number])
        optimizer.step()
    np.testing.assert_allclose(parameter.detach().numpy(), expected, rtol=1e-12)


def test_parameters_without_gradient_stay() -> None:
    still, moved = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    optimizer = RMSProp([still, moved], **OPTIONS)
    moved.grad = torch.ones(2)
    optimizer.step()
    assert (still == 1).all() and (moved < 1).all()


def test_a_closure_is_refused() -> None:
    with pytest.raises(ValueError, match="closure"):
        RMSProp([torch.nn.Parameter(torch.ones(1))], **OPTIONS).step(lambda: 0.0)
