"""What a published artefact is, and what a reproduction of it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from raynas.artefacts.evidence import Evidence


class Verdict(StrEnum):
    """What a reproduction says of a published value or finding."""

    AGREE = "agree"
    DIRECTION = "agrees in direction"
    DISAGREE = "disagree"
    NOT_COMPARABLE = "not comparable"
    NOT_RUN = "not run"
    NOT_AVAILABLE = "not available"


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict and why.

    Attributes:
        verdict: the verdict.
        reason: one sentence without a full stop.
    """

    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One obtained figure.

    Attributes:
        label: what it is of, for instance "space 3, darts".
        value: the figure; None if there is none.
        low: lower end of its 95 % interval; None without one.
        high: upper end.
        runs: runs behind it; None where it is computed exactly.
        unit: "" for a plain number, "points" for a fraction shown in percentage points.
        note: why there is no value or interval, or what the figure means.
        p: of a permutation test, where the figure compares two samples of runs.
        p_margin: of the test that a difference is smaller than a margin, or no loss beyond it,
            where a source says so.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    runs: int | None = None
    unit: str = ""
    note: str = ""
    p: float | None = None
    p_margin: float | None = None

    @property
    def has_interval(self) -> bool:
        """Whether there is an interval."""
        return self.low is not None and self.high is not None


@dataclass(frozen=True, slots=True)
class Obtained:
    """What was found for an artefact.

    Attributes:
        readings: the figures.
        judged: the verdict and its reason.
        made_with: benchmark, device, seeds and epochs, in words.
    """

    readings: tuple[Reading, ...]
    judged: Judged
    made_with: str


@dataclass(frozen=True, slots=True)
class Artefact:
    """A figure, table or claim of a source.

    Attributes:
        name: how a command line names it.
        family: heading under which a page lists it.
        shows: what it shows.
        source: paper or code, with figure, table or section.
        published: its value or finding, in our words.
        computed: how the obtained value is found from the files of studies, or without any.
        studies: names of the studies that it reads, see `raynas.artefacts.commands`.
        obtain: reads them; None where a method is missing.
        needs: what is missing then.
        figures: (study, pattern below its folder `figures`) of drawings that show it.
    """

    name: str
    family: str
    shows: str
    source: str
    published: str
    computed: str
    studies: tuple[str, ...] = ()
    obtain: Callable[[Evidence], Obtained] | None = None
    needs: str = ""
    figures: tuple[tuple[str, str], ...] = ()
