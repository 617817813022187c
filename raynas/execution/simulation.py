"""Two clocks: an optimizer meets a benchmark table on simulated asynchronous workers.

Every evaluation takes the table's training seconds on the simulated clock; the real clock counts
what the suggestion and the look-up took. The loop is deterministic, so a run is resumed by
replaying its recorded rows through the same loop.
"""

from __future__ import annotations

import heapq
import math
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from raynas.execution.lookup import Outcome
from raynas.execution.row import FAILED_RUN, MEAN, Row, failed_run
from raynas.optimizers import Evaluation
from search_spaces.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from raynas.optimizers import Optimizer, Proposal

FULL_TRAINING_EPOCHS = 108


@dataclass(frozen=True, slots=True)
class Limits:
    """When a run ends.

    Attributes:
        evaluations: full trainings; every method may spend `evaluations * 108` epochs.
        budget_seconds: simulated seconds; what would finish later is never seen.
        workers: simulated asynchronous workers.
    """

    evaluations: int
    budget_seconds: float | None = None
    workers: int = 1

    @property
    def epochs(self) -> int:
        """Training epochs that a run may spend."""
        return self.evaluations * FULL_TRAINING_EPOCHS

    @property
    def seconds(self) -> float:
        """Simulated seconds that a run may last."""
        return math.inf if self.budget_seconds is None else self.budget_seconds


class RepeatStream:
    """Which training repeat each proposal sees: drawn per proposal number, in any order."""

    _CHUNK = 256

    def __init__(self, seed: np.random.SeedSequence, rule: str) -> None:
        """Draw from `seed` if `rule` is "seeded"; "mean", "0", "1" and "2" are constant."""
        import numpy as np

        self._rng = np.random.default_rng(seed)
        self._drawn: list[int] = []
        self._constant = {"mean": MEAN, "0": 0, "1": 1, "2": 2, "seeded": None}[rule]

    def __getitem__(self, number: int) -> int:
        """The repeat of proposal `number`: 0, 1, 2, or `MEAN`."""
        if self._constant is not None:
            return self._constant
        while number >= len(self._drawn):
            self._drawn.extend(self._rng.integers(0, 3, self._CHUNK).tolist())
        return self._drawn[number]


Lookup = Callable[[tuple[int, ...], int, int], Outcome]
_Event = tuple[float, int, "Proposal", int, Outcome]


class DisagreementError(UserError):
    """The recorded rows of a run are not what this program does."""


