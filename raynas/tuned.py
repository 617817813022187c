"""Tuned settings of one-shot methods: a plain file that a sweep leaves and a comparison reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from raynas.labels import labelled
from search_spaces.errors import UserError

TUNED = "tuned.json"
FORMAT = 1
_WORDS = "tuned"
_REQUIRED = ("format", "method", "space", "settings", "source")


@dataclass(frozen=True)
class Tuned:
    """What a sweep found to be the best configuration of a method.

    Attributes:
        method: the one-shot method.
        space: name of the space that it was tuned on.
        settings: the settings that were tuned, by the names of the method's settings.
        source: where they come from: study, images, size of the supernet, epochs, benchmark.
    """

    method: str
    space: str
    settings: Mapping[str, Any]
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What the method is called with these settings."""
        return tuned_label(self.method)

    def as_json(self) -> str:
        """The content of the file."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=False) + "\n"


def tuned_label(method: str) -> str:
    """What a method is called when it has tuned settings."""
    return labelled(method, _WORDS)


def is_tuned(label: str) -> bool:
    """Whether a label says that the settings are tuned."""
    return label.endswith(labelled("", _WORDS))


def read_tuned(study: Path) -> Tuned:
    """The tuned settings that a sweep left in its study directory.

    Raises:
        UserError: there are none, or the file is not one of a sweep of a known method.
    """
    from raynas.oneshot import method_info, method_settings

    path = study if study.suffix == ".json" else study / TUNED
    found = _parse(path, study)
    missing = [key for key in _REQUIRED if key not in found]
    if missing or found["format"] != FORMAT:
        what = f"lacks {', '.join(missing)}" if missing else f"has format {found['format']}"
        raise UserError(f"{path} {what}, this version reads format {FORMAT}; run the sweep again")
    kinds = {"method": str, "space": str, "settings": dict, "source": dict}
    for key, kind in kinds.items():
        if not isinstance(found[key], kind):
            raise UserError(f"{path} has no valid {key}: {found[key]!r}; run the sweep again")
    tuned = Tuned(**{key: found[key] for key in kinds})
    try:
        method_info(tuned.method)
        known = method_settings(tuned.method).as_dict()
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    for name, value in tuned.settings.items():
        if name not in known:
            raise UserError(f"{path} tunes {name!r}, which {tuned.method} does not have")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UserError(f"{path} sets {name} to {value!r}, which is no number")
    return tuned


def read_all_tuned(studies: Iterable[Path]) -> dict[str, Tuned]:
    """Tuned settings of several sweeps, by label.

    Raises:
        UserError: as for `read_tuned`, or two of them tuned the same method.
    """
    found: dict[str, Tuned] = {}
    places: dict[str, Path] = {}
    for study in studies:
        tuned = read_tuned(study)
        if tuned.label in found:
            raise UserError(
                f"{places[tuned.label]} and {study} both tuned {tuned.method}; give one --tuned "
                "per method",
                exit_code=2,
            )
        found[tuned.label], places[tuned.label] = tuned, study
    return found


def _parse(path: Path, study: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        if not study.exists():
            raise UserError(f"there is no study {study}; name the directory of a sweep") from error
        raise UserError(
            f"{study} has no {TUNED}: it is no finished sweep; finish it with "
            f"`python -m tuning.sweep --resume {study}`, or name another study"
        ) from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}); run the sweep again") from error
    if not isinstance(found, dict):
        raise UserError(f"{path} is damaged (no object); run the sweep again")
    return found
