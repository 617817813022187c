"""Actors that work through blocks and are started again when they die."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_MOST_RESTARTS = 8


@contextmanager
def restarting_actors(
    kind: type, arguments: Sequence[Any], actors: int, gpus_per_actor: float = 0.0
) -> Iterator[list[Any]]:
    """Handles of equal actors on the cluster that this process is in; killed at the end.

    An actor that dies is started again from its arguments and gets its call once more.

    Args:
        kind: class of the actors.
        arguments: of its constructor; stored once for all of them.
        actors: how many; each takes a core.
        gpus_per_actor: share of a GPU.
    """
    import ray
    from ray import cloudpickle

    dumps: Any = cloudpickle.dumps  # untyped
    remote: Any = ray.remote(_restartable(kind))
    options = {"num_cpus": 1, "num_gpus": gpus_per_actor}
    options |= {"max_restarts": _MOST_RESTARTS, "max_task_retries": _MOST_RESTARTS}
    # References within bytes: those that Ray sees among the arguments of an actor that restarts
    # it warns of, because they may be gone by then. These it keeps as long as this process lives.
    stored = dumps([ray.put(argument) for argument in arguments])
    members = [remote.options(**options).remote(stored) for _ in range(actors)]
    try:
        yield members
    finally:
        for member in members:
            ray.kill(member)


def _restartable(kind: Any) -> type:
    def start(self: Any, stored: bytes) -> None:
        import ray
        from ray import cloudpickle

        kind.__init__(self, *ray.get(cloudpickle.loads(stored)))

    return type(kind.__name__, (kind,), {"__init__": start, "__module__": kind.__module__})