class Simulation:
    """One run of one optimizer against one table.

    Attributes:
        finished: whether the run has ended.
        completed: evaluations that have finished, recorded ones included.
        epochs_done: the epochs of those.
        best_error: the least validation error seen at the largest budget seen.
        clock: the simulated seconds now.
    """

    def __init__(
        self,
        optimizer: Callable[[], Optimizer],
        lookup: Lookup,
        limits: Limits,
        repeats: RepeatStream,
        *,
        recorded: Sequence[Row] = (),
        name: str = "run",
    ) -> None:
        """Prepare a run; nothing happens before `advance`.

        Args:
            optimizer: makes the optimizer; called once, inside the run, so that a failure to make
                it is a failure of this run only.
            lookup: (vector, epochs, repeat) -> what the table knows.
            limits: when to stop.
            repeats: the repeat of each proposal number.
            recorded: the first rows of this very run, in order; they are replayed, not looked up.
            name: how errors call this run.
        """
        self.finished = bool(recorded) and recorded[-1].number == FAILED_RUN
        self.completed = 0
        self.epochs_done = 0
        self.best_error: float | None = None
        self.clock = 0.0
        self._factory = optimizer
        self._lookup, self._limits, self._repeats, self._name = lookup, limits, repeats, name
        self._optimizer: Optimizer | None = None
        self._untold: Evaluation | None = None
        self._fault: str | None = None
        self._recorded = recorded
        self._known = {row.number: row for row in recorded}
        self._real = recorded[-1].real_seconds if recorded else 0.0
        self._events: list[_Event] = []
        self._epochs_started = self._best_epochs = 0
        self._closed = False

    @property
    def in_flight(self) -> int:
        """Evaluations that have been started and not finished."""
        return len(self._events)

    def run(self) -> list[Row]:
        """All rows that are not recorded yet, in order of completion."""
        return self.advance(math.inf)

    def advance(self, deadline: float) -> list[Row]:
        """Work until `perf_counter()` passes `deadline` or the run ends.

        Returns:
            The new rows in order of completion; `finished` says whether there will be more.

        Raises:
            DisagreementError: the recorded rows are not what this program does.
        """
        rows: list[Row] = []
        replayed = len(self._recorded)
        now = perf_counter()
        origin = now - self._real
        while now < deadline and not self.finished:
            row = self._next(origin)
            now = perf_counter()
            if row is None:
                continue
            if row.evaluation < replayed:
                origin = now - self._real  # the record has counted this already
            else:
                rows.append(row)
        if self.completed >= replayed:
            self._real = now - origin
        return rows

    def _next(self, origin: float) -> Row | None:
        """Start what can be started, then finish the earliest evaluation."""
        self._fill()
        if self._fault is not None:
            self.finished = True
            real = perf_counter() - origin
            return self._finish(failed_run(self.completed, self.clock, real, self._fault))
        if not self._events or self._events[0][0] > self._limits.seconds:
            self.finished = True
            return None
        self.clock, number, proposal, repeat, outcome = heapq.heappop(self._events)
        self._untold = Evaluation(proposal, outcome.validation_error)
        return self._finish(
            Row(
                self.completed,
                number,
                proposal.vector,
                outcome.row,
                proposal.epochs,
                repeat,
                outcome.validation_error,
                outcome.test_error,
                self.clock,
                perf_counter() - origin,
                outcome.failure,
            )
        )

    def _fill(self) -> None:
        """Give every idle worker a proposal, as far as the optimizer and the budget allow."""
        while not self._closed and len(self._events) < self._limits.workers:
            proposal = self._ask()
            if proposal is None:
                return
            if self._epochs_started + proposal.epochs > self._limits.epochs:
                self._closed = True
                return
            self._epochs_started += proposal.epochs
            self._start(proposal)

    def _ask(self) -> Proposal | None:
        """Tell what is not told yet, then ask; what the optimizer raises ends this run only."""
        try:
            if self._optimizer is None:
                self._optimizer = self._factory()
            if self._untold is not None:
                evaluation, self._untold = self._untold, None
                self._optimizer.tell(evaluation)
            proposal = self._optimizer.ask()
            if proposal is not None and proposal.epochs < 1:
                raise ValueError(f"proposal {proposal.number} has {proposal.epochs} epochs")
        except Exception as error:
            self._fault = last_line(error)
            return None
        return proposal

    def _start(self, proposal: Proposal) -> None:
        known = self._known.get(proposal.number)
        if known is None:
            repeat = self._repeats[proposal.number]
            outcome = self._lookup(proposal.vector, proposal.epochs, repeat)
            finish = self.clock + outcome.seconds
        else:
            self._compare("vector", known.vector, proposal.vector, proposal.number)
            self._compare("epochs", known.epochs, proposal.epochs, proposal.number)
            repeat, finish = known.repeat, known.simulated_seconds
            outcome = Outcome(
                known.row, known.validation_error, known.test_error, 0.0, known.failure
            )
        heapq.heappush(self._events, (finish, proposal.number, proposal, repeat, outcome))

    def _finish(self, row: Row) -> Row:
        if row.evaluation < len(self._recorded):
            recorded = self._recorded[row.evaluation]
            self._compare("proposal", recorded.number, row.number, row.evaluation)
        self.completed += 1
        self.epochs_done += row.epochs
        error = row.validation_error
        if error is not None and row.epochs >= self._best_epochs:
            if row.epochs > self._best_epochs or self.best_error is None or error < self.best_error:
                self.best_error = error
            self._best_epochs = row.epochs
        return row

    def _compare(self, what: str, recorded: object, now: object, number: int) -> None:
        if recorded != now:
            raise DisagreementError(
                f"{self._name}: the study and this program disagree at evaluation {number}: "
                f"{what} {recorded} is recorded, this program gives {now}; resume with the version "
                "that wrote the study, or start a new one"
            )


def last_line(error: BaseException) -> str:
    """The last line of an error's traceback."""
    return " ".join(traceback.format_exception_only(error)[-1].split())
