"""A small cluster for the sweeps of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.ray_studies import clean_cluster


@pytest.fixture(scope="module")
def small_ray() -> Iterator[None]:
    """A local cluster that the sweeps of a module share."""
    with clean_cluster(gpus=0):
        yield
