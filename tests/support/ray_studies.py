"""What tests of studies on Ray share: a cluster, a listener that strikes, actors to kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from raynas.execution import Plan, Study, new_manifest
from raynas.execution.cluster import cluster
from search_spaces.table import Table
from tests.support.processes import descendants, ray_actors, still_there

TRAINABLE, WRITER = "Trainable", "StudyWriter"


@contextmanager
def clean_cluster(gpus: int | None = None) -> Iterator[None]:
    """A local cluster of two cores, which leaves neither processes nor files."""
    before = {process.pid for process in descendants()}
    with cluster(None, cpus=2, gpus=gpus) as folder:
        processes = [process for process in descendants() if process.pid not in before]
        yield
    assert still_there(processes, 10) == []
    assert not folder.exists()


class Listener:
    """Remembers what it was told, and does something once when the work has begun.

    Args:
        action: what to do.
        method: wait for the work of this method.
    """

    def __init__(
        self, action: Callable[[], object] | None = None, method: str | None = None
    ) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.action, self._method = action, method

    def on_progress(self, *told: Any) -> None:
        self.seen.append(told)
        if self.action is not None and self._method in (None, told[0]) and told[2] > 0:
            action, self.action = self.action, None
            action()


def create(path: Path, plan: Plan, table: Table) -> Study:
    """A new study on space 1."""
    arguments = {"spaces": plan.spaces, "methods": plan.methods, "incumbent": "validation"}
    return Study.create(path, new_manifest(arguments, {"1": table}))


def kill(name: str) -> Callable[[], None]:
    """Kills all actors of a class, of which there is one at least."""

    def action() -> None:
        victims = ray_actors(name)
        assert victims
        for victim in victims:
            victim.kill()

    return action
