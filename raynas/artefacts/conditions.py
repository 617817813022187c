"""Where the conditions of a study differ from the source's, and how it was made, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raynas.labels import base_method
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
    """Benchmark, device, images, seeds and epochs of a study.

    Seeds and evaluations of black-box methods are named only where such methods ran: a comparison
    of one-shot methods alone has these arguments, too, and no use for them.
    """
    benchmark = manifest.get("benchmark", {})
    parts = [str(benchmark.get("name", "no benchmark"))]
    arguments = manifest["arguments"]
    images, settings = _images(manifest), _settings(manifest)
    if images:
        size = [f"{settings[n]} {n}" for n in ("channels", "cells", "epochs") if settings.get(n)]
        parts.append(", ".join([images, *size]))
        searches = arguments.get("search_seeds")
        parts.append(f"{_number(searches, 'search seed')}{_which(searches)}" if searches else "")
    seeds, evaluations = arguments.get("seeds"), arguments.get("evaluations")
    if seeds and evaluations and _has_black_box(arguments):
        counts = f"{_number(seeds, 'seed')} of {evaluations} evaluations"
        parts.append(f"{counts}{_which(seeds)}")
    if arguments.get("seed") is not None:
        parts.append(f"root seed {arguments['seed']}")
    parts.append(device(manifest))
    return "; ".join(part for part in parts if part)


def _has_black_box(arguments: Mapping[str, Any]) -> bool:
    """Whether a method that looks cells up was among those of a comparison."""
    from raynas.oneshot import REGISTRY

    methods = arguments.get("methods")
    return methods is None or any(base_method(str(name)) not in REGISTRY for name in methods)


def _which(seeds: Any) -> str:
    """Which seeds they are: " (0 to 4)"; a mere number of them is counted from 0."""
    known = sorted(int(seed) for seed in (seeds if isinstance(seeds, list) else range(seeds)))
    if len(known) == 1:
        return f" ({known[0]})"
    if known == list(range(known[0], known[-1] + 1)):
        return f" ({known[0]} to {known[-1]})"
    return f" ({', '.join(map(str, known))})"


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
