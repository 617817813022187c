"""What a user asks of a reproduction, and the command line of it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from raynas.artefacts import Artefact
from raynas.artefacts.commands import STUDIES_FOLDER, Options, find_study, with_needed
from search_spaces.errors import UserError

USUAL_PRESET = "quick"


@dataclass(frozen=True)
class Request:
    """What a user asked for.

    Attributes:
        names: of artefacts, or "all".
        preset: "quick" or "paper".
        out: directory of the reproduction.
        resume: whether unfinished studies are continued.
        run: False only reads what is there.
        options: handed on to the commands.
        existing: by study name, directories to read instead of running.
    """

    names: tuple[str, ...]
    preset: str = USUAL_PRESET
    out: Path | None = None
    resume: bool = False
    run: bool = True
    options: Options = field(default_factory=Options)
    existing: Mapping[str, Path] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The directory of the reproduction."""
        return self.out or Path("studies") / f"reproduce-{self.preset}"

    def command(
        self, artefact: Artefact, unfinished: Sequence[str] = (), *, run: bool = True
    ) -> str:
        """The command line that gets one of the artefacts in the same way, studies included.

        Args:
            artefact: which.
            unfinished: studies that are not there; what was begun of them is continued.
            run: whether studies that are not there are to be run.
        """
        parts = ["python", "-m", "raynas.reproduce", artefact.name]
        if self.preset != USUAL_PRESET:
            parts += ["--preset", self.preset]
        for name in ("benchmark", "images", "device"):
            value = getattr(self.options, name)
            if value is not None:
                parts += [f"--{name}", value]
        needed = with_needed(artefact.studies)
        for name in needed:
            if name in self.existing:
                parts += ["--study", f"{name}={self.existing[name]}"]
        if self.out is not None:
            parts += ["--out", str(self.out)]
        begun = self.folder / STUDIES_FOLDER
        if not run:
            parts.append("--no-run")
        elif any(name in unfinished and (begun / name).exists() for name in needed):
            parts.append("--resume")
        return shlex.join(parts)


def parse_existing(values: Sequence[str]) -> dict[str, Path]:
    """NAME=DIR options as a mapping.

    Raises:
        UserError: one is no such pair, or names no study.
    """
    found = {}
    for value in values:
        name, separator, folder = value.partition("=")
        if not separator or not folder:
            raise UserError(
                f"--study {value}: give NAME=DIR, for instance one-shot=studies/mine", exit_code=2
            )
        found[find_study(name).name] = Path(folder)
    return found
