"""Kernel densities many candidates at a time, against the plain sums and against SciPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import truncnorm

from raynas.optimizers._density import Density, contenders, density_ratios
from raynas.optimizers.kernel_densities import truncated_normal


def test_the_fast_choice_is_the_exact_one() -> None:
    """Of narrow and of wide densities, with and without options."""
    rng = np.random.default_rng(0)
    for categorical in ([False] * 5, [False, True, False, True, True]):
        kinds = np.array(categorical)
        for spread, least in itertools.product((0.3, 0.01), (1e-3, 0.1)):
            data = np.clip(rng.normal(0.4, spread, (5, 300)), 0, 1)
            data[kinds] = rng.integers(0, 3, (int(kinds.sum()), 300))
            good, bad = (Density.fit(part, kinds, least) for part in np.split(data, [90], axis=1))
            points = data[:, rng.integers(0, 300, 64)].T.copy()
            points[:, ~kinds] = np.clip(points[:, ~kinds] + rng.normal(0, 0.02), 0, 1)
            assert good.tame and bad.tame
            rough, error = bad.roughly_at(points)
            assert rough == pytest.approx(bad.at(points), rel=min(error, 1e-6))
            ratios, _ = density_ratios(bad, good, points)
            found = contenders(bad, good, points)
            assert ratios.argmin() in found and len(found) < 8


def test_draws_are_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    uniform, centres = rng.random((200, 3)), rng.choice([0.0, 1e-9, 0.2, 0.7, 1.0], (200, 3))
    scale = np.array([0.003, 0.2, 5.0])
    expected = truncnorm.ppf(uniform, -centres / scale, (1 - centres) / scale, centres, scale)
    found = truncated_normal(uniform, centres, scale)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-14)
    assert ((found >= 0) & (found <= 1)).all()
