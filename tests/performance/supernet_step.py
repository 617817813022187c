"""Milliseconds per supernet step, plain and optimised: `python -m tests.performance.supernet_step`.

A weight step is forward, backward and SGD with fixed architecture weights; an architecture step is
forward and backward to the architecture parameters. "plain" is eager float32 in PyTorch's default
memory format (tests/support/plain_supernet.py), which always computes the parameters' gradients.
All versions take turns in one process, and the smallest time counts. On the CPU that is CPU time
of one thread, so that other processes disturb it less; freed memory is kept for the optimised
versions only. On a GPU it is wall-clock time, and `--graphs` replays the optimised steps.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from raynas.supernet import Alphas, Supernet, SupernetSettings, keep_freed_memory
from search_spaces.spaces import load_space
from tests.support.plain_supernet import PlainSupernet

Step = Callable[[], object]


def weight_step(
    network: nn.Module, optimizer: torch.optim.Optimizer, alphas: Alphas, x: Tensor, y: Tensor
) -> None:
    """One step of the shared weights."""
    optimizer.zero_grad(set_to_none=True)
    functional.cross_entropy(network(x, alphas.softmax().detach()), y).backward()
    optimizer.step()


def architecture_step(
    network: nn.Module, alphas: Alphas, x: Tensor, y: Tensor, *, frozen: bool
) -> None:
    """The gradient of the architecture parameters."""
    for tensor in alphas.tensors():
        tensor.grad = None
    network.requires_grad_(not frozen)
    functional.cross_entropy(network(x, alphas.softmax()), y).backward()
    network.requires_grad_(True)


def graphed(step: Step) -> Step:
    """The same step as a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def steps(arguments: argparse.Namespace, device: str) -> dict[str, dict[str, Step]]:
    """For each kind of step its versions; "plain" is the first."""
    space = load_space(arguments.space)
    generator = torch.Generator().manual_seed(0)
    settings = SupernetSettings(arguments.channels, arguments.cells)
    networks: dict[str, nn.Module] = {
        "optimised float32": Supernet(space, settings, generator).to(device),
        "optimised bfloat16": Supernet(space, settings, generator).to(device),
    }
    plain = PlainSupernet(Supernet(space, settings, generator)).to(device)
    networks = {"plain float32": plain, **networks}
    alphas = Alphas(space, generator, device)
    batch, size = arguments.batch_size, arguments.image_size
    x = torch.randn(batch, 3, size, size, generator=generator).to(device)
    y = torch.randint(10, (batch,), generator=generator).to(device)
    kinds: dict[str, dict[str, Step]] = {"weight step": {}, "architecture step": {}}
    for name, network in networks.items():
        optimizer = torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9, weight_decay=3e-4)
        images = x.bfloat16() if "bfloat16" in name else x
        frozen = network is not plain
        kinds["weight step"][name] = partial(weight_step, network, optimizer, alphas, images, y)
        kinds["architecture step"][name] = partial(
            architecture_step, network, alphas, images, y, frozen=frozen
        )
    if arguments.graphs:
        for versions in kinds.values():
            for name in [name for name in versions if name.startswith("optimised")]:
                versions[f"{name}, graph"] = graphed(versions[name])
    return kinds


def measure(versions: Mapping[str, Step], repeats: int, device: str) -> dict[str, float]:
    """The smallest milliseconds of each version; they take turns."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    best = dict.fromkeys(versions, float("inf"))
    for turn in range(repeats + 1):
        for name, step in versions.items():
            if device == "cpu":
                keep_freed_memory(name.startswith("optimised"))
                step()  # the version's own memory, not that of the one before
            _wait(device)
            start = clock()
            step()
            _wait(device)
            if turn:
                best[name] = min(best[name], 1000 * (clock() - start))
    return best


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small network and batch")
    parser.add_argument("--space", default="3")
    parser.add_argument("--channels", type=int)
    parser.add_argument("--cells", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--image-size", type=int)
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--graphs", action="store_true", help="CUDA graphs, too")
    arguments = parser.parse_args()
    small = {"channels": 4, "cells": 3, "batch_size": 16, "image_size": 16, "repeats": 5}
    paper = {"channels": 16, "cells": 9, "batch_size": 96, "image_size": 32, "repeats": 5}
    for name, value in (small if arguments.quick else paper).items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    if arguments.graphs and arguments.device == "cpu":
        parser.error("--graphs needs a GPU")
    torch.set_num_threads(1)
    print(f"{arguments.device}, space {arguments.space}, {vars(arguments)}")
    print("| step | version | ms | times the plain speed |\n|---|---|---|---|")
    both: dict[str, float] = {}
    for kind, versions in steps(arguments, arguments.device).items():
        best = measure(versions, arguments.repeats, arguments.device)
        for name, milliseconds in best.items():
            both[name] = both.get(name, 0) + milliseconds
        _rows(kind, best)
    _rows("both (first-order DARTS)", both)


def _rows(kind: str, best: Mapping[str, float]) -> None:
    plain = next(iter(best.values()))
    for name, milliseconds in best.items():
        print(f"| {kind} | {name} | {milliseconds:.1f} | {plain / milliseconds:.2f} |", flush=True)


if __name__ == "__main__":
    main()
