"""Waits until a cluster can run an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raynas.execution.gpus import trial_resources
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from tuning.run import Workers


def await_room(workers: Workers) -> None:
    """Ask for the resources of one evaluation, which also wakes up an autoscaler.

    On a cluster that others use, too, it is enough that a machine has what is asked for, even if
    it is taken at the moment.

    Raises:
        UserError: a local cluster lacks it, or a joined one after `start_timeout` seconds.
    """
    import ray

    request = trial_resources(workers.gpus_per_trial)
    if _has(request):
        return
    if workers.address is None:
        raise UserError(_message("this machine has not", request), exit_code=1)
    group = ray.util.placement_group([request])
    try:
        if not group.wait(workers.start_timeout) and not _has(request):
            waited = f"the Ray cluster at {workers.address} had not within "
            raise UserError(_message(f"{waited}{workers.start_timeout:.0f} s", request))
    finally:
        ray.util.remove_placement_group(group)


def _has(request: dict[str, float]) -> bool:
    """Whether one of the machines has as much, taken or not."""
    import ray

    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call,unused-ignore]
    return any(
        all(machine.get(name, 0) >= amount for name, amount in request.items())
        for machine in machines
    )


def _message(who: str, request: dict[str, float]) -> str:
    import ray

    resources = ray.cluster_resources()  # type: ignore[no-untyped-call,unused-ignore]
    there = ", ".join(f"{resources.get(name, 0):g} {name}s" for name in ("CPU", "GPU"))
    wanted = " and ".join(f"{amount:g} {name}" for name, amount in request.items())
    return (
        f"{who} the {wanted} that an evaluation needs (all machines together: {there}); lower "
        "--gpus-per-trial, or add a machine that has them"
    )
