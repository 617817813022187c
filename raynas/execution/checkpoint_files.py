"""The checkpoints that a study has kept of its one-shot searches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raynas.execution.directory import CHECKPOINTS
from raynas.execution.manifest import STUDY
from raynas.execution.search_log import LAST
from raynas.labels import base_method
from search_spaces.errors import UserError

_ALL = "--keep-checkpoints all"


@dataclass(frozen=True, order=True)
class Checkpoint:
    """The state of a search after an epoch.

    Attributes:
        method: the label that the study gave to the method.
        space: name of the space.
        seed: of the search.
        epoch: finished epochs.
        path: the file.
    """

    method: str
    space: str
    seed: int
    epoch: int
    path: Path


@dataclass(frozen=True)
class Choice:
    """Which checkpoints; None takes those of all.

    Attributes:
        methods: labels, or methods that a study has with several settings.
        spaces: names.
        seeds: numbers.
        epochs: "last", "all", or numbers joined by commas.
    """

    methods: tuple[str, ...] | None = None
    spaces: tuple[str, ...] | None = None
    seeds: tuple[int, ...] | None = None
    epochs: str = "last"


def find_checkpoints(study: Path, manifest: dict[str, Any], choice: Choice) -> list[Checkpoint]:
    """The chosen checkpoints of a comparison or study, in the order of its methods.

    Args:
        study: its directory.
        manifest: the content of its `manifest.json`.
        choice: which.

    Raises:
        UserError: some are missing; it says which command makes them.
    """
    search = manifest.get("search")
    if search is None:
        raise UserError(
            f"{study} has no one-shot searches, so there are no shared weights to evaluate with; "
            "`python -m raynas.compare --methods darts,random_ws` makes a study that has"
        )
    command = _command(manifest)
    labels = _labels(choice.methods, search["settings"])
    methods = _chosen("method", labels, search["settings"], study, command)
    spaces = _chosen("space", choice.spaces, search["spaces"], study, command)
    seeds = _chosen("seed", choice.seeds, search["seeds"], study, command)
    epochs = _epochs(choice.epochs)
    found: list[Checkpoint] = []
    for method in methods:
        for space in spaces:
            for seed in seeds:
                found += _of_run(study, (method, space, seed), epochs, command)
    return found


def _command(manifest: dict[str, Any]) -> str:
    """The command that makes studies such as this one."""
    if manifest.get("kind") == STUDY:
        return f"python -m raynas.study {manifest['arguments']['name']}"
    return "python -m raynas.compare"


def _labels(names: Sequence[str] | None, there: Iterable[str]) -> list[str] | None:
    """The labels that are meant: of a method that is only there with settings, all of those."""
    if names is None:
        return None
    return [
        label
        for name in names
        for label in ([] if name in there else [one for one in there if base_method(one) == name])
        or [name]
    ]


def _chosen(
    kind: str, wanted: Sequence[Any] | None, there: Iterable[Any], study: Path, command: str
) -> list[Any]:
    there = list(there)
    for one in wanted or ():
        if one not in there:
            listed = ", ".join(map(str, there))
            raise UserError(
                f"{study} has no searches of {kind} {one}, only of {listed}; choose among them, or "
                f"run `{command}` with it",
                exit_code=2,
            )
    return list(dict.fromkeys(wanted)) if wanted else there


def _epochs(text: str) -> list[int] | str:
    if text in ("last", "all"):
        return text
    numbers = [part.strip() for part in text.split(",")]
    if not all(number.isdigit() and int(number) > 0 for number in numbers):
        raise UserError(
            f"--epochs is {text!r}; it must be last, all, or numbers such as 5,15,25", exit_code=2
        )
    return sorted({int(number) for number in numbers})


def _of_run(
    study: Path, run: tuple[str, str, int], epochs: list[int] | str, command: str
) -> list[Checkpoint]:
    folder = study / CHECKPOINTS / "-".join(map(str, run))
    name = f"{run[0]}, space {run[1]}, seed {run[2]}"
    last = folder / LAST
    if not last.is_file():
        raise UserError(
            f"{study} has no checkpoint of {name}; `{command} --resume {study}` "
            "finishes an unfinished study, a new one keeps its checkpoints"
        )
    kept = {int(path.stem[6:]): path for path in folder.glob("epoch_*.pt")}
    kept.setdefault(_epoch(last), last)
    if epochs == "last":
        wanted = [max(kept)]
    elif epochs == "all":
        wanted = sorted(kept)
    else:
        wanted = [epoch for epoch in epochs if isinstance(epoch, int)]
    missing = [str(epoch) for epoch in wanted if epoch not in kept]
    if missing:
        there = ", ".join(map(str, sorted(kept)))
        raise UserError(
            f"{study} has no checkpoint of {name} after epoch {', '.join(missing)}, only after "
            f"{there}; `{command} {_ALL}` makes a study that keeps all"
        )
    return [Checkpoint(*run, epoch, kept[epoch]) for epoch in wanted]


def _epoch(path: Path) -> int:
    from raynas.oneshot.checkpoint import read_checkpoint

    state = read_checkpoint(path)
    if not isinstance(state.get("epoch"), int):
        raise UserError(f"the checkpoint {path} is not that of a search; run the study again")
    return int(state["epoch"])
