"""The command lines that make studies again, from what their manifests say."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from raynas.execution.manifest import SWEEP
from raynas.tuned import is_tuned

#: Arguments of searches that are options of the same name.
_OF_SEARCHES = (
    "channels",
    "cells",
    "batch_size",
    "images",
    "device",
    "precision",
    "gpus_per_trial",
)
#: The same of a comparison; of lists their length is given.
_OF_COMPARISONS = (
    *("seeds", "evaluations", "budget_seconds", "repeat", "incumbent", "workers", "seed"),
    *("preset", "search_seeds", "epochs", *_OF_SEARCHES, "keep_checkpoints"),
)
#: The same of a sweep.
_OF_SWEEPS = (
    *("space", "config_space", "algorithm", "min_epochs", "max_epochs", "eta", "iterations"),
    *("concurrent", "restart", "seed", "repeat", "preset", "finalists", "final_seeds"),
    *("search_seeds", "seeds", *_OF_SEARCHES),
)
_USUAL = (
    ("preset", "quick"),
    ("device", "auto"),
    ("precision", "float32"),
    ("keep_checkpoints", "last"),
)


def rerun_command(manifest: Mapping[str, Any]) -> str:
    """The command line that runs a study again.

    The manifest's own `command` if it has one, else made from its arguments.
    """
    if manifest.get("command"):
        command = manifest["command"]
        return command if isinstance(command, str) else shlex.join(map(str, command))
    arguments = manifest["arguments"]
    if manifest.get("kind") == SWEEP:
        parts = ["python", "-m", "tuning.sweep", str(arguments["method"])]
        parts += _options(arguments, _OF_SWEEPS)
    else:
        parts = ["python", "-m", "raynas.compare"]
        for space in arguments.get("spaces", []):
            parts += ["--space", str(space)]
        methods = [str(name) for name in arguments.get("methods", [])]
        parts += ["--methods", ",".join(name for name in methods if not is_tuned(name))]
        for study in arguments.get("tuned") or ():
            parts += ["--tuned", str(study)]
        parts += _options(arguments, _OF_COMPARISONS)
    benchmark = manifest["benchmark"]
    surrogate = benchmark.get("kind") == "surrogate"
    parts += ["--benchmark", "surrogate" if surrogate else str(benchmark.get("path", "auto"))]
    return shlex.join(parts)


def _options(arguments: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """What is not usual, as options."""
    parts = []
    for name in names:
        value, flag = arguments.get(name), f"--{name.replace('_', '-')}"
        if value is True:
            parts.append(flag)
        elif value is not None and value is not False and (name, value) not in _USUAL:
            parts += [flag, str(len(value) if isinstance(value, list) else value)]
    return parts
