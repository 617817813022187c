"""A driver that tests kill: `python ray_driver.py STUDY BENCHMARK EVALUATIONS SEEDS METHODS`."""

from __future__ import annotations

import sys
from pathlib import Path

from raynas.execution import Plan, Study, new_manifest, run_study
from search_spaces.benchmark import Benchmark
from search_spaces.errors import UserError
from search_spaces.spaces import load_space


class Printer:
    def on_progress(
        self, method: str, space: str, done: int, total: int, best_error: float | None
    ) -> None:
        print(method, space, done, total, best_error, flush=True)


def main() -> None:
    path, benchmark = Path(sys.argv[1]), Benchmark.open(sys.argv[2])
    plan = Plan(
        spaces=("1",),
        methods=tuple(sys.argv[5].split(",")),
        seeds=tuple(range(int(sys.argv[4]))),
        evaluations=int(sys.argv[3]),
        benchmark=benchmark.path,
        sha256=benchmark.sha256,
    )
    tables = {"1": benchmark.table(load_space("1"))}
    if path.exists():
        study = Study.resume(path)
    else:
        arguments = {"spaces": plan.spaces, "methods": plan.methods, "incumbent": "validation"}
        study = Study.create(path, new_manifest(arguments, tables))
    with study:
        run_study(study, plan, listener=Printer(), cpus=2)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        print(error)
        sys.exit(error.exit_code)
