"""Every option of every method changes something."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache
from typing import Any

import pytest

from raynas.oneshot import method_info, method_names
from tests.support.searches import digest, result, tiny_search

#: Another value for each option, and what else must be set for it to matter.
NETWORK = {
    "channels": (8, {}),
    "cells": (3, {}),
    "flavour": ("published", {"cells": 3}),
    "statistics": ("running", {}),
    "calibration_batches": (1, {"statistics": "recalibrated"}),
    "epochs": (3, {}),
    "batch_size": (24, {}),
    "learning_rate": (0.05, {}),
    "learning_rate_min": (0.01, {}),
    "momentum": (0.5, {}),
    "weight_decay": (0.1, {}),
    "gradient_clip": (0.01, {}),
    "crop_padding": (3, {}),
    "cutout_length": (2, {"cutout_probability": 1.0}),
    "cutout_probability": (1.0, {}),
    "cutout_ramp": (True, {"cutout_probability": 1.0}),
    "precision": ("bf16", {}),
}
GRADIENT = {
    "warm_start_epochs": (1, {}),
    "arch_learning_rate": (0.01, {}),
    "arch_weight_decay": (0.1, {}),
    "arch_betas": ((0.9, 0.9), {}),
    "arch_gradient_clip": (1e-6, {}),
}
OWN = {
    "darts2": {"hessian_radius": (1.0, {"learning_rate": 0.5})},
    "gdas": {"tau_max": (3.0, {}), "tau_min": (0.1, {}), "sampling": ("cell", {})},
    "pc_darts": {"partial_channels": (2, {})},
    "random_ws": {
        "candidates": (24, {"finalists": 1}),
        "candidate_batches": (3, {"candidates": 24, "finalists": 1}),
        "finalists": (24, {"candidates": 24}),
        "final_rounds": (8, {}),
    },
}


def options(method: str) -> dict[str, tuple[Any, dict[str, Any]]]:
    gradient = {} if method == "random_ws" else GRADIENT
    return NETWORK | gradient | OWN.get(method, {})


@cache
def outcome(method: str, values: tuple[tuple[str, Any], ...]) -> str:
    """What came of two epochs; the optimizers' own state would repeat the options."""
    search = tiny_search(method, per_half=32, **dict(values))
    records = [replace(record, learning_rate=0.0) for record in search.advance(2)]
    weights = search.method.network.state_dict()
    return digest([[result(record) for record in records], weights, search.alphas()])


# Common options go through what all methods share: DARTS stands for them.
CASES = [(method, name) for method in method_names() for name in OWN.get(method, options(method))]


@pytest.mark.parametrize(("method", "name"), CASES)
def test_the_option_changes_something(method: str, name: str) -> None:
    value, needed = options(method)[name]
    before = outcome(method, tuple(needed.items()))
    assert outcome(method, tuple((needed | {name: value}).items())) != before


@pytest.mark.parametrize("method", method_names())
def test_every_option_is_in_the_table(method: str) -> None:
    known = {field.name for field in fields(method_info(method).load().settings_type)}
    assert known == set(options(method))
