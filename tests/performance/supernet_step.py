"""Milliseconds per training step: `python -m tests.performance.supernet_step [--methods ...]`.

A step is what a search does with one batch of each half: the architecture step and the weight step
of the method itself. "plain" is the same method on an eager float32 network in PyTorch's default
memory format (tests/support/plain_supernet.py). All versions of a method take turns in one process
with the same random numbers, and of each the smallest time counts, averaged over the samples where
a method draws paths. On the CPU that is CPU time of one thread, so that other processes disturb
it less, and freed memory is kept for the optimised versions only, as searches keep it. On a GPU it
is wall-clock time over several steps, and replays of a CUDA graph and several searches at once are
measured as well.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from raynas.images import Batch
from raynas.oneshot import OneShotMethod, SearchSettings, method_info, method_names, method_settings
from raynas.oneshot.step_graph import StepGraph
from raynas.supernet import Supernet, SupernetSettings, keep_freed_memory
from search_spaces.spaces import load_space
from tests.performance import search_epoch
from tests.support.plain_supernet import PlainSupernet, plain_method

PAPER = search_epoch.PAPER
SMALL = {"channels": 4, "cells": 3, "batch_size": 16}
PLAIN = "plain float32"
_SAMPLES = {"gdas": 3, "random_ws": 3}
_GPU_STEPS = 10
#: Steps before one is timed: after three the optimised versions get no new memory from the system
#: any more; the plain one gets it anew in every step.
_WARM_UP, _PLAIN_WARM_UP = 3, 1
#: Steps that are timed in a turn, of each version: now and then one still has to get memory.
_TIMED = 2
_EPOCH_STEPS = search_epoch.STEPS


@dataclass
class Version:
    """One way to take the steps of a method."""

    method: OneShotMethod
    batches: tuple[Batch, Batch]
    graph: StepGraph | None = None

    def step(self, seed: int) -> None:
        """Take one step, with the random numbers of a seed."""
        self.method.generator.manual_seed(seed)
        self.method.start_epoch(0)
        if self.graph is not None:
            self.graph(*self.batches)
            return
        self.method.architecture_step(*self.batches)
        self.method.weight_step(self.batches[0])


def versions(name: str, size: Mapping[str, int], device: str) -> dict[str, Version]:
    """The plain version of a method first, then the optimised ones."""
    values = {key: size[key] for key in ("channels", "cells", "batch_size")}
    settings = method_settings(name, **values)
    kind = method_info(name).load()
    batches = tuple(_batch(size, device, seed) for seed in (1, 2))
    found = {PLAIN: Version(_method(plain_method(kind), settings, device, plain=True), batches)}
    for precision in ("float32", "bf16"):
        changed = replace(settings, precision=precision)
        method = _method(kind, changed, device, plain=False)
        found[f"optimised {precision}"] = Version(method, batches)
        if device == "cuda" and kind.capturable:
            method = _method(kind, changed, device, plain=False)
            graph = StepGraph(method, searching=True)
            found[f"optimised {precision}, graph"] = Version(method, batches, graph)
    return found


def _method(
    kind: type[OneShotMethod], settings: SearchSettings, device: str, *, plain: bool
) -> OneShotMethod:
    space = load_space("3")
    generator = torch.Generator().manual_seed(0)
    shape = SupernetSettings(settings.channels, settings.cells, **kind.network_options(settings))
    network: Any = Supernet(space, shape, generator)
    network = PlainSupernet(network) if plain else network
    return kind(network.to(device), settings, torch.Generator())


def _batch(size: Mapping[str, int], device: str, seed: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(size["batch_size"], 3, 32, 32, generator=generator)
    labels = torch.randint(10, (size["batch_size"],), generator=generator)
    return Batch(images.to(device), labels.to(device))


def measure(name: str, size: Mapping[str, int], device: str, turns: int) -> dict[str, float]:
    """Milliseconds per step of each version of a method."""
    found = versions(name, size, device)
    seeds = range(_SAMPLES.get(name, 1))
    best = {label: [float("inf")] * len(seeds) for label in found}
    for _ in range(turns):
        for label, version in found.items():
            if device == "cpu":
                keep_freed_memory(label != PLAIN)
            for _ in range(_PLAIN_WARM_UP if label == PLAIN else _WARM_UP):
                version.step(0)
            for seed in [*seeds] * _TIMED:
                best[label][seed] = min(best[label][seed], _milliseconds(version, seed, device))
    return {label: sum(times) / len(times) for label, times in best.items()}


def _milliseconds(version: Version, seed: int, device: str) -> float:
    if device == "cpu":
        start = time.process_time()
        version.step(seed)
        return 1000 * (time.process_time() - start)
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(_GPU_STEPS):
        version.step(seed)
    torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - start) / _GPU_STEPS


def crowd(name: str, size: Mapping[str, int], count: int) -> float:
    """Milliseconds per step of one search while several share the GPU, each on its stream."""
    members = [versions(name, size, "cuda") for _ in range(count)]
    label = next(label for label in reversed(members[0]) if "bf16" in label)
    streams = [torch.cuda.Stream() for _ in members]
    for turn in range(2):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(_GPU_STEPS):
            for member, stream in zip(members, streams, strict=True):
                with torch.cuda.stream(stream):
                    member[label].step(0)
        torch.cuda.synchronize()
        if turn:
            return 1000 * (time.perf_counter() - start) / _GPU_STEPS
    raise AssertionError


def rows(
    names: list[str], size: Mapping[str, int], device: str, turns: int
) -> Iterator[tuple[str, str, float, float]]:
    """Method, version, milliseconds, times the plain speed."""
    for name in names:
        best = measure(name, size, device, turns)
        for label, milliseconds in best.items():
            yield name, label, milliseconds, best[PLAIN] / milliseconds


def report(path: Path, names: list[str]) -> None:
    """Everything worth measuring on a GPU, as JSON; a few minutes."""
    found: dict[str, Any] = {"device": torch.cuda.get_device_name(), "torch": torch.__version__}
    found["steps"] = list(rows(names, PAPER, "cuda", 3))
    found["seconds per epoch of 261 steps"] = {
        f"{name}, {label}": _EPOCH_STEPS * milliseconds / 1000
        for name, label, milliseconds, _ in found["steps"]
    }
    found["several searches at once, ms per step of each"] = {
        count: crowd("darts", PAPER, count) for count in (1, 2, 4)
    }
    found["whole epochs"] = search_epoch.rows(names, PAPER, "cuda", _EPOCH_STEPS)
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small network and batch")
    parser.add_argument("--methods", default=",".join(method_names()))
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--gpu-report", type=Path, metavar="FILE", help="all of it, on a GPU")
    arguments = parser.parse_args()
    names = arguments.methods.split(",")
    torch.set_num_threads(1)
    if arguments.gpu_report is not None:
        if not torch.cuda.is_available():
            parser.error("--gpu-report needs a GPU")
        report(arguments.gpu_report, names)
        return
    size = SMALL if arguments.quick else PAPER
    print(f"space 3, {size}, {arguments.device}\n")
    print("| method | version | ms per step | times the plain speed |\n|---|---|---|---|")
    for name, label, milliseconds, ratio in rows(names, size, arguments.device, arguments.turns):
        print(f"| {name} | {label} | {milliseconds:.0f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
