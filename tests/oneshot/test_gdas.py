from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.support.searches import tiny_search


def test_the_temperature_falls_linearly_once_per_epoch() -> None:
    search = tiny_search("gdas", epochs=10)
    seen = []
    weight_step = search.method.weight_step

    def watched_step(train):
        seen.append(search.method.tau)
        return weight_step(train)

    search.method.weight_step = watched_step
    search.advance(10)
    assert seen == pytest.approx([tau for tau in range(10, 0, -1) for _ in range(3)])


def test_operations_are_hard_and_edges_soft() -> None:
    own = tiny_search("gdas", space="3").method
    own.start_epoch(0)
    weights = own.mixing_weights()
    assert weights.operation.shape == (5, 3)
    assert sorted(set(weights.operation.flatten().tolist())) == [0.0, 1.0]
    assert weights.operation.sum(1).tolist() == [1.0] * 5
    for row in (*weights.inputs, weights.output):
        assert ((row > 0) & (row < 1)).all()
        assert row.sum().item() == pytest.approx(1)


def test_only_the_sampled_operations_are_computed() -> None:
    own = tiny_search("gdas").method
    own.start_epoch(0)
    weights = own.mixing_weights()
    chosen = weights.operation.argmax(1).tolist()
    assert [columns for (columns,) in weights.active[0].operation] == chosen
    assert [len(row) for row in weights.active[0].inputs] == [len(row) for row in weights.inputs]


def test_samples_differ_between_calls_and_follow_the_probabilities() -> None:
    search = tiny_search("gdas")
    own = search.method
    own.start_epoch(0)
    own.alphas.operation.data[0] = torch.tensor([0.5, 0.3, 0.2]).log()
    drawn = torch.stack([own.mixing_weights().operation[0] for _ in range(1500)])
    assert drawn.mean(0).tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.05)


@pytest.mark.parametrize("sampling", ["network", "cell"])
def test_one_sample_for_all_cells_or_one_for_each(sampling: str) -> None:
    own = tiny_search("gdas", sampling=sampling, space="3").method
    own.start_epoch(0)
    weights = own.mixing_weights()
    first, second = weights.cell(0), weights.cell(1)
    assert torch.equal(first.output, second.output) == (sampling == "network")
    assert torch.equal(first.inputs[0], second.inputs[0]) == (sampling == "network")
    drawn = [own.mixing_weights() for _ in range(5)]
    same = all(torch.equal(w.cell(0).operation, w.cell(1).operation) for w in drawn)
    assert same == (sampling == "network")


def test_evaluation_has_no_noise() -> None:
    own = tiny_search("gdas").method
    before = own.generator.get_state()
    first, second = own.evaluation_weights(), own.evaluation_weights()
    assert torch.equal(own.generator.get_state(), before)
    assert torch.equal(first.operation, second.operation)
    assert first.operation.argmax(1).tolist() == own.alphas.operation.argmax(1).tolist()
    assert torch.equal(first.output, own.alphas.softmax().output)


def test_every_alpha_gets_a_gradient_and_the_gradient_is_clipped() -> None:
    search = tiny_search("gdas", space="3", arch_gradient_clip=1e-4)
    search.method.start_epoch(0)
    train, validation = search.images.train.in_order(24)
    search.method.architecture_step(train, validation)
    gradients = [alpha.grad for alpha in search.method.alphas.tensors()]
    assert all((gradient != 0).all() for gradient in gradients)
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm().item()
    assert norm <= 1.0001e-4


def test_the_straight_through_gradient_is_that_of_the_soft_sample() -> None:
    """Of the sampled operations: the others are not differentiated, computed or not."""
    own = tiny_search("gdas").method
    own.start_epoch(0)
    state = own.generator.get_state()
    slope = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    sampled = own.mixing_weights().operation
    (hard,) = torch.autograd.grad((sampled * slope).sum(), own.alphas.operation)
    own.generator.set_state(state)
    soft = own._sample(own.alphas.operation, ())
    (expected,) = torch.autograd.grad((soft * sampled.detach() * slope).sum(), own.alphas.operation)
    assert torch.allclose(hard, expected)


@pytest.mark.parametrize("sampling", ["network", "cell"])
def test_a_gpu_has_the_same_architecture_gradient(
    sampling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There all operations are computed, and those that were not sampled weighted with 0."""
    search = tiny_search("gdas", space="3", sampling=sampling)
    own = search.method
    own.start_epoch(0)
    (batch,) = search.images.validation.in_order(24, 1)
    state = own.generator.get_state()
    expected = own.alpha_gradient(batch)
    own.generator.set_state(state)
    drawn = own.mixing_weights
    monkeypatch.setattr(own, "mixing_weights", lambda: replace(drawn(), active=None))
    for found, gradient in zip(own.alpha_gradient(batch), expected, strict=True):
        assert torch.allclose(found, gradient, rtol=1e-3, atol=1e-6)
