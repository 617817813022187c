"""Few channels are computed another way, with the same result."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from raynas.supernet import narrow_passes
from raynas.supernet.narrow_passes import max_pool, max_pool_backward
from search_spaces.spaces import load_space
from tests.support.supernets import SMALL, generator, images, labels, small_supernet, spread_alphas


@pytest.mark.parametrize("channels", [1, 2, 4, 7, 8])
@pytest.mark.parametrize("number", [16, 6, 7])
def test_pooling_is_that_of_single_images(number: int, channels: int) -> None:
    x = torch.randn(number, channels, 5, 4, generator=generator()).relu()  # with equal values
    x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
    expected = functional.max_pool2d(x, 3, 1, 1)
    result, where = max_pool(x.detach())
    assert torch.equal(result, expected)
    slope = torch.randn(expected.shape, generator=generator(1))
    (gradient,) = torch.autograd.grad(expected, x, slope)
    assert torch.equal(max_pool_backward(slope, x.detach(), where), gradient)


@pytest.mark.parametrize("learning", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_two_convolutions_in_one(
    learning: bool, training: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a block with 4 of 8 channels; see `test_network` for the comparison with a plain one."""
    passed: list[int] = []
    forward = narrow_passes.PairPass.forward

    def watched(self: narrow_passes.PairPass, x: Tensor, tape: list[Tensor]) -> list[Tensor]:
        passed.append(x.shape[1])
        return forward(self, x, tape)

    monkeypatch.setattr(narrow_passes.PairPass, "forward", watched)
    space = load_space("1")
    found = []
    for enough in (8, 0):
        monkeypatch.setattr(narrow_passes, "ENOUGH_CHANNELS", enough)
        settings = replace(SMALL, channels=8, partial_channels=2)
        supernet = small_supernet(space, settings).double().train(training)
        supernet.requires_grad_(learning)
        alphas = spread_alphas(space)
        weights = alphas.softmax()
        weights = weights._mapped([tensor.double() for tensor in weights.tensors])
        loss = functional.cross_entropy(supernet(images().double(), weights), labels())
        wanted = [*alphas.tensors(), *(p for p in supernet.parameters() if p.requires_grad)]
        gradients = torch.autograd.grad(loss, wanted)
        found.append([loss.detach(), *gradients, *supernet.buffers()])
    assert set(passed) == {4}
    for narrow, wide in zip(*found, strict=True):
        assert torch.allclose(narrow, wide, rtol=1e-6, atol=1e-9)
