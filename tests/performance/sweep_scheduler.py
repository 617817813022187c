"""Measures the scheduler of sweeps alone: `python -m tests.performance.sweep_scheduler [--quick]`.

Simulated workers, no Ray, no training: how many decisions a second, how much memory, and which
share of their time workers wait because results are heard in the order of the virtual clock. A
decision is a proposal together with the result that it ends with.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush

import ConfigSpace
import numpy as np

from tuning.algorithms import make_algorithm
from tuning.evaluation import Evaluation
from tuning.settings import ALGORITHMS, SweepSettings
from tuning.timeline import Timeline

WORKERS = 1000
SIZES = (2500, 5000, 10_000)
#: Standard deviation of the logarithm of an epoch's duration: by a factor of 1.35 either way.
SPREAD = 0.3


def space() -> ConfigSpace.ConfigurationSpace:
    """As many hyperparameters of the same kinds as configuration space 3 has."""
    found = ConfigSpace.ConfigurationSpace(seed=0)
    found.add(ConfigSpace.Float(f"log_{i}", (1e-5, 1e-1), log=True) for i in range(4))
    found.add(ConfigSpace.Float(f"linear_{i}", (0.0, 1.0)) for i in range(2))
    found.add(ConfigSpace.Integer(f"whole_{i}", (1, 128)) for i in range(3))
    return found


@dataclass
class Simulation:
    """What came of a simulated sweep.

    Attributes:
        decisions: evaluations that ended.
        seconds: of processor time that the scheduler took for them.
        idle: share of the workers' time that they had nothing to do, up to the moment when the
            last evaluation was handed out.
    """

    decisions: int
    seconds: float
    idle: float


def simulate(
    settings: SweepSettings, workers: int, *, decisions: int | None = None, spread: float = SPREAD
) -> Simulation:
    """Run a sweep on simulated workers.

    Args:
        settings: of the sweep.
        workers: how many; they take an evaluation as soon as there is one.
        decisions: stop after so many; None runs the whole sweep.
        spread: standard deviation of the logarithm of the duration of an epoch.
    """
    rng = np.random.default_rng(settings.seed)
    start = time.process_time()
    timeline = Timeline(make_algorithm(settings, space()))
    running: list[tuple[float, int, Evaluation]] = []
    ends: list[float] = []
    now, busy, handed_out, ended = 0.0, 0.0, 0.0, 0
    while decisions is None or ended < decisions:
        while len(running) < workers and (evaluation := timeline.next()) is not None:
            epochs = evaluation.epochs - evaluation.previous_epochs
            duration = epochs * float(rng.lognormal(0.0, spread))
            heappush(running, (now + duration, evaluation.number, evaluation))
            ends.append(now + duration)
            busy, handed_out = busy + duration, now
        if not running:
            break
        now, number, evaluation = heappop(running)
        ended += 1
        timeline.arrive(number, _error(evaluation, rng))
    seconds = time.process_time() - start
    # What reaches beyond the last start is no work of the time that is looked at.
    late = sum(max(0.0, end - handed_out) for end in ends)
    capacity = workers * handed_out
    return Simulation(ended, seconds, 1 - (busy - late) / capacity if capacity else 0.0)


def _error(evaluation: Evaluation, rng: np.random.Generator) -> float:
    values = evaluation.configuration.values
    return abs(float(values["linear_0"]) - 0.3) + 0.1 * float(rng.random())


def iterations_for(algorithm: str, evaluations: int) -> int:
    """Brackets enough for so many evaluations, as a sweep of 1,000 brackets has them."""
    thousand = SweepSettings(algorithm=algorithm, iterations=1000)
    count = thousand.planned_evaluations or thousand.planned_epochs // thousand.max_epochs
    return -(-1000 * evaluations // count) + 3


def measure(algorithm: str, evaluations: int) -> None:
    """In a process of its own: print the figures of one simulation as JSON."""
    settings = SweepSettings(
        algorithm=algorithm,
        iterations=iterations_for(algorithm, evaluations),
        concurrent=WORKERS,
    )
    simulate(replace(settings, iterations=4, concurrent=2), 2)  # imports
    found = simulate(settings, WORKERS, decisions=evaluations)
    tracemalloc.start()  # makes it slow, so the memory is that of a second run
    simulate(settings, WORKERS, decisions=evaluations)
    print(json.dumps([found.decisions, found.seconds, tracemalloc.get_traced_memory()[1]]))


def scheduler_rows(sizes: tuple[int, ...]) -> Iterator[str]:
    """Decisions a second and memory, by algorithm and size."""
    for algorithm in ALGORITHMS:
        for size in sizes:
            command = [sys.executable, "-W", "ignore", "-m", "tests.performance.sweep_scheduler"]
            done = subprocess.run(
                [*command, "--measure", algorithm, str(size)],
                capture_output=True,
                text=True,
                check=True,
            )
            decisions, seconds, memory = json.loads(done.stdout.splitlines()[-1])
            yield (
                f"| {algorithm} | {decisions:,} | {decisions / seconds:,.0f} | "
                f"{1000 * seconds / decisions:.2f} ms | {memory / 2**20:.1f} MiB |"
            )


def idle_rows(iterations: int) -> Iterator[str]:
    """What the virtual order costs in waiting, and what a wider window gives back."""
    for workers in (4, 16):
        for spread in (SPREAD, 0.6):
            for algorithm in ("hyperband", "asha", "random"):
                shares = []
                for wider in (1, 1.5, 2):
                    settings = SweepSettings(
                        algorithm=algorithm,
                        iterations=iterations,
                        concurrent=round(wider * workers),
                    )
                    # Up to 3/4 of the sweep, so that its end, which lacks work, does not count.
                    whole = simulate(settings, workers).decisions
                    idle = simulate(settings, workers, decisions=whole * 3 // 4, spread=spread).idle
                    shares.append(f"{100 * max(0.0, idle):.0f} %")
                yield f"| {workers} | {spread} | {algorithm} | {' | '.join(shares)} |"


def tables(*, quick: bool) -> Iterator[str]:
    """Both tables as Markdown, line by line as they are measured."""
    sizes, iterations = ((500, 1000), 64) if quick else (SIZES, 256)
    yield f"Scheduler of sweeps alone, {WORKERS:,} simulated workers, nine hyperparameters.\n"
    yield "| algorithm | evaluations | decisions/s | each | memory |\n|---|---|---|---|---|"
    yield from scheduler_rows(sizes)
    yield "\nIdle share of the workers; epochs last lognormally long.\n"
    yield "| workers | sigma | algorithm | `--concurrent` = workers | 1.5 times | 2 times |"
    yield "|---|---|---|---|---|---|"
    yield from idle_rows(iterations)


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    parser.add_argument("--measure", nargs=2, metavar=("ALGORITHM", "EVALUATIONS"))
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure[0], int(arguments.measure[1]))
        return
    for line in tables(quick=arguments.quick):
        print(line, flush=True)


if __name__ == "__main__":
    main()
