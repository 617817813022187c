"""Runs optimizers against benchmark tables: simulated workers, Ray Tune, a log that survives."""

from __future__ import annotations

from raynas.execution.directory import StudyInterrupted
from raynas.execution.log import LOG_SCHEMA
from raynas.execution.manifest import new_manifest, read_manifest
from raynas.execution.plan import REPEAT_RULES, Plan
from raynas.execution.row import Row
from raynas.execution.runner import RunOutcome, run_study
from raynas.execution.simulation import Limits, Simulation
from raynas.execution.study import Study, read_trajectories

__all__ = [
    "LOG_SCHEMA",
    "REPEAT_RULES",
    "Limits",
    "Plan",
    "Row",
    "RunOutcome",
    "Simulation",
    "Study",
    "StudyInterrupted",
    "new_manifest",
    "read_manifest",
    "read_trajectories",
    "run_study",
]
