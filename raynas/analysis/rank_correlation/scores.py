"""One-shot accuracies of cells, as they are stored and as they are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

SCORES_SCHEMA = pa.schema(
    [
        ("method", pa.string()),
        ("space", pa.string()),
        ("seed", pa.int32()),
        ("epoch", pa.int32()),
        ("rule", pa.string()),
        ("statistics", pa.string()),
        ("row", pa.int32()),
        ("module_hash", pa.string()),
        ("labelling", pa.int32()),
        ("accuracy", pa.float64()),
    ]
)
"""One row per checkpoint, evaluation rule, statistics and architecture.

`row` is the cell's in its space; `labelling` counts the architectures of a cell from 0.
"""

#: Standard errors above chance that shared weights must be to be shown better than guessing.
_ERRORS = 3
_KEYS = ("method", "space", "epoch", "rule", "statistics")


@dataclass(frozen=True)
class Group:
    """The scores of the same cells by all seeds of a method.

    Attributes:
        method: its label.
        space: name of the space.
        epoch: finished epochs of the searches.
        rule: of the evaluation.
        statistics: of the normalisation.
        seeds: of the searches.
        rows: of the cells, shape (n,).
        labellings: of the architectures of each cell, shape (seeds, architectures, n); nan where
            a cell has fewer.
    """

    method: str
    space: str
    epoch: int
    rule: str
    statistics: str
    seeds: tuple[int, ...]
    rows: npt.NDArray[np.int64]
    labellings: npt.NDArray[np.float64]

    @cached_property
    def accuracies(self) -> npt.NDArray[np.float64]:
        """The mean over the architectures of each cell, shape (seeds, n)."""
        found = np.nanmean(self.labellings, axis=1)
        # The mean of three equal shares need not be that share: ties would be broken by rounding.
        return np.asarray(np.round(found, 12), np.float64)


@dataclass(frozen=True, slots=True)
class OnImages:
    """The images that were classified.

    Attributes:
        classes: how many.
        images: how many.
    """

    classes: int
    images: int


@dataclass(frozen=True, slots=True)
class Accuracies:
    """How well the shared weights of a group classify at all.

    Attributes:
        mean: over cells and seeds.
        deviation: over the cells of a seed, averaged over seeds.
        fewest: distinct accuracies of the seed with the fewest.
        most: of that with the most.
        chance: one divided by the number of classes.
        images: how many were classified.
        bar: chance and three standard errors of the share of right guesses among so many images.
        by_chance: whether the mean is not above the bar, so that with so many images the weights
            are not shown to be better than guessing. More images might show it.
    """

    mean: float
    deviation: float
    fewest: int
    most: int
    chance: float
    images: int
    bar: float
    by_chance: bool

    @classmethod
    def of(cls, group: Group, images: OnImages) -> Accuracies:
        """Those of a group."""
        found = group.accuracies
        distinct = [len(np.unique(line)) for line in found]
        chance = 1 / images.classes
        error = float(np.sqrt(chance * (1 - chance) / images.images))
        mean = float(found.mean())
        deviation = float(found.std(axis=1).mean())
        bar = chance + _ERRORS * error
        of_guesses = (chance, images.images, bar, mean <= bar)
        return cls(mean, deviation, min(distinct), max(distinct), *of_guesses)

    def columns(self) -> dict[str, float | int | bool]:
        """As the table of coefficients has them."""
        return {
            "mean_accuracy": self.mean,
            "accuracy_deviation": self.deviation,
            "fewest_distinct": self.fewest,
            "most_distinct": self.most,
            "chance_accuracy": self.chance,
            "images": self.images,
            "guessing_bar": self.bar,
            "by_chance": self.by_chance,
        }


def groups_of(scores: pa.Table) -> list[Group]:
    """The groups of a table in `SCORES_SCHEMA`, in its order; all seeds have the same cells.

    A table without labellings has one architecture of each cell.
    """
    columns = [scores[name].to_pylist() for name in (*_KEYS, "seed")]
    rows, accuracies = (scores[name].to_numpy() for name in ("row", "accuracy"))
    numbers = np.zeros(len(rows), np.int64)
    if "labelling" in scores.schema.names:
        numbers = scores["labelling"].to_numpy().astype(np.int64)
    members: dict[tuple[object, ...], dict[int, list[int]]] = {}
    for position, key in enumerate(zip(*columns, strict=True)):
        members.setdefault(key[:-1], {}).setdefault(key[-1], []).append(position)
    groups = []
    for (method, space, epoch, rule, statistics), seeds in members.items():
        cells = np.unique(rows[next(iter(seeds.values()))]).astype(np.int64)
        found = np.full((len(seeds), numbers.max(initial=0) + 1, len(cells)), np.nan)
        for line, seed in zip(found, sorted(seeds), strict=True):
            own = seeds[seed]
            line[numbers[own], np.searchsorted(cells, rows[own])] = accuracies[own]
        names = (str(method), str(space), int(str(epoch)), str(rule), str(statistics))
        groups.append(Group(*names, tuple(sorted(seeds)), cells, found))
    return groups
