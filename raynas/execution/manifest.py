"""`manifest.json`: what a study is, and where its figures come from."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raynas.execution.cluster import available_cores
from raynas.execution.files import write_atomically
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from search_spaces.benchmark import Benchmark
    from search_spaces.table import Table

FORMAT = 1
"""Version of the study directory's layout."""
MANIFEST = "manifest.json"

_PACKAGES = (
    "raynas",
    "numpy",
    "scipy",
    "pyarrow",
    "scikit-learn",
    "torch",
    "ray",
    "optuna",
    "smac",
    "hpbandster",
    "ConfigSpace",
)
_LONGEST_LIST = 6
_REQUIRED = ("format", "created", "finished", "arguments")
_REQUIRED_OF_KIND = {
    "comparison": ("benchmark", "tables"),
    "study": ("benchmark", "tables", "search", "study"),
}

COMPARISON = "comparison"
"""The kind of study that `raynas.compare` makes; also of those whose manifest names none."""
STUDY = "study"
"""The kind that `raynas.study` makes."""
CORRELATION = "correlation"
"""The kind that `raynas.correlation` makes."""
SWEEP = "sweep"
"""The kind that `tuning.sweep` makes."""
SEARCHES = (COMPARISON, STUDY)
"""The kinds that have trajectories of searches in them."""

_COMMANDS = {
    COMPARISON: "raynas.compare --space 3",
    STUDY: "raynas.study NAME",
    SWEEP: "tuning.sweep darts --space 3",
    CORRELATION: "raynas.correlation STUDY",
}


def new_manifest(
    arguments: Mapping[str, Any],
    tables: Mapping[str, Table],
    search: Mapping[str, Any] | None = None,
    kind: str = COMPARISON,
) -> dict[str, Any]:
    """The manifest of a study that starts now.

    Args:
        arguments: what was asked for: spaces, methods, seeds, evaluations, budget_seconds, repeat,
            incumbent, workers, seed, preset; values that JSON can hold.
        tables: by space; all of one benchmark.
        search: what the one-shot searches run on and with; None if there are none.
        kind: of the study.
    """
    benchmark = next(iter(tables.values())).benchmark
    manifest = run_manifest(kind, arguments) | {
        "benchmark": describe_benchmark(benchmark),
        "device": "cpu" if search is None else search.get("device", "cpu"),
        "tables": {name: describe_table(table) for name, table in tables.items()},
    }
    return manifest if search is None else manifest | {"search": json.loads(json.dumps(search))}


def describe_benchmark(benchmark: Benchmark) -> dict[str, Any]:
    """What a manifest says of a benchmark."""
    return {
        "name": benchmark.name,
        "kind": benchmark.kind,
        "sha256": benchmark.sha256,
        "path": str(benchmark.path.resolve()),
        "metadata": benchmark.metadata,
    }


def benchmark_source(manifest: Mapping[str, Any], given: str | None = None) -> str:
    """What `open_benchmark` takes to open a study's benchmark again, or what is given instead."""
    if given is not None:
        return given
    recorded = manifest["benchmark"]
    return "surrogate" if recorded["kind"] == "surrogate" else str(recorded["path"])


def run_manifest(kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What the manifests of all kinds of studies say.

    Args:
        kind: of the study, for instance `COMPARISON`.
        arguments: what was asked for; values that JSON can hold.
    """
    return {
        "format": FORMAT,
        "kind": kind,
        "created": now(),
        "resumed": [],
        "finished": None,
        "arguments": json.loads(json.dumps(dict(arguments))),
    } | _surroundings()


def resumed_manifest(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a study that goes on now: when, with what and where is noted beside it."""
    entry = {"time": now()} | _surroundings()
    return {**manifest, "resumed": [*manifest.get("resumed", ()), entry]}


def _surroundings() -> dict[str, Any]:
    """What a study is run with, and where."""
    versions = {"python": platform.python_version()}
    return {
        "raynas_version": _version("raynas"),
        "versions": versions | {name: _version(name) for name in _PACKAGES},
        "host": _host(),
    }


def read_manifest(study: Path, *kinds: str) -> dict[str, Any]:
    """The manifest of a study directory.

    Args:
        study: the directory.
        kinds: what sorts of study it may be; none if any will do.

    Raises:
        UserError: there is none, it is damaged, its layout is another version's, or it is a study
            of another kind.
    """
    path = study / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"{study} is no study: it has no {MANIFEST}; {_makers(kinds)} makes one"
        ) from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}); the study must be run again") from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise UserError(
            f"{study} has study layout {found}, this version of raynas reads layout {FORMAT}; "
            "use the version that wrote it, or run the study again"
        )
    recorded = manifest.get("kind", COMPARISON)
    if kinds and recorded not in kinds:
        wanted = " or ".join(kinds)
        raise UserError(
            f"{study} is a {recorded}, not a {wanted}; give the directory of a {wanted}"
        )
    required = _REQUIRED + _REQUIRED_OF_KIND.get(recorded, ())
    missing = [key for key in required if key not in manifest]
    if missing:
        raise UserError(f"{path} lacks {', '.join(missing)}; the study must be run again")
    return dict(manifest)


def _makers(kinds: Sequence[str]) -> str:
    """The commands that make studies of these kinds, of the usual one if any will do."""
    wanted = [_COMMANDS[kind] for kind in kinds if kind in _COMMANDS]
    return " or ".join(f"`python -m {command}`" for command in wanted or [_COMMANDS[COMPARISON]])


def write_manifest(study: Path, manifest: Mapping[str, Any]) -> None:
    """Write or replace the manifest of a study directory, atomically."""
    text = manifest_text(manifest)
    write_atomically(study / MANIFEST, lambda path: path.write_text(text, encoding="utf-8"))


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """The content of the file."""
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def now() -> str:
    """The time, to the second, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def differences(recorded: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Names of the given arguments that are not the recorded ones, with both values."""
    plain = json.loads(json.dumps(dict(given)))
    return [
        f"{name} is {_short(recorded.get(name))} there, {_short(value)} was given"
        for name, value in plain.items()
        if recorded.get(name) != value
    ]


def _short(value: Any) -> str:
    """A value as it fits into one line."""
    if not isinstance(value, list) or len(value) <= _LONGEST_LIST:
        return repr(value)
    return f"[{value[0]!r}, {value[1]!r}, ... {value[-1]!r}] ({len(value)} values)"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _host() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "platform": platform.platform(),
        "processor": processor_name(),
        "cores": available_cores(),
        "memory_gib": round(memory / 2**30, 1),
    }


def processor_name() -> str:
    """What the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def describe_table(table: Table) -> dict[str, Any]:
    """What a manifest says of the table of a space."""
    return {
        "num_architectures": table.space.num_architectures,
        "num_unique": table.space.num_unique,
        "best_validation_error": table.best_validation_error,
        "best_test_error": table.best_test_error,
    }
