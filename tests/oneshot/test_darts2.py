from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from raynas.images import Batch
from raynas.oneshot.darts2 import Darts2, Darts2Settings
from search_spaces.spaces import load_space
from tests.support.searches import digest, tiny_search


class Smooth(nn.Module):
    """Every architecture weight scales a part of a small smooth network."""

    def __init__(self) -> None:
        super().__init__()
        self.space = load_space("1")
        self.settings = SimpleNamespace(cells=1)
        generator = torch.Generator().manual_seed(0)
        self.first = nn.Parameter(torch.randn(24, 5, generator=generator).double())
        self.second = nn.Parameter(torch.randn(3, 24, generator=generator).double())

    def forward(self, images: Tensor, weights) -> Tensor:
        scales = torch.cat([tensor.reshape(-1) for tensor in weights.tensors])
        return torch.tanh(images @ self.first.T) * scales @ self.second.T


@pytest.fixture
def method() -> Darts2:
    """In double precision, with momentum buffers from two steps."""
    settings = Darts2Settings(learning_rate=0.3, weight_decay=0.02, hessian_radius=1e-4)
    own = Darts2(Smooth(), settings, torch.Generator().manual_seed(1))
    for alpha in own.alphas.tensors():
        alpha.data = 100 * alpha.data.double()
    for seed in (8, 9):
        own.weight_step(batch(seed))
    return own


def batch(seed: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(12, 5, generator=generator).double()
    return Batch(images, torch.randint(3, (12,), generator=generator))


def loss(method: Darts2, weights: list[Tensor], data: Batch) -> Tensor:
    names = [name for name, _ in method.network.named_parameters()]
    state = dict(zip(names, weights, strict=True))
    inputs = (data.images, method.alphas.softmax())
    return cross_entropy(torch.func.functional_call(method.network, state, inputs), data.labels)


def exact_gradient(method: Darts2, train: Batch, validation: Batch) -> tuple[Tensor, ...]:
    """Derivative through one step of SGD, by automatic differentiation of the whole."""
    weights = [weight.detach().requires_grad_() for weight in method.network.parameters()]
    slopes = torch.autograd.grad(loss(method, weights, train), weights, create_graph=True)
    state = method.weight_optimizer.state
    moved = [
        weight - 0.3 * (0.9 * state[own]["momentum_buffer"] + slope + 0.02 * weight)
        for own, weight, slope in zip(method.network.parameters(), weights, slopes, strict=True)
    ]
    return torch.autograd.grad(loss(method, moved, validation), method.alphas.tensors())


def test_the_gradient_is_the_exact_mixed_derivative(method: Darts2) -> None:
    train, validation = batch(1), batch(2)
    found = method.unrolled_gradient(train, validation)
    exact = exact_gradient(method, train, validation)
    first_order = method.alpha_gradient(validation)
    for own, right, simple in zip(found, exact, first_order, strict=True):
        assert torch.allclose(own, right, rtol=1e-5, atol=1e-9)
        assert not torch.allclose(simple, right, rtol=0.05)


def test_the_virtual_step_is_the_optimizers(method: Darts2) -> None:
    weights = [weight.detach().clone() for weight in method.network.parameters()]
    moved = method._virtual_step(weights, 0.3, batch(1))
    method.settings = Darts2Settings(gradient_clip=1e9)
    method.weight_step(batch(1))
    for virtual, real in zip(moved, method.network.parameters(), strict=True):
        assert torch.allclose(virtual, real, rtol=1e-12)


def test_the_first_step_has_no_momentum() -> None:
    settings = Darts2Settings(learning_rate=0.1, weight_decay=0.02, hessian_radius=1e-4)
    own = Darts2(Smooth(), settings, torch.Generator().manual_seed(1))
    weights = [weight.detach().clone() for weight in own.network.parameters()]
    moved = own._virtual_step(weights, 0.1, batch(1))
    own.settings = Darts2Settings(gradient_clip=1e9)
    own.weight_step(batch(1))
    for virtual, real in zip(moved, own.network.parameters(), strict=True):
        assert torch.allclose(virtual, real, rtol=1e-12)


def test_the_current_learning_rate_is_used(method: Darts2) -> None:
    before = method.unrolled_gradient(batch(1), batch(2))
    method.weight_optimizer.param_groups[0]["lr"] = 0.0
    still = method.unrolled_gradient(batch(1), batch(2))
    for own, other, simple in zip(before, still, method.alpha_gradient(batch(2)), strict=True):
        assert not torch.allclose(own, other)
        assert torch.allclose(other, simple)


def test_the_architecture_step_leaves_the_network_alone() -> None:
    search = tiny_search("darts2")
    search.advance()
    before = digest(
        [search.method.network.state_dict(), search.method.weight_optimizer.state_dict()]
    )
    train, validation = search.images.train.in_order(24)
    search.method.architecture_step(train, validation)
    after = digest(
        [search.method.network.state_dict(), search.method.weight_optimizer.state_dict()]
    )
    assert after == before


def test_the_finite_difference_is_as_exact_in_bf16() -> None:
    """In bfloat16 it would be noise: a cosine to that of float32 of -0.86 to 0.02."""
    products = []
    for precision in ("float32", "bf16"):
        method = tiny_search("darts2", precision=precision).method
        generator = torch.Generator().manual_seed(1)
        weights = [weight.detach() for weight in method.network.parameters()]
        direction = [torch.randn(weight.shape, generator=generator) for weight in weights]
        images = torch.randn(24, 1, 8, 8, generator=generator)
        data = Batch(images, torch.randint(10, (24,), generator=generator))
        products.append(method._hessian_product(weights, direction, data))
    for exact, found in zip(*products, strict=True):
        assert torch.equal(exact, found)
