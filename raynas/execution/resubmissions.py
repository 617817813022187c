"""How often work is handed to Ray Tune again after Tune has given it up."""

from __future__ import annotations

from collections import Counter

MOST_RESTARTS = 8
"""What Tune is asked to do by itself when the worker of a trial dies."""
MOST_RESUBMISSIONS = 3


class Resubmissions:
    """Counts what was given up.

    Tune (2.60) gives up a trial at once, whatever `max_failures` says, if a dead worker is
    reported to it twice: the first time it puts the trial back, the second time it finds it
    waiting. What a trial has done by then is on disk, so a new one goes on from there.

    Args:
        most: how often the same work is tried again.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = MOST_RESUBMISSIONS if most is None else most
        self._given_up = Counter[int]()

    def again(self, number: int) -> bool:
        """Take note that work was given up; whether to try it once more."""
        self._given_up[number] += 1
        return self._given_up[number] <= self._most
