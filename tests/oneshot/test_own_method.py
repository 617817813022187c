"""A method of one's own is a short class."""

from __future__ import annotations

import torch

from raynas.oneshot import GradientMethod, GradientSettings, Search
from raynas.supernet.weights import ArchitectureWeights
from search_spaces.spaces import load_space
from tests.support.searches import TINY, tiny_images


class Sharp(GradientMethod):
    """DARTS with sparse weights: whatever is below a third of a row is left out."""

    name = "sharp"

    def mixing_weights(self) -> ArchitectureWeights:
        soft = self.alphas.softmax()
        operation = torch.where(soft.operation < 1 / 3, 0.0, soft.operation)
        return ArchitectureWeights(operation, soft.inputs, soft.output)


def test_a_class_is_enough() -> None:
    search = Search(Sharp, load_space("1"), tiny_images(), GradientSettings(**TINY))
    first, second = search.advance(2)
    assert first.vector and (second.alphas["output"] != first.alphas["output"]).all()
    assert search.state_dict()["identity"]["method"] == "sharp"
