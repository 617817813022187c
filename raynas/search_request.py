"""What a user can ask of the one-shot searches of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from raynas.labels import base_method
from raynas.presets import Preset
from raynas.tuned import Tuned
from search_spaces.errors import UserError, unknown_name

if TYPE_CHECKING:
    from raynas.execution.search_plan import SearchPlan
    from raynas.images import ImageSource

DEVICES = ("auto", "cpu", "cuda")
#: Of these spaces there are supernets (Zela et al. 2020).
SEARCHED_SPACES = ("1", "2", "3")
PRECISIONS = ("float32", "bf16")
KEEP_CHECKPOINTS = ("last", "all")
_COUNTS = ("epochs", "channels", "cells", "batch_size", "search_seeds", "gpus_per_trial")
#: The options that change a setting of the same name.
_SETTINGS = ("epochs", "channels", "cells", "batch_size", "precision")
#: By setting: options that help where the settings themselves know of none.
_WAYS_OUT = {"partial_channels": "; give a multiple with --channels"}


@dataclass(frozen=True)
class SearchRequest:
    """Options of one-shot searches; None takes the preset's or the published value.

    Attributes:
        epochs: length of a search.
        channels: width of the supernet's first cells.
        cells: number of cells.
        batch_size: images per step.
        device: "auto" (a GPU if there is one where the searches run), "cpu" or "cuda".
        precision: "float32" or "bf16".
        images: "auto", "cifar10", "digits" or a path.
        search_seeds: searches per method and space; they have the seeds 0, 1, ...
        gpus_per_trial: share of a GPU that a search gets.
        keep_checkpoints: "last" or "all".
        cluster_gpus: no option: GPUs of the Ray cluster that is joined; None: one is started here.
    """

    epochs: int | None = None
    channels: int | None = None
    cells: int | None = None
    batch_size: int | None = None
    device: str | None = None
    precision: str | None = None
    images: str | None = None
    search_seeds: int | None = None
    gpus_per_trial: float | None = None
    keep_checkpoints: str | None = None
    cluster_gpus: float | None = None

    def given(self) -> dict[str, Any]:
        """The options that were given, as a manifest records them."""
        found = {name: value for name, value in self._options().items() if value is not None}
        if self.search_seeds is not None:
            found["search_seeds"] = list(range(self.search_seeds))
        if self.images is not None:
            found["images"] = _absolute(self.images)
        return found

    def _options(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "cluster_gpus"}

    def check(self) -> None:
        """Refuse what names nothing or counts nothing.

        Raises:
            UserError: in one line, with the valid values.
        """
        for kind, name, valid in (
            ("device", self.device, DEVICES),
            ("precision", self.precision, PRECISIONS),
            ("choice of checkpoints", self.keep_checkpoints, KEEP_CHECKPOINTS),
        ):
            if name is not None and name not in valid:
                raise unknown_name(kind, name, list(valid))
        for option in _COUNTS:
            value = getattr(self, option)
            if value is not None and not value > 0:
                raise UserError(f"{_flag(option)} must be greater than 0, not {value}", exit_code=2)
        if self.gpus_per_trial is not None and self.gpus_per_trial > 1:
            raise UserError(
                f"--gpus-per-trial must be at most 1, as a search uses one GPU, not "
                f"{self.gpus_per_trial}",
                exit_code=2,
            )

    def refuse_unused(self) -> None:
        """Refuse every option, as there is no search that it could change.

        Raises:
            UserError: names the first.
        """
        for name in self.given():
            raise UserError(
                f"{_flag(name)} changes one-shot searches, and no one-shot method is among the "
                "methods",
                exit_code=2,
            )


def search_arguments(
    request: SearchRequest,
    preset: Preset,
    methods: Sequence[str],
    spaces: Sequence[str],
    tuned: Mapping[str, Tuned] = MappingProxyType({}),
    changes: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the manifest says of searches: `arguments`, and the content of `search`.

    Args:
        request: what was asked for.
        preset: for the rest.
        methods: one-shot methods, at least one; some may be labels, those of `tuned` or `changes`.
        spaces: names of spaces with a supernet.
        tuned: by label, what a sweep found; it goes before preset and options.
        changes: by label, settings that go before everything else.

    Raises:
        UserError: there are no such images or devices, images lack files, or a setting is wrong.
    """
    from raynas.images import find_images

    device = search_device(request)
    if device == "cpu" and request.gpus_per_trial is not None:
        raise UserError("--gpus-per-trial needs a GPU; leave it out with --device cpu", exit_code=2)
    size = preset.searches[device]
    given = {name: getattr(request, name) for name in _SETTINGS if getattr(request, name)}
    settings = {
        label: {
            **size.settings,
            **size.method_settings.get(base_method(label), {}),
            **given,
            **(tuned[label].settings if label in tuned else {}),
            **changes.get(label, {}),
        }
        for label in methods
    }
    asked = request.images or size.images
    source = find_images(asked)
    source.files("search")
    arguments = request._options() | {
        "epochs": request.epochs or size.settings["epochs"],
        "channels": request.channels or size.settings["channels"],
        "cells": request.cells or size.settings["cells"],
        "device": request.device or "auto",
        "precision": request.precision or "float32",
        "images": _absolute(asked),
        "search_seeds": list(range(request.search_seeds or size.seeds)),
        "keep_checkpoints": request.keep_checkpoints or "last",
    }
    described = {
        "images": _describe(source, asked),
        "settings": _checked(settings, source),
        "seeds": arguments["search_seeds"],
        "spaces": list(spaces),
        "device": device,
        "tuned": {label: asdict(found) for label, found in tuned.items()},
    }
    return arguments, described


