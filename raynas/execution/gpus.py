"""How many searches fit on a GPU."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from raynas.labels import base_method
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from raynas.execution.plan import Plan
    from raynas.execution.search_plan import SearchPlan
    from raynas.images import Images
    from raynas.oneshot import SearchSettings

#: What a process takes on a GPU beside its tensors: CUDA's context and loaded kernels.
CONTEXT_BYTES = 600 * 2**20
#: The allocator's fragments, and what a later epoch needs more than the dry run.
MARGIN = 1.25
#: Enough for steps to be captured and replayed.
_DRY_BATCHES = 5
_DRY: dict[str, Any] = {
    "epochs": 2,  # the second has what the first left reserved
    "warm_start_epochs": 0,
    "candidates": 1,
    "finalists": 1,
    "final_rounds": 0,
}
#: Settings that change no tensor's size.
_WEIGHTLESS = (
    "learning_rate",
    "weight_decay",
    "cutout_probability",
    "cutout_ramp",
)
_PARTS = 100


def fraction_for(peak: int, total: int) -> float:
    """The share of a GPU that a search needs, in hundredths, at most 1.

    Args:
        peak: bytes that a dry run had allocated at most.
        total: bytes of the GPU.

    Raises:
        ValueError: a number is not positive.
    """
    if peak <= 0 or total <= 0:
        raise ValueError(f"no number of bytes: {min(peak, total)}")
    return min(1.0, math.ceil(_PARTS * (MARGIN * peak + CONTEXT_BYTES) / total) / _PARTS)


def larger_fraction(fraction: float) -> float | None:
    """What to try after a search ran out of memory; None if it had no GPU, or a whole one."""
    if not 0 < fraction < 1:
        return None
    return min(1.0, 2 * fraction)


def trial_resources(gpus: float) -> dict[str, float]:
    """What a trial asks Ray for: one core, and a share of a GPU if it needs one."""
    return {"CPU": 1.0, "GPU": gpus} if gpus else {"CPU": 1.0}


def fractions(plan: Plan, images: Any) -> dict[str, float]:
    """The share of a GPU that a search of each method gets; found by dry runs if it is not given.

    Args:
        plan: with searches.
        images: Ray's reference to the decoded images.

    Raises:
        UserError: the cluster has no GPU, or not even a whole one is enough.
    """
    import ray

    searches = plan.searches
    assert searches is not None
    if searches.device == "cpu":
        return dict.fromkeys(searches.methods, 0.0)
    available = ray.cluster_resources().get("GPU", 0)  # type: ignore[no-untyped-call]
    if not available:
        raise UserError("the Ray cluster has no GPU; use --device cpu", exit_code=1)
    if searches.gpus_per_trial is not None:
        return dict.fromkeys(searches.methods, searches.gpus_per_trial)
    measure: Any = ray.remote(max_calls=1)(_measure).options(num_cpus=1, num_gpus=1)
    found: dict[str, float] = {}
    for method, alike in same_memory(searches).items():
        tasks = [measure.remote(searches, method, space, images) for space in searches.spaces]
        try:
            share = max(fraction_for(peak, total) for peak, total in ray.get(tasks))
        except ray.exceptions.RayTaskError:
            share = 1.0  # whatever it was, the search itself will meet it and tell
        found |= dict.fromkeys(alike, share)
    return found


def same_memory(searches: SearchPlan) -> dict[str, list[str]]:
    """Methods whose searches need the same memory, by the first of them.

    They are one method with settings that differ only in what no tensor's size depends on.
    """
    found: dict[tuple[Any, ...], list[str]] = {}
    for label, settings in searches.settings.items():
        values = {k: v for k, v in dry_settings(settings).as_dict().items() if k not in _WEIGHTLESS}
        found.setdefault((base_method(label), *values.items()), []).append(label)
    return {labels[0]: labels for labels in found.values()}


def dry_settings(settings: SearchSettings) -> SearchSettings:
    """The same search as far as its memory is concerned, and no longer than it must be."""
    names = {field.name for field in fields(settings)}
    return replace(settings, **{name: _DRY[name] for name in names & _DRY.keys()})


def _measure(searches: SearchPlan, method: str, space: str, decoded: Images) -> tuple[int, int]:
    """Peak of a few steps, and the size of the GPU, in bytes."""
    import torch

    from raynas.execution.supernet_actor import SearchSpec, SupernetActor
    from raynas.images import load_search_images

    settings = dry_settings(searches.settings[method])
    images = load_search_images(
        searches.images,
        searches.device,
        per_half=_DRY_BATCHES * settings.batch_size,
        decoded=decoded,
    )
    kind = searches.classes.get(method, method)
    total = torch.cuda.get_device_properties(0).total_memory
    try:
        records = SupernetActor(SearchSpec(kind, space, settings), images).train(2)
    except torch.OutOfMemoryError:
        return total, total
    # A graph's memory stays reserved between its replays.
    peaks = [record.peak_memory or 0 for record in records]
    peak = max(*peaks, torch.cuda.max_memory_reserved())
    return peak + decoded.pixels.nbytes, total
