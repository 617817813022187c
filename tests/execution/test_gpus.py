"""How many searches share a GPU, and the dry runs that find it out."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from raynas.execution import gpus
from raynas.execution.gpus import (
    dry_settings,
    fraction_for,
    fractions,
    larger_fraction,
    same_memory,
    trial_resources,
)
from raynas.oneshot import method_names, method_settings
from search_spaces.errors import UserError
from tests.execution.conftest import MakePlan
from tests.support.search_plans import search_plan, small_settings
from tests.support.searches import Starving


def test_shares_of_a_gpu() -> None:
    gib = 2**30
    assert fraction_for(4 * gib, 80 * gib) == 0.07  # (1.25 * 4 + 0.59) / 80
    assert fraction_for(1, 80 * gib) == 0.01
    assert fraction_for(70 * gib, 80 * gib) == 1.0
    assert fraction_for(200 * gib, 80 * gib) == 1.0
    fractions = [fraction_for(peak * gib, 80 * gib) for peak in range(1, 80)]
    assert fractions == sorted(fractions)
    with pytest.raises(ValueError):
        fraction_for(0, gib)
    assert larger_fraction(0.25) == 0.5 and larger_fraction(0.7) == 1.0
    assert larger_fraction(1.0) is None and larger_fraction(0.0) is None
    assert trial_resources(0.25) == {"CPU": 1.0, "GPU": 0.25}
    assert trial_resources(0.0) == {"CPU": 1.0}


def test_who_finds_the_share_of_a_gpu(make_plan: MakePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    def shares(gpus: float, **changes: object) -> dict[str, float]:
        monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 2.0, "GPU": gpus})
        searches = search_plan("darts", "gdas", **changes)
        return fractions(make_plan(methods=("rs", "darts", "gdas"), searches=searches), None)

    assert shares(4.0) == {"darts": 0.0, "gdas": 0.0}  # on the CPU, whatever there is
    assert shares(4.0, device="cuda", gpus_per_trial=0.25) == {"darts": 0.25, "gdas": 0.25}
    with pytest.raises(UserError, match="the Ray cluster has no GPU; use --device cpu"):
        shares(0.0, device="cuda")


@pytest.mark.parametrize("method", method_names())
def test_a_dry_run_is_short_and_as_large_as_the_search(method: str) -> None:
    usual = method_settings(method, epochs=7, channels=8)
    if method != "random_ws":
        usual = replace(usual, warm_start_epochs=3)
    dry = dry_settings(usual)
    assert dry.epochs == 2 and getattr(dry, "warm_start_epochs", 0) == 0
    assert getattr(dry, "candidates", 1) == 1
    same = ("channels", "cells", "batch_size", "precision", "partial_channels")
    assert all(getattr(dry, n, None) == getattr(usual, n, None) for n in same)


def test_a_dry_run_reports_the_largest_of_its_peaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real search on the CPU; only what the GPU would say is made up."""
    total, reserved = 80 * 2**30, 2**40
    size = SimpleNamespace(total_memory=total)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda _: size)
    monkeypatch.setattr("torch.cuda.max_memory_reserved", lambda: 0)
    plan = search_plan("darts")
    decoded = plan.images.read("search")
    peak, found = gpus._measure(plan, "darts", "1", decoded)
    assert found == total and decoded.pixels.nbytes < peak < total
    monkeypatch.setattr("torch.cuda.max_memory_reserved", lambda: reserved)
    assert gpus._measure(plan, "darts", "1", decoded) == (reserved + decoded.pixels.nbytes, total)
    full = search_plan("starving", classes={"starving": Starving})
    assert gpus._measure(full, "starving", "1", decoded) == (total, total)


def test_settings_that_change_no_size_share_a_dry_run() -> None:
    plan = search_plan("darts")
    base = plan.settings["darts"]
    settings = {
        "darts (a=1)": base,
        "darts (a=2)": replace(base, weight_decay=0.1, learning_rate=1.0, epochs=9),
        "darts (a=3)": replace(base, channels=base.channels + 1),
        "gdas (a=1)": small_settings("gdas"),
    }
    found = same_memory(replace(plan, settings=settings))
    assert found == {
        "darts (a=1)": ["darts (a=1)", "darts (a=2)"],
        "darts (a=3)": ["darts (a=3)"],
        "gdas (a=1)": ["gdas (a=1)"],
    }