def search_note(search: Mapping[str, Any]) -> str:
    """What searches run on, from a manifest's entry on them, for the console."""
    images = search["images"]
    note = f"one-shot methods search on {images['title']}, {search['device']}"
    if images["name"] == "digits":
        note += "; `python -m search_spaces.fetch cifar10` and --images cifar10 for CIFAR-10"
    return note


def search_plan(manifest: Mapping[str, Any]) -> SearchPlan | None:
    """The searches of a study; None if there are none.

    Raises:
        UserError: the images are not there any more.
    """
    from raynas.execution.search_plan import SearchPlan
    from raynas.images import find_images
    from raynas.oneshot import method_info, method_settings

    search = manifest.get("search")
    if search is None:
        return None
    arguments = manifest["arguments"]
    return SearchPlan(
        settings={
            label: method_settings(base_method(label), **_with_tuples(values))
            for label, values in search["settings"].items()
        },
        spaces=tuple(search["spaces"]),
        seeds=tuple(search["seeds"]),
        images=find_images(search["images"]["source"]),
        device=search["device"],
        gpus_per_trial=arguments.get("gpus_per_trial"),
        keep_checkpoints=arguments.get("keep_checkpoints") or "last",
        classes={
            label: method_info(base_method(label)).load()
            for label in search["settings"]
            if label != base_method(label)
        },
    )


def _checked(
    settings: Mapping[str, Mapping[str, Any]], source: ImageSource
) -> dict[str, dict[str, Any]]:
    """All settings of each method; whatever does not fit the images is found here."""
    from raynas.oneshot import method_settings
    from raynas.oneshot._set_up import augmentation

    found = {}
    for method, values in settings.items():
        try:
            made = method_settings(base_method(method), **values)
            augmentation(made, source)
        except UserError as error:
            way_out = _WAYS_OUT.get(str(error).split(" = ")[0], "")
            raise UserError(f"{method}: {error}{way_out}", exit_code=error.exit_code) from error
        half = source.sizes["search"] // 2
        if made.batch_size > half:
            raise UserError(
                f"batch_size = {made.batch_size}: there are only {half} images in each half of "
                f"{source.title}; give fewer with --batch-size",
                exit_code=2,
            )
        found[method] = made.as_dict()
    return found


def search_device(request: SearchRequest) -> str:
    """What to search on: "cpu" or "cuda".

    Raises:
        UserError: a GPU was asked for and there is none.
    """
    asked = request.device or "auto"
    if asked == "cpu":
        return asked
    if request.cluster_gpus is None:
        import torch

        there = torch.cuda.is_available()
    else:
        there = request.cluster_gpus > 0
    if asked == "cuda" and not there:
        where = "torch finds" if request.cluster_gpus is None else "the Ray cluster has"
        raise UserError(f"{where} no GPU; use --device cpu, or a cluster with GPUs by --address")
    return "cuda" if there else "cpu"


def _describe(source: ImageSource, asked: str) -> dict[str, Any]:
    named = asked in ("auto", "cifar10", "digits")
    return {
        "name": source.name,
        "title": source.title,
        "shape": list(source.shape),
        "classes": source.classes,
        "sizes": dict(source.sizes),
        "source": source.name if named else _absolute(asked),
    }


def _absolute(images: str) -> str:
    if images in ("auto", "cifar10", "digits"):
        return images
    return str(Path(images).expanduser().absolute())


def _with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows no tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def _flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"
