from __future__ import annotations

import numpy as np

from raynas.optimizers import Evaluation
from raynas.optimizers.regularized_evolution import (
    RegularizedEvolution,
    RegularizedEvolutionSettings,
)
from tests.support.domains import CategoricalDomain, error_of
from tests.support.optimizer_runs import asked, drive


def evolution(population: int, tournament: int, seed: int = 0) -> RegularizedEvolution:
    settings = RegularizedEvolutionSettings(population, tournament)
    return RegularizedEvolution(CategoricalDomain(), seed, settings)


def test_published_defaults() -> None:
    assert RegularizedEvolutionSettings() == RegularizedEvolutionSettings(100, 10, 108)


def test_the_oldest_dies_however_good_it_is() -> None:
    optimizer = evolution(population=5, tournament=2)
    told = []
    for i in range(12):
        proposal = optimizer.ask()
        error = 0.0 if i == 0 else 0.5
        optimizer.tell(Evaluation(proposal, error))
        told.append((proposal.vector, error))
        assert list(optimizer.population) == told[-5:]


def test_the_tournament_picks_the_best_of_its_sample() -> None:
    optimizer = evolution(population=20, tournament=4)
    drive(optimizer, 20)
    members = list(optimizer.population)
    for seed in range(50):
        optimizer._rng = np.random.default_rng(seed)
        drawn = np.random.default_rng(seed).integers(20, size=4)
        best = min((members[i] for i in drawn), key=lambda member: member[1])
        assert optimizer._parent() == best[0]


def test_the_tournament_draws_with_replacement() -> None:
    """Of two members the worse one wins 1/8 of the tournaments of three, not none."""
    optimizer = evolution(population=2, tournament=3)
    good, bad = optimizer.ask(), optimizer.ask()
    optimizer.tell(Evaluation(good, 0.1))
    optimizer.tell(Evaluation(bad, 0.9))
    wins = np.mean([optimizer._parent() == bad.vector for _ in range(4000)])
    assert abs(wins - 1 / 8) < 0.03


def test_children_are_mutations_of_members_once_the_population_is_full() -> None:
    optimizer = evolution(population=10, tournament=3)
    drive(optimizer, 10)
    for _ in range(30):
        parents = [vector for vector, _ in optimizer.population]
        child = optimizer.ask()
        distance = min(sum(a != b for a, b in zip(child.vector, p, strict=True)) for p in parents)
        assert distance <= 1
        optimizer.tell(Evaluation(child, error_of(child.vector)))


def test_a_failed_individual_is_never_born_and_is_replaced_at_the_start() -> None:
    optimizer = evolution(population=6, tournament=2)
    for i in range(12):
        proposal = optimizer.ask()
        optimizer.tell(Evaluation(proposal, None if i % 2 else 0.5))
    assert len(optimizer.population) == 6
    random = asked(drive(evolution(population=100, tournament=2), 12))
    again = evolution(population=6, tournament=2)
    first = [again.ask() for _ in range(6)]
    assert first == random[:6]
    for proposal in first[:5]:
        again.tell(Evaluation(proposal, 0.5))
    again.tell(Evaluation(first[5], None))
    assert again.ask() == random[6]


def test_pending_individuals_count_while_the_population_is_filled() -> None:
    optimizer, random = evolution(4, 2), evolution(100, 2)
    first = [optimizer.ask() for _ in range(4)]
    assert first == [random.ask() for _ in range(4)]
    optimizer.tell(Evaluation(first[0], 0.5))
    child = optimizer.ask()
    assert sum(a != b for a, b in zip(child.vector, first[0].vector, strict=True)) <= 1
