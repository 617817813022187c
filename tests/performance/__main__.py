"""Measures what the README's speed table says: `python -m tests.performance [--quick]`.

Prints Markdown tables. Every figure is measured in this run; the published figures of others
stand beside them with their source.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from raynas.oneshot import method_names
from raynas.optimizers import OPTIMIZERS, Evaluation, make_optimizer
from search_spaces import load_space
from search_spaces.benchmark import Benchmark
from search_spaces.sources import open_benchmark
from tests.performance.peers import package_milliseconds
from tests.performance.sweep_scheduler import tables


class Figure(NamedTuple):
    """One row of the table."""

    what: str
    measured: str
    others: str = ""


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Median wall-clock seconds of a piece of work."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def table_figures() -> Iterator[Figure]:
    """Opening, looking up, memory of another process."""
    path = open_benchmark("surrogate").path
    space = load_space(3)
    opened = seconds(lambda: Benchmark.open(path).table(space))
    yield Figure(
        "open the table of space 3",
        f"{1000 * opened:.0f} ms",
        "official loader: 120 s for the full file (google-research/nasbench, PR 33)",
    )
    table = Benchmark.open(path).table(space)
    vectors = space.sample(np.random.default_rng(0), 1_000_000)
    looked_up = seconds(lambda: table.validation_error(space.rows(vectors), 108, 0))
    yield Figure("1,000,000 look-ups by architecture vector", f"{looked_up:.2f} s")
    one = vectors[:1]
    single = seconds(lambda: [table.validation_error(space.rows(one), 108, 0) for _ in range(1000)])
    yield Figure(
        "one look-up by architecture vector, without a batch",
        f"{1000 * single:.0f} µs",
        "official API: about 200 µs (hash and deep copy)",
    )
    unique, resident = _worker_memory(path)
    yield Figure(
        "memory of one more process using the table",
        f"{unique:.1f} MB of its own ({resident:.1f} MB with shared pages)",
        "official loader: about 2.9 GB per process, full file",
    )


_WORKER = """
import sys, numpy, psutil, pyarrow
from search_spaces import load_space
from search_spaces.benchmark import Benchmark
space = load_space(3)
import search_spaces.table
process = psutil.Process()
before = process.memory_full_info()
table = Benchmark.open(sys.argv[1]).table(space)
vectors = space.sample(numpy.random.default_rng(0), 1000)
for epochs in (4, 12, 36, 108):
    for repeat in (0, 1, 2):
        table.validation_error(space.rows(vectors), epochs, repeat)
        table.training_seconds(space.rows(vectors), epochs, repeat)
