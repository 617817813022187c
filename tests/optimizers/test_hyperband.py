from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from raynas.optimizers import Evaluation
from raynas.optimizers.brackets import Bracket
from raynas.optimizers.hyperband import Hyperband, HyperbandSettings
from raynas.optimizers.successive_halving import SuccessiveHalving
from tests.support.domains import CategoricalDomain
from tests.support.optimizer_runs import asked, drive, failing, problem


def test_published_defaults() -> None:
    assert HyperbandSettings() == HyperbandSettings(4, 108, 3, "hpbandster")


def test_one_cycle_of_brackets_asks_for_the_published_numbers() -> None:
    proposals = asked(drive(Hyperband(CategoricalDomain(), 0), 40 + 13 + 8 + 4))
    epochs = [p.epochs for p in proposals]
    assert epochs[:40] == [4] * 27 + [12] * 9 + [36] * 3 + [108]
    assert epochs[40:53] == [12] * 9 + [36] * 3 + [108]
    assert epochs[53:] == [36] * 6 + [108] * 2 + [108] * 4


def test_the_best_third_is_promoted_in_the_order_of_entry() -> None:
    proposals = asked(drive(Hyperband(CategoricalDomain(), 0), 40))
    first = proposals[:27]
    best = sorted(first, key=problem)[:9]
    assert [p.vector for p in proposals[27:36]] == [p.vector for p in first if p in best]


def test_a_failed_run_is_never_promoted() -> None:
    optimizer = Hyperband(CategoricalDomain(), 0)
    failed: set[tuple[int, ...]] = set()
    for _ in range(300):
        proposal = optimizer.ask()
        assert proposal.epochs == 4 or proposal.vector not in failed
        if proposal.number % 3 == 0:
            failed.add(proposal.vector)
        optimizer.tell(Evaluation(proposal, None if proposal.number % 3 == 0 else 0.5))


def test_brackets_open_only_when_the_older_ones_wait() -> None:
    optimizer = Hyperband(CategoricalDomain(), 0)
    first = [optimizer.ask() for _ in range(27)]
    assert len(optimizer.brackets) == 1
    assert optimizer.ask().epochs == 12, "the second bracket starts at the second budget"
    for proposal in first:
        optimizer.tell(Evaluation(proposal, problem(proposal)))
    assert optimizer.ask().vector in {p.vector for p in first}, "the older bracket goes first"


@pytest.mark.parametrize("workers", [1, 5, 40])
def test_finished_brackets_had_every_run(workers: int) -> None:
    events = drive(Hyperband(CategoricalDomain(), 0), 390, workers=workers)
    told = Counter(p.epochs for kind, p, _ in events if kind == "tell")
    # Six cycles of 27 / 18 / 12 / 8 runs; what is pending belongs to later ones.
    assert sum(told.values()) == 390
    if workers == 1:
        assert told == {4: 6 * 27, 12: 6 * 18, 36: 6 * 12, 108: 6 * 8}
    else:
        assert abs(told[108] - 48) <= workers


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("workers", [1, 7])
def test_a_bracket_runs_as_hpbandsters_iteration(share: float, workers: int) -> None:
    """The same configurations at the same budgets in the same order, failures included."""
    from hpbandster.core.dispatcher import Job
    from hpbandster.optimizers.iterations import SuccessiveHalving as Reference

    ours_sampled, theirs_sampled = iter(range(10**6)), iter(range(10**6))
    ours = SuccessiveHalving(
        Bracket((27, 9, 3, 1), (4, 12, 36, 108)), lambda _: (next(ours_sampled),)
    )
    theirs = Reference(0, [27, 9, 3, 1], [4, 12, 36, 108], lambda _: ((next(theirs_sampled),), {}))
    rng = np.random.default_rng(0)
    pending: list[tuple[tuple[int, ...], tuple[int, tuple[int, ...], int]]] = []
    runs = 0
    while not ours.finished:
        while len(pending) < workers:
            expected, run = theirs.get_next_run(), ours.next_run()
            assert (expected is None) == (run is None)
            if run is None or expected is None:
                break
            assert expected[1:] == run[1:]
            pending.append((expected[0], run))
        if not pending:
            break
        identifier, (member, vector, budget) = pending.pop(int(rng.integers(len(pending))))
        error = None if rng.random() < share else float(rng.random())
        job = Job(identifier, config=vector, budget=budget)
        job.result = None if error is None else {"loss": error}
        theirs.register_result(job)
        ours.register(member, vector, error)
        runs += 1
    assert runs == 40
    assert ours.finished
    assert theirs.get_next_run() is None
    assert theirs.is_finished


def test_failures_leave_no_bracket_open() -> None:
    optimizer = Hyperband(CategoricalDomain(), 0)
    drive(optimizer, 400, workers=3, evaluate=failing(0.5))
    assert len(optimizer.brackets) <= 3


def test_paper_rounding_starts_more_configurations() -> None:
    settings = HyperbandSettings(rounding="paper")
    epochs = [p.epochs for p in asked(drive(Hyperband(CategoricalDomain(), 0, settings), 57))]
    assert epochs[40:] == [12] * 12 + [36] * 4 + [108]


def test_other_budgets() -> None:
    settings = HyperbandSettings(min_epochs=25, max_epochs=100, eta=2)
    epochs = [p.epochs for p in asked(drive(Hyperband(CategoricalDomain(), 0, settings), 13))]
    assert epochs == [25] * 4 + [50] * 2 + [100] + [50] * 2 + [100] + [100] * 3
