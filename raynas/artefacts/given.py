"""Studies that stand for a reproduction's own: what they must be, and that they belong together."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raynas.artefacts.commands import Study, find_study
from raynas.execution.manifest import COMPARISON, CORRELATION, MANIFEST, STUDY, SWEEP, read_manifest
from raynas.labels import base_method
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from raynas.artefacts.ledger import Planned

_KINDS = {
    "raynas.compare": COMPARISON,
    "raynas.study": STUDY,
    "raynas.correlation": CORRELATION,
    "tuning.sweep": SWEEP,
}
#: Which argument of a manifest is the first one of the command.
_NAMED_BY = {"raynas.study": "name", "tuning.sweep": "method"}
#: States of studies that are read, or will be.
_THERE = ("given", "found", "finished", "resume")


def check_given(existing: Mapping[str, Path]) -> None:
    """Refuse directories that are not what they are given for.

    Raises:
        UserError: in one line, with what was found and the command that makes the right one.
    """
    for name, folder in existing.items():
        study = find_study(name)
        if not (folder / study.done).exists():
            raise UserError(f"--study {name}={folder}: there is no {study.done}; {_wanted(study)}")
        found = _other(study, folder)
        if found:
            raise UserError(
                f"--study {name}={folder}: that is {found}; {_wanted(study)}", exit_code=2
            )


def fits(study: Study, folder: Path) -> bool:
    """Whether a directory holds what a study is to be, finished."""
    try:
        return (folder / study.done).exists() and not _other(study, folder)
    except UserError:
        return False


def _wanted(study: Study) -> str:
    command = ["python", "-m", study.module]
    if study.module in _NAMED_BY:
        command.append(_first(study))
    return f"give the directory of a finished `{' '.join(command)}`" + (
        f" with methods such as {_methods(study)}" if study.module == "raynas.compare" else ""
    )


def _other(study: Study, folder: Path) -> str:
    """What a directory is instead; empty if it is what is wanted."""
    kind = _KINDS.get(study.module)
    if kind is None:
        return ""
    manifest = read_manifest(folder)
    found = manifest.get("kind", COMPARISON)
    argument = _NAMED_BY.get(study.module)
    if found != kind:
        return f"a {found} and no {kind}"
    if argument is not None and manifest["arguments"].get(argument) != _first(study):
        return f"a {kind} of {manifest['arguments'].get(argument)}, not of {_first(study)}"
    if kind == COMPARISON:
        methods = [str(name) for name in manifest["arguments"].get("methods") or ()]
        if not {base_method(name) for name in methods} & set(_methods(study).split(",")):
            return f"a comparison of {', '.join(methods)}"
    return f"an unfinished {kind}" if manifest["finished"] is None else ""


def _first(study: Study) -> str:
    return study.arguments["quick"][0]


def _methods(study: Study) -> str:
    given = study.arguments["quick"]
    return given[given.index("--methods") + 1]


def check_belonging(planned: Sequence[Planned], folders: Mapping[str, Path], *, run: bool) -> None:
    """Refuse a study that was made from another one than that which it would stand beside.

    Args:
        planned: what is read and run.
        folders: of all studies that these need.
        run: whether what is missing is run now; nothing that is there can be made from it.

    Raises:
        UserError: in one line, with both and the way out.
    """
    states = {one.study.name: one.state for one in planned}
    for one in planned:
        if not one.ready or not one.study.needs:
            continue
        sources = _sources(one)
        if sources is None:
            continue
        needs = {name: folders[name] for name in one.study.needs}
        there = {name: _begun(path) for name, path in needs.items() if states.get(name) in _THERE}
        for name, folder in needs.items():
            if (run and states.get(name) == "new") or (
                there.get(name) and there[name] not in sources.values()
            ):
                raise _foreign(one, sources, f"{name}={folder}")
        extra = [path for path, begun in sources.items() if begun not in there.values()]
        if extra and len(there) == len(needs):
            raise _foreign(one, dict.fromkeys(extra, ""), " and ".join(map(str, needs.values())))


def _foreign(one: Planned, sources: Mapping[str, str], wanted: str) -> UserError:
    made = f"{one.study.name}={one.folder} was made from {' and '.join(sources)}, not from {wanted}"
    if one.state == "given":
        way = f"give the studies that belong together, or leave --study {one.study.name} out"
    else:
        way = f"remove {one.folder} to have it made anew"
    return UserError(f"{made}; {way}", exit_code=2)


def _begun(folder: Path) -> str:
    """When a study was begun, which tells it from others also after a move; empty if unknown."""
    try:
        return str(read_manifest(folder)["created"])
    except UserError:
        return ""


def _sources(one: Planned) -> dict[str, str] | None:
    """Path of each study that one was made from -> when that was begun; None if it is not known.

    Correlations of earlier versions know the path only, comparisons with random draws nothing:
    these are made anew in seconds, so given ones are refused.
    """
    if (one.folder / MANIFEST).exists() and one.study.module == "raynas.correlation":
        try:
            manifest: dict[str, Any] = read_manifest(one.folder)
        except UserError:
            return None
        path = str(manifest["arguments"]["study"])
        begun = manifest.get("study_created") or _begun(Path(path))
        return {path: str(begun)} if begun else None
    if one.study.module != "raynas.random_policy":
        return None
    from raynas.analysis.random_policy.record import read_record

    path = str(one.folder / one.study.done)
    record = read_record(Path(path)) if Path(path).exists() else None
    if record is None and one.state in ("given", "found"):
        needed = one.arguments[: len(one.study.needs)]
        there = [path for path in needed if Path(path).exists()] or ["STUDY"]
        made = (*there, *one.arguments[len(needed) :], "--out", str(one.folder))
        raise UserError(
            f"{path} does not say which studies it was made from, as it is of an earlier version; "
            f"`python -m raynas.random_policy {shlex.join(made)}` makes "
            "it anew"
        )
    return None if record is None else dict(record.studies)
