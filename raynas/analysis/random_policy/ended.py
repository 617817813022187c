"""Which runs came to their end; of the others the last cell is not what the method ends with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raynas.analysis.runs import ONE_SHOT, Run


def planned_epochs(manifest: Mapping[str, Any]) -> dict[str, int]:
    """How many epochs the searches of each method were to have, where a study says it."""
    settings = manifest.get("search", {}).get("settings", {})
    return {
        method: int(values["epochs"]) for method, values in settings.items() if "epochs" in values
    }


def ended(run: Run, planned: Mapping[str, int]) -> bool:
    """Whether a run came to its end.

    An evaluation of a black-box method may fail, and the run goes on. A search that fails is over:
    it ended if nothing failed and its last epoch is the planned one.

    Args:
        run: of any method.
        planned: epochs of the searches by method; of others only a failure is known.
    """
    if run.family != ONE_SHOT:
        return True
    return not run.failed.any() and len(run.seconds) >= planned.get(run.method, 0)
