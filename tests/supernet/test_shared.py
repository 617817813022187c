"""Many architectures at once give what each gives alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from raynas.supernet import STATISTICS, Supernet, evaluation, extract
from raynas.supernet.rules import RULES, rule_weights
from raynas.supernet.shared import SharedEvaluator, layers
from raynas.supernet.shared.layers import max_pool_3x3
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from tests.support.supernets import SMALL, images, small_supernet, vectors

TINY = replace(SMALL, channels=4)


def together(
    supernet: Supernet,
    chosen: np.ndarray,
    rule: str,
    statistics: str,
    group_bytes: int = 1 << 22,
    sharing: int = 1,
) -> Tensor:
    weights = [rule_weights(supernet.space, v, rule, softmaxed=True) for v in chosen]
    evaluator = SharedEvaluator(supernet, group_bytes, sharing)
    found = torch.full((len(chosen), 8, 10), torch.nan)
    for group, members in evaluator.groups(weights, images()):
        (logits,) = evaluator.logits(group, statistics, [images()], calibration)
        for row, positions in zip(logits, members, strict=True):
            found[positions] = row
    return found


def alone(supernet: Supernet, vector: np.ndarray, rule: str, statistics: str) -> Tensor:
    weights = rule_weights(supernet.space, vector, rule, softmaxed=True)
    with torch.no_grad(), evaluation(supernet, statistics, weights, calibration()):
        logits: Tensor = supernet(images(), weights)
    return logits


def calibration() -> list[Tensor]:
    return [images(seed=seed) for seed in (5, 6, 7)]


SETTINGS = {1: TINY, 2: replace(TINY, partial_channels=2), 3: replace(TINY, flavour="published")}
# Every rule with every kind of statistics, and both kinds of supernets that are not the usual one.
CASES = [(1, rule, statistics) for rule in RULES for statistics in STATISTICS]
CASES += [(name, rule, "batch") for name in (2, 3) for rule in RULES]


@pytest.mark.parametrize(("name", "rule", "statistics"), CASES)
def test_together_is_as_alone(name: int, rule: str, statistics: str) -> None:
    space = load_space(name)
    supernet = small_supernet(space, SETTINGS[name])
    chosen = vectors(space, 5)
    found = together(supernet, chosen, rule, statistics)
    expected = torch.stack([alone(supernet, v, rule, statistics) for v in chosen])
    assert torch.allclose(found, expected, atol=2e-4), (found - expected).abs().max()


@pytest.mark.parametrize(("name", "rule", "statistics"), CASES)
def test_nothing_is_read_from_a_device_before_the_answers(
    name: int, rule: str, statistics: str
) -> None:
    """On the "meta" device there are no values to read, and tensors elsewhere are refused."""
    space = load_space(name)
    weights = [rule_weights(space, v, rule, softmaxed=True) for v in vectors(space, 5)]
    evaluator = SharedEvaluator(small_supernet(space, SETTINGS[name]).to("meta"))
    given = images().to("meta")
    seen: list[int] = []
    for group, members in evaluator.groups(weights, given):
        for logits in evaluator.logits(group, statistics, [given, given], lambda: [given]):
            assert logits.device.type == "meta" and logits.shape == (len(group), len(given), 10)
        seen += [position for positions in members for position in positions]
    assert sorted(seen) == list(range(5))


def test_many_of_one_topology_share_the_first_cell() -> None:
    space = load_space(1)
    supernet = small_supernet(space, TINY)
    chosen = np.repeat(vectors(space, 1), 9, 0)
    chosen[:, 0] = np.arange(9) % 3
    chosen[:, 3] = np.arange(9) // 3
    found = together(supernet, chosen, "corrected", "batch")
    expected = torch.stack([alone(supernet, v, "corrected", "batch") for v in chosen])
    assert torch.allclose(found, expected, atol=2e-4)


@pytest.mark.parametrize(
    ("channels", "pixels", "together"),
    [(2, 8, 40), (4, 32, 16), (16, 8, 16), (16, 32, 16), (64, 32, 5)],
)
def test_how_many_share_a_first_cell(channels: int, pixels: int, together: int) -> None:
    """Batches of 96 in float32: as many as fit into 4 MiB, or up to 16 within 128 MiB."""
    space = load_space(1)
    supernet = small_supernet(space, replace(TINY, channels=channels))
    given = torch.empty(96, 3, pixels, pixels, device="meta")
    sizes = []
    for edges in vectors(space, 5):  # the operations vary; of some edges not all blocks are used
        chosen = np.repeat(edges[None], 40, 0)
        chosen[:, :4] = np.arange(40)[:, None] // 3 ** np.arange(4) % 3
        weights = [rule_weights(space, v, "corrected", softmaxed=True) for v in chosen]
        groups = SharedEvaluator(supernet).groups(weights, given)
        sizes += [len(group) for group, _ in groups]
    assert max(sizes) == together


@pytest.mark.parametrize("statistics", STATISTICS)
@pytest.mark.parametrize(("group_bytes", "sharing"), [(1, 1), (1, 16), (1 << 14, 16)])
def test_the_size_of_groups_changes_nothing(
    group_bytes: int, sharing: int, statistics: str
) -> None:
    """Also where cells after the first are computed for fewer architectures at once."""
    space = load_space(2)
    supernet = small_supernet(space, TINY)
    chosen = vectors(space, 6)
    found = together(supernet, chosen, "corrected", statistics, group_bytes, sharing)
    assert torch.allclose(found, together(supernet, chosen, "corrected", statistics), atol=1e-4)


@pytest.mark.parametrize("small", [0, 1 << 16])
@pytest.mark.parametrize("statistics", STATISTICS)
def test_bf16(statistics: str, small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With either way to normalise; single logits differ by what bfloat16 rounds."""
    monkeypatch.setattr(layers, "_SMALL", small)
    supernet = small_supernet(load_space(1), TINY)
    chosen = vectors(supernet.space, 5)
    weights = [rule_weights(supernet.space, v, "corrected", softmaxed=True) for v in chosen]
    evaluator = SharedEvaluator(supernet)
    rough = [each.bfloat16() for each in (images(), *calibration())]
    for group, members in evaluator.groups(weights, rough[0]):
        (found,) = evaluator.logits(group, statistics, rough[:1], lambda: rough[1:])
        for logits, (position, *_) in zip(found, members, strict=True):
            exact = alone(supernet, chosen[position], "corrected", statistics)
            assert (logits - exact).norm() < 0.1 * exact.norm()


