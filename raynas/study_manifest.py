"""What the manifest of a study of settings says: its methods, its settings, and the way back."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from raynas.labels import labelled
from raynas.oneshot import REGISTRY
from raynas.search_request import search_arguments, search_device, search_note
from raynas.studies import PUBLISHED_EPOCHS, StudyGrid, study_preset
from raynas.studies._presets import preset_methods, scale_in_words
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from raynas.study_request import Request
    from search_spaces.table import Table


def study_manifest(
    grid: StudyGrid, request: Request, tables: Mapping[str, Table]
) -> dict[str, Any]:
    """The manifest of a study that starts now.

    Raises:
        UserError: a method lacks what is varied, the searches are too short, or there are no such
            images or devices.
    """
    from raynas.execution.manifest import STUDY, new_manifest

    methods, notes = _methods(grid, request)
    preset = study_preset(grid, request.preset or "quick")
    size = preset.searches[search_device(request.searches)]
    epochs = request.searches.epochs or int(size.settings["epochs"])
    changes, entries = _labels(grid, methods, epochs)
    added, search = search_arguments(
        request.searches, preset, list(changes), list(tables), changes=changes
    )
    for entry in entries:
        entry["epochs"] = search["settings"][entry["label"]]["epochs"]
    arguments = {
        "name": grid.name,
        "spaces": list(tables),
        "methods": list(methods),
        "seed": request.seed or 0,
        "preset": request.preset or "quick",
    }
    scale = scale_in_words(epochs)
    described = {
        "epochs": epochs,
        "published_epochs": PUBLISHED_EPOCHS,
        "settings": entries,
        "notes": [search_note(search), *([scale] if scale else []), *notes],
    }
    manifest = new_manifest(arguments | added, tables, search, STUDY)
    return manifest | {"study": described, "command": _command(request, methods, tables)}


def _methods(grid: StudyGrid, request: Request) -> tuple[tuple[str, ...], list[str]]:
    """The methods to run, and notes on those that are left out."""
    preset = request.preset or "quick"
    wanted = request.methods or tuple(REGISTRY)
    lacking = {name: missing for name in wanted if (missing := grid.lacking(name))}
    notes = [f"left out: {m} has no {', '.join(missing)}" for m, missing in lacking.items()]
    if request.methods and lacking:
        said = "; ".join(note.removeprefix("left out: ") for note in notes)
        raise UserError(
            f"the study {grid.name} cannot be made of {', '.join(lacking)}: {said}; leave it out "
            "of --methods",
            exit_code=2,
        )
    methods = tuple(name for name in wanted if name not in lacking)
    chosen = None if request.methods else preset_methods(grid, preset)
    if chosen is not None:
        unrun = [name for name in methods if name not in chosen]
        notes.append(f"left out by the preset {preset}: {', '.join(unrun)}; --methods names them")
        methods = chosen
    return methods, notes


def _labels(
    grid: StudyGrid, methods: Sequence[str], epochs: int
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """By label, what is changed in the searches; and what the manifest says of the labels."""
    changes, entries = {}, []
    for method in methods:
        for published, setting in zip(grid.settings, grid.scaled(epochs), strict=True):
            label = labelled(method, setting.name)
            changes[label] = setting.changes_of(method)
            entries.append(
                {
                    "label": label,
                    "method": method,
                    "setting": setting.name,
                    "published": published.name,
                    "default": setting.default,
                }
            )
    return changes, entries


def _command(request: Request, methods: Sequence[str], tables: Mapping[str, Table]) -> str:
    """The command line that makes the study again."""
    parts = ["python", "-m", "raynas.study", request.name, "--space", ",".join(tables)]
    parts += ["--methods", ",".join(methods), "--preset", request.preset or "quick"]
    given = request.searches.given()
    if request.seed is not None:
        given["seed"] = request.seed
    for name, value in given.items():
        shown = len(value) if isinstance(value, list) else value
        parts += [f"--{name.replace('_', '-')}", str(shown)]
    benchmark = next(iter(tables.values())).benchmark
    surrogate = benchmark.kind == "surrogate"
    parts += ["--benchmark", "surrogate" if surrogate else str(benchmark.path.resolve())]
    return shlex.join(parts)
