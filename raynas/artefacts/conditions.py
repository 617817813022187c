"""Where the conditions of a study differ from the source's, and how it was made, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raynas.report.wording import counted

#: Size of the published searches (Zela et al. 2020).
CHANNELS, CELLS, EPOCHS = 16, 9, 50

Manifest = Mapping[str, Any]


def of_table(kind: str) -> list[str]:
    """What a benchmark differs in from the measured NAS-Bench-101."""
    return [] if kind == "official" else [f"a {kind} benchmark instead of the measured table"]


def of_study(manifest: Manifest) -> list[str]:
    """What a study's benchmark and searches differ in from the published ones."""
    found = of_table(str(manifest.get("benchmark", {}).get("kind", "unknown")))
    images = _images(manifest)
    if images and not images.lower().startswith("cifar"):
        found.append(f"{images} instead of CIFAR-10")
    settings = _settings(manifest)
    smaller = [
        f"{settings[name]} {name} instead of {published}"
        for name, published in (("channels", CHANNELS), ("cells", CELLS), ("epochs", EPOCHS))
        if settings.get(name, published) < published
    ]
    return found + smaller


def made_with(manifest: Manifest) -> str:
    """Benchmark, device, images, seeds and epochs of a study."""
    benchmark = manifest.get("benchmark", {})
    parts = [str(benchmark.get("name", "no benchmark"))]
    arguments = manifest["arguments"]
    images, settings = _images(manifest), _settings(manifest)
    if images:
        size = [f"{settings[n]} {n}" for n in ("channels", "cells", "epochs") if settings.get(n)]
        parts.append(", ".join([images, *size]))
        parts.append(_number(arguments.get("search_seeds"), "search seed"))
    if arguments.get("seeds") and arguments.get("evaluations"):
        parts.append(
            f"{_number(arguments['seeds'], 'seed')} of {arguments['evaluations']} evaluations"
        )
    parts.append(device(manifest))
    return "; ".join(part for part in parts if part)


def device(manifest: Manifest) -> str:
    """What a study ran on."""
    host = manifest.get("host", {})
    found = f"{host.get('cores', '?')} cores of {_article(str(host.get('processor', 'unknown')))}"
    used = (manifest.get("search") or {}).get("device") or manifest.get("device")
    return f"{found}, {used}" if used == "cuda" else found


def _article(processor: str) -> str:
    return f"an {processor}" if processor[:1] in "AEIO" else f"a {processor}"


def _images(manifest: Manifest) -> str:
    described = (manifest.get("search") or {}).get("images")
    if isinstance(described, Mapping):
        return str(described.get("title", described.get("name", "")))
    return str(described or manifest.get("images") or "")


def _settings(manifest: Manifest) -> dict[str, int]:
    """Channels, cells and epochs: what was asked for, else those of the searches."""
    search = (manifest.get("search") or {}).get("settings") or {}
    methods = [values for values in search.values() if isinstance(values, Mapping)]
    arguments = manifest.get("arguments", {})
    found: dict[str, int] = {}
    for name in ("channels", "cells", "epochs"):
        given = [values[name] for values in methods if values.get(name) is not None]
        if isinstance(arguments.get(name), int):
            found[name] = arguments[name]
        elif given:
            found[name] = min(given)
    return found


def _number(values: Any, noun: str) -> str:
    if values is None:
        return ""
    return counted(len(values) if isinstance(values, list) else int(values), noun)