after = process.memory_full_info()
print((after.uss - before.uss) / 1e6, (after.rss - before.rss) / 1e6)
"""


def _worker_memory(path: Path) -> tuple[float, float]:
    command = [sys.executable, "-c", _WORKER, str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    unique, resident = output.split()
    return float(unique), float(resident)


# The peak is not `ru_maxrss`, which a process takes over from the one that started it.
_CONVERSION = """
import sys, time
from pathlib import Path
from search_spaces.convert import convert
start = time.perf_counter()
result = convert(Path(sys.argv[1]), Path(sys.argv[2]))
took = time.perf_counter() - start
status = Path("/proc/self/status").read_text()
print(result.rows, took, int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""


def conversion_figures(rows: int) -> Iterator[Figure]:
    """Official file to column store."""
    from tests.support.official_table import write_official_table

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "synthetic.tfrecord"
        cells = (load_space(3).cell(row) for row in range(rows // 12))
        write_official_table(file, cells, budgets=(4, 12, 36, 108))
        command = [sys.executable, "-c", _CONVERSION, str(file), str(Path(folder) / "store.arrow")]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    converted, took, peak = (float(figure) for figure in output.split())
    yield Figure(
        f"convert a file in the official format ({converted:,.0f} synthetic rows)",
        f"{converted / took:,.0f} rows/s, {peak:.0f} MB at its peak",
        "the full file has 5,083,488 rows",
    )


def optimizer_figures(evaluations: int) -> Iterator[Figure]:
    """Milliseconds per suggestion and report."""
    table = open_benchmark("surrogate").table(load_space(3))
    space = load_space(3)
    for name in OPTIMIZERS:
        optimizer = make_optimizer(name, space, seed=0)
        start = time.perf_counter()
        for _ in range(evaluations):
            proposal = optimizer.ask()
            assert proposal is not None
            row = space.rows(np.array([proposal.vector]))
            error = float(table.validation_error(row, proposal.epochs, 0)[0])
            optimizer.tell(Evaluation(proposal, error))
        each = 1000 * (time.perf_counter() - start) / evaluations
        label = f"`{name}`: one suggestion with look-up, mean of {evaluations}"
        peer = package_milliseconds(name, table, evaluations)
        others = "" if peer is None else f"{peer[0]}: {peer[1]:.2f} ms, in the same run"
        yield Figure(label, f"{each:.2f} ms", others)


def ray_figures(seeds: int) -> Iterator[Figure]:
    """Trials per second through Ray Tune, and what a study costs around its runs."""
    from raynas.execution.manifest import new_manifest
    from raynas.execution.plan import Plan
    from raynas.execution.runner import run_study
    from raynas.execution.study import Study

    benchmark = open_benchmark("surrogate")
    tables = {"3": benchmark.table(load_space(3))}
    arguments = {
        "spaces": ["3"],
        "methods": ["rs"],
        "seeds": list(range(seeds)),
        "evaluations": 280,
        "budget_seconds": None,
        "repeat": "seeded",
        "incumbent": "validation",
        "workers": 1,
        "seed": 0,
        "preset": "quick",
    }
    plan = Plan(("3",), ("rs",), tuple(range(seeds)), 280, benchmark.path, benchmark.sha256)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with Study.create(Path(folder) / "study", new_manifest(arguments, tables)) as study:
            rows = run_study(study, plan).rows
        took = time.perf_counter() - start
    yield Figure(
        f"{seeds} runs of random search through Ray Tune, start and end of Ray included",
        f"{took:.1f} s, {rows / took:,.0f} evaluations/s",
    )


def quick_run_figure() -> Iterator[Figure]:
    """The whole of `make compare`, without the installation."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "raynas.compare", "--space", "3", "--quiet"]
        start = time.perf_counter()
        subprocess.run([*command, "--out", str(Path(folder) / "study")], check=True)
        took = time.perf_counter() - start
    yield Figure(
        "`python -m raynas.compare --space 3` with tables and page",
        f"{took:.0f} s",
        "the paper: one job per seed on a cluster",
    )


def step_figures(quick: bool) -> Iterator[Figure]:
    """Milliseconds per training step of each one-shot method, beside a plain eager one."""
    import torch

    from tests.performance.supernet_step import PAPER, PLAIN, SMALL, measure

    torch.set_num_threads(1)
    size = SMALL if quick else PAPER
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in devices:
        for name in method_names():
            best = measure(name, size, device, turns=1 if quick else 2)
            plain = best.pop(PLAIN)
            shown = [f"{label} {ms:,.0f} ms ({plain / ms:.2f}x)" for label, ms in best.items()]
            yield Figure(
                f"`{name}`: one step, batch {size['batch_size']}, {size['channels']} channels, "
                f"{size['cells']} cells, {device}",
                ", ".join(shown),
                f"plain eager float32: {plain:,.0f} ms",
            )


def correlation_figures(quick: bool) -> Iterator[Figure]:
    """Cells per second with the weights of one supernet, together and one by one."""
    from tests.performance.correlation_speed import Sizes, rates

    sizes = Sizes(turns=1) if quick else Sizes()
    for rate in rates("3", sizes):
        yield Figure(
            f"cells of space 3 by the {rate.rule} rule with {rate.statistics} statistics, 4 "
            f"channels, 3 cells, {sizes.images_limit} digits",
            f"{rate.together:.0f} cells/s ({rate.together / rate.one_by_one:.1f}x)",
            f"one by one: {rate.one_by_one:.0f} cells/s, in the same run",
        )


def machine() -> str:
    """Processor, cores, Python."""
    from raynas.execution.cluster import available_cores
    from raynas.execution.manifest import processor_name

    return f"{available_cores()} cores of {processor_name()}, Python {platform.python_version()}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, no whole run")
    quick = parser.parse_args().quick
    sources = [
        table_figures(),
        conversion_figures(12_000 if quick else 300_000),
        optimizer_figures(30 if quick else 280),
        ray_figures(20 if quick else 200),
        step_figures(quick),
        correlation_figures(quick),
    ]
    if not quick:
        sources.append(quick_run_figure())
    print(f"Measured on {machine()}.\n\n| what | measured | for comparison |\n|---|---|---|")
    for source in sources:
        for figure in source:
            print(f"| {figure.what} | {figure.measured} | {figure.others} |", flush=True)
    print()
    for line in tables(quick=quick):
        print(line, flush=True)


if __name__ == "__main__":
    main()
