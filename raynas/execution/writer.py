"""The one process that writes a study's log, wherever the workers are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from raynas.execution.log import NOTHING, BlockLog, LogContents, Run, runs_of
from raynas.execution.search_log import SearchContents, SearchLog


class StudyWriter:
    """A Ray actor on the driver's node.

    Workers send their rows here and go on when the rows are on disk; a worker that starts in the
    place of a dead one asks here where to go on. All state is in the log, every call can be
    repeated, so the actor itself may die and be restarted at any time.
    """

    def __init__(self, log: Path, benchmark: Path, searches: SearchLog) -> None:
        self._log = BlockLog(log)
        self._searches = searches
        self._benchmark = benchmark
        contents = self._log.read()
        self._begun: frozenset[Run] = runs_of(contents.table) | contents.finished

    def append(self, table: pa.Table, finished: dict[Run, int]) -> None:
        """Write rows; they are on disk when this returns."""
        self._log.append(table, finished)
        self._begun |= runs_of(table) | finished.keys()

    def recorded(self, method: str, space: str, seeds: tuple[int, ...]) -> LogContents:
        """What the log knows of some runs."""
        if not any((method, space, seed) in self._begun for seed in seeds):
            return NOTHING  # the usual case: no need to read the whole log
        return self._log.read(method, space, seeds)

    def commit_search(self, run: Run, contents: SearchContents, checkpoint: bytes | None) -> None:
        """Write the records and the state of a search; they are on disk when this returns."""
        self._searches.commit(run, contents, checkpoint)

    def recorded_search(self, run: Run) -> tuple[SearchContents, bytes | None]:
        """What is known of a search, and its last state."""
        return self._searches.read(run), self._searches.checkpoint(run)

    def benchmark(self) -> npt.NDArray[np.uint8]:
        """The bytes of the benchmark file, for nodes that have no copy."""
        return np.fromfile(self._benchmark, np.uint8)


def start_writer(log: Path, benchmark: Path, searches: SearchLog) -> Any:
    """Start the writer of a study on this node; returns the actor handle."""
    return start_here(StudyWriter, log, benchmark, searches)


def start_here(actor_class: type, *arguments: Any) -> Any:
    """Start an actor on the driver's node, where the files are; Ray restarts it if it dies.

    Every call is repeated after a restart, so an actor's calls must not mind that.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor: Any = ray.remote(actor_class)
    options = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1}
    return actor.options(scheduling_strategy=here, **options).remote(*arguments)
