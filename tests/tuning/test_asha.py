"""ASHA against the rule of its paper, by hand and written out."""

from __future__ import annotations

import random

import pytest

from tests.support.sweeps import small, toy_space
from tuning.algorithms import make_algorithm
from tuning.evaluation import Evaluation
from tuning.settings import SweepSettings


def test_promotions_by_hand() -> None:
    """One worker, eta 3, budgets 1, 3, 9: the first rung promotes after its third result."""
    settings = small("asha", min_epochs=1, max_epochs=9, eta=3, iterations=9)
    algorithm = make_algorithm(settings, toy_space())
    errors = {0: 0.5, 1: 0.3, 2: 0.4, 3: 0.2, 4: 0.6, 5: 0.7, 6: 0.1, 7: 0.8, 8: 0.9}
    seen = []
    for _ in range(13):
        evaluation = algorithm.ask()
        assert evaluation is not None
        seen.append((evaluation.configuration.number, evaluation.epochs))
        algorithm.tell(evaluation.number, errors[evaluation.configuration.number])
    # Results 0 to 2 are a rung of three, whose best is 1; of six results 3 and 1 are the best
    # two, so 3 goes on although there are only four. Of nine it is 6, and then three have
    # reached the second rung, whose best is 6.
    first = [(0, 1), (1, 1), (2, 1), (1, 3), (3, 1), (3, 3), (4, 1), (5, 1)]
    assert seen == [*first, (6, 1), (6, 3), (6, 9), (7, 1), (8, 1)]


def written_out(
    settings: SweepSettings, results: list[dict[int, float]], promoted: list[set[int]]
) -> tuple[int, int] | None:
    """The paper's `get_job`: configuration and rung to promote to; None for a new one."""
    for rung in range(len(settings.budgets) - 2, -1, -1):
        ranking = sorted(results[rung], key=lambda number: (results[rung][number], number))
        top = ranking[: len(ranking) // settings.eta]
        promotable = [number for number in top if number not in promoted[rung]]
        if promotable:
            return promotable[0], rung + 1
    return None


@pytest.mark.parametrize("eta", [2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_every_proposal_follows_the_rule(eta: int, seed: int) -> None:
    """Many workers, ties, failures, and results in any order."""
    chance = random.Random(seed)
    settings = small("asha", min_epochs=1, max_epochs=81, eta=eta, iterations=8)
    algorithm = make_algorithm(settings, toy_space())
    results: list[dict[int, float]] = [{} for _ in settings.budgets]
    promoted: list[set[int]] = [set() for _ in settings.budgets]
    pending: list[Evaluation] = []
    new = 0
    while True:
        evaluation = algorithm.ask() if len(pending) < 10 else None
        if evaluation is None:
            if not pending:
                break
            ended = pending.pop(chance.randrange(len(pending)))
            error = None if chance.random() < 0.1 else chance.randrange(30) / 30
            if error is not None:
                results[ended.rung][ended.configuration.number] = error
            algorithm.tell(ended.number, error)
            continue
        expected = written_out(settings, results, promoted)
        if expected is None:
            expected = new, 0
            new += 1
        else:
            promoted[expected[1] - 1].add(expected[0])
        assert (evaluation.configuration.number, evaluation.rung) == expected
        pending.append(evaluation)
    assert algorithm.done and max(number for number, kept in enumerate(promoted) if kept) > 1
