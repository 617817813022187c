from __future__ import annotations

import pytest

from search_spaces.errors import UserError
from tests.support.searches import digest, tiny_search


def weights(method: str, **settings: object) -> int:
    network = tiny_search(method, **settings).method.network
    return sum(parameter.numel() for parameter in network.parameters())


def test_operations_see_a_part_of_the_channels() -> None:
    full, quarter = weights("darts", channels=8), weights("pc_darts", channels=8)
    half = weights("pc_darts", channels=8, partial_channels=2)
    assert quarter < half < full
    # Per block of width c: a 3x3 and a 1x1 convolution on c/p channels, with scale and shift.
    for part, count in ((4, quarter), (2, half)):
        saved = sum(4 * (10 * (c * c - (c // part) ** 2) + 4 * (c - c // part)) for c in (8, 16))
        assert full - count == saved


def test_all_channels_make_it_darts() -> None:
    assert weights("pc_darts", partial_channels=1) == weights("darts")


def test_the_warm_start_of_the_paper() -> None:
    search = tiny_search("pc_darts", epochs=4, warm_start_epochs=2)
    before = digest(search.alphas())
    moved = [digest(record.alphas) != before for record in search.advance(4)]
    assert moved == [False, False, True, True]


def test_channels_must_be_divisible() -> None:
    with pytest.raises(UserError, match="partial_channels = 3: must divide the 4 channels"):
        tiny_search("pc_darts", partial_channels=3)
