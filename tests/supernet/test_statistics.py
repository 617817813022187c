from __future__ import annotations

import pytest
import torch

from raynas.supernet import STATISTICS, Supernet, evaluation, extract, one_hot
from raynas.supernet.operations import Norm
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from tests.support.supernets import images, small_supernet, vectors

SPACE = load_space(3)
VECTOR = vectors(SPACE, 1)[0]
WEIGHTS = one_hot(SPACE, VECTOR, skip=True)


def _evaluate(supernet: Supernet, statistics: str) -> torch.Tensor:
    batches = [images(seed=seed) for seed in (10, 11, 12)]
    with torch.no_grad(), evaluation(supernet, statistics, WEIGHTS, batches):
        logits: torch.Tensor = supernet(images(), WEIGHTS)
    return logits


def test_choices_differ() -> None:
    supernet = small_supernet(SPACE)
    logits = [_evaluate(supernet, statistics) for statistics in STATISTICS]
    for i, one in enumerate(logits):
        assert all(not torch.allclose(one, other, atol=1e-3) for other in logits[:i])


@pytest.mark.parametrize("statistics", STATISTICS)
@pytest.mark.parametrize("training", [True, False])
def test_everything_is_as_before(statistics: str, training: bool) -> None:
    supernet = small_supernet(SPACE).train(training)
    norms = [module for module in supernet.modules() if isinstance(module, Norm)]
    before = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
    momenta = [norm.momentum for norm in norms]
    _evaluate(supernet, statistics)
    assert all(torch.equal(before[name], t) for name, t in supernet.state_dict().items())
    assert supernet.training is training
    assert [norm.mode for norm in norms] == ["train" if training else "running"] * len(norms)
    assert [norm.momentum for norm in norms] == momenta


def test_batch_statistics_are_those_of_training() -> None:
    supernet = small_supernet(SPACE)
    evaluated = _evaluate(supernet, "batch")
    assert torch.equal(evaluated, supernet.train()(images(), WEIGHTS))


def test_running_statistics_of_the_corrected_flavour_are_a_slow_mean() -> None:
    # With the released momentum one batch would replace them almost wholly.
    supernet = small_supernet(SPACE)
    norm = supernet.stem.norm
    before = norm.running_mean.clone()
    supernet(images() + 5, WEIGHTS)
    batch = torch.conv2d(images() + 5, supernet.stem.weight, padding=1).mean((0, 2, 3))
    moved = (norm.running_mean - before) / (batch - before)
    assert torch.allclose(moved, torch.full_like(moved, 0.003), rtol=1e-2)


def test_recalibration_is_the_mean_over_the_batches() -> None:
    supernet = small_supernet(SPACE)
    batches = [images(seed=seed) for seed in (10, 11, 12)]
    alone = extract(supernet, VECTOR).train()
    for module in alone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # PyTorch's cumulative mean
            module.reset_running_stats()
    with torch.no_grad():
        for batch in batches:
            alone(batch)
        expected = alone.eval()(images())
    assert torch.allclose(_evaluate(supernet, "recalibrated"), expected, atol=1e-5)


def test_statistics_return_after_an_error() -> None:
    supernet = small_supernet(SPACE)
    before = supernet.stem.norm.running_mean.clone()
    with pytest.raises(ZeroDivisionError), evaluation(supernet, "batch"):
        raise ZeroDivisionError
    assert supernet.training
    assert torch.equal(before, supernet.stem.norm.running_mean)


def test_wrong_arguments() -> None:
    supernet = small_supernet(SPACE)
    with pytest.raises(UserError, match="valid are: batch, recalibrated, running"):
        evaluation(supernet, "mean").__enter__()
    with pytest.raises(ValueError, match="at least one batch"):
        evaluation(supernet, "recalibrated", WEIGHTS).__enter__()
    with pytest.raises(ValueError, match="architecture's weights"):
        evaluation(supernet, "recalibrated", None, [images()]).__enter__()
    assert supernet.training