def test_a_group_is_larger_than_what_is_computed_together() -> None:
    supernet = small_supernet(load_space(1), TINY)
    chosen = np.repeat(vectors(supernet.space, 1), 9, 0)
    chosen[:, 0] = np.arange(9) % 3
    weights = [rule_weights(supernet.space, v, "corrected", softmaxed=True) for v in chosen]
    rows: list[int] = []
    evaluator = SharedEvaluator(supernet, group_bytes=1, sharing=16)
    supernet.head.classifier.register_forward_hook(lambda _m, given, _y: rows.append(len(given[0])))
    (group, _), *others = evaluator.groups(weights, images())
    (logits,) = evaluator.logits(group, "running", [images()])
    assert not others and len(logits) == 3 and rows == [1, 1, 1]


@torch.no_grad()
@pytest.mark.parametrize("name", [1, 2, 3])
def test_corrected_is_the_extracted_network(name: int) -> None:
    space = load_space(name)
    supernet = small_supernet(space, TINY)
    chosen = vectors(space, 4)
    for statistics in ("batch", "running"):
        networks = [extract(supernet, v).train(statistics == "batch") for v in chosen]
        expected = torch.stack([network(images()) for network in networks])
        found = together(supernet, chosen, "corrected", statistics)
        assert torch.allclose(found, expected, atol=2e-4)


def test_errors_of_the_published_rule() -> None:
    space = load_space(1)
    vector = next(v for v in vectors(space, 40) if space.decode(v).matrix[4, 5])
    right = rule_weights(space, vector, "corrected", softmaxed=True)
    wrong = rule_weights(space, vector, "published", softmaxed=True)
    assert right.output[4] == 1 and wrong.output[4] == 0
    assert wrong.output.sum() == 1
    rows = np.sort(wrong.operation.numpy(), axis=1)
    assert rows == pytest.approx(np.tile([0.2119, 0.2119, 0.5761], (4, 1)), abs=1e-4)
    without = rule_weights(space, vector, "published", softmaxed=False)
    assert torch.equal(without.operation, right.operation)
    assert without.output[4] == 0
    five = load_space(3)
    last = next(v for v in vectors(five, 40) if five.decode(v).matrix[5, 6])
    assert rule_weights(five, last, "published", softmaxed=True).output[5] == 0.5


def test_unknown_rule() -> None:
    with pytest.raises(UserError, match="corrected"):
        rule_weights(load_space(1), vectors(load_space(1), 1)[0], "other", softmaxed=True)


def test_pooling_by_rows_and_columns() -> None:
    x = torch.randn(2, 3, 5, 4, 6, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.max_pool2d(x.flatten(0, 1).permute(0, 3, 1, 2), 3, 1, 1)
    found = max_pool_3x3(x).flatten(0, 1).permute(0, 3, 1, 2)
    assert torch.equal(found, expected)
