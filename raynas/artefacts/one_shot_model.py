"""Sizes of the one-shot model, and what its published evaluation gets wrong: counted, not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from raynas.artefacts._base import Artefact, Obtained
from raynas.artefacts.readings import counts
from raynas.artefacts.spaces import CODE, FAMILY, NAMES, computed, three_spaces, triples
from raynas.artefacts.verdicts import exact

if TYPE_CHECKING:
    from raynas.artefacts.evidence import Evidence

_ALPHAS = (24, 26, 35)
_WEIGHTS = (1_101_402, 1_101_402, 1_509_594, 492_570, 748_554)
#: Patterns of parents of the released list, and those whose output edges its script gets wrong.
_PATTERNS = {"1": (49, 38), "2": (65, 56)}


def _alphas(_evidence: Evidence) -> Obtained:
    import torch

    from raynas.supernet.alphas import Alphas

    found = [Alphas(space, torch.Generator().manual_seed(0)).numel() for space in three_spaces()]
    return computed(counts([f"space {n}" for n in NAMES], found), exact(_ALPHAS, found))


def _weights(_evidence: Evidence) -> Obtained:
    import torch

    from raynas.supernet import Supernet, SupernetSettings

    found, labels = [], []
    spaces = {space.name: space for space in three_spaces()}
    for name, partial in (("1", 1), ("2", 1), ("3", 1), ("2", 4), ("3", 4)):
        settings = SupernetSettings(partial_channels=partial)
        supernet = Supernet(spaces[name], settings, torch.Generator().manual_seed(0))
        found.append(sum(parameter.numel() for parameter in supernet.parameters()))
        labels.append(f"space {name}{', PC-DARTS' if partial > 1 else ''}")
    return computed(counts(labels, found), exact(_WEIGHTS, found))


def _wrong_outputs(_evidence: Evidence) -> Obtained:
    from raynas.supernet.rules import rule_weights
    from search_spaces.published import published_architectures

    found, labels = [], []
    for space in three_spaces()[: len(_PATTERNS)]:
        vectors = published_architectures(space, "without-loose-ends")
        _, first = np.unique(vectors[:, space.num_blocks :], axis=0, return_index=True)
        outputs = [
            [rule_weights(space, vectors[i], rule, softmaxed=False).output for i in first]
            for rule in ("corrected", "published")
        ]
        wrong = sum(not bool((a == b).all()) for a, b in zip(*outputs, strict=True))
        found += [len(first), wrong]
        labels += [f"space {space.name}, patterns of parents", f"space {space.name}, wrong"]
    wanted = [number for pair in _PATTERNS.values() for number in pair]
    return computed(counts(labels, found), exact(wanted, found))


ARTEFACTS = (
    Artefact(
        "architecture-parameters",
        FAMILY,
        "size of the architecture parameters of the one-shot model",
        CODE,
        f"{triples(_ALPHAS)} numbers in spaces 1 / 2 / 3",
        "the parameters are made and counted",
        obtain=_alphas,
    ),
    Artefact(
        "one-shot-weights",
        FAMILY,
        "trainable weights of the one-shot model, 16 channels and 9 cells",
        f"{CODE} (arithmetic on its network)",
        "1,101,402 in spaces 1 and 2, 1,509,594 in space 3; PC-DARTS 492,570 and 748,554 in "
        "spaces 2 and 3",
        "the supernets are built and their weights counted",
        obtain=_weights,
    ),
    Artefact(
        "wrong-output-edges",
        FAMILY,
        "patterns of parents whose edges into the output the correlation script gets wrong",
        f"{CODE} (its correlation script), counted; no publication states it",
        "38 of 49 patterns in space 1 and 56 of 65 in space 2",
        "output weights of the published evaluation rule beside those of the corrected one, for "
        "each pattern of the released list",
        obtain=_wrong_outputs,
    ),
)
