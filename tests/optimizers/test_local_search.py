from __future__ import annotations

from raynas.optimizers import Evaluation
from raynas.optimizers.local_search import LocalSearch, LocalSearchSettings
from tests.support.domains import CategoricalDomain, error_of
from tests.support.optimizer_runs import asked, drive

DOMAIN = CategoricalDomain((3, 3, 4))


def neighbours(vector: tuple[int, ...]) -> set[tuple[int, ...]]:
    return {tuple(row) for row in DOMAIN.neighbours(vector).tolist()}


def error(proposal) -> float:  # type: ignore[no-untyped-def]
    return error_of(proposal.vector, DOMAIN.cardinalities)


def test_all_neighbours_are_visited_before_the_move_to_the_best() -> None:
    optimizer = LocalSearch(DOMAIN, 1)
    start = asked(drive(optimizer, 1, evaluate=error))[0].vector
    scan = asked(drive(optimizer, len(neighbours(start)), evaluate=error))
    assert {p.vector for p in scan} == neighbours(start)
    best = min(scan, key=error)
    assert error(best) < error_of(start, DOMAIN.cardinalities)
    assert optimizer.climbs[0].vector == best.vector
    assert optimizer.ask().vector in neighbours(best.vector)


def test_restart_only_when_every_neighbour_of_the_optimum_is_known() -> None:
    optimizer = LocalSearch(DOMAIN, 1)
    seen: dict[tuple[int, ...], float] = {}
    while True:
        climbing = optimizer.climbs[0].vector if optimizer.climbs else None
        proposal = optimizer.ask()
        if optimizer.restarts == 2:
            break
        seen[proposal.vector] = error(proposal)
        optimizer.tell(Evaluation(proposal, error(proposal)))
        optimum = climbing or proposal.vector
    final = min(seen, key=lambda v: seen[v])
    assert optimum in neighbours(final) | {final}
    assert neighbours(final) <= set(seen)
    assert all(seen[v] >= seen[final] for v in neighbours(final))


def test_no_neighbour_is_evaluated_twice() -> None:
    optimizer = LocalSearch(DOMAIN, 3)
    vectors = []
    while optimizer.restarts < 2:
        proposal = optimizer.ask()
        vectors.append(proposal.vector)
        optimizer.tell(Evaluation(proposal, error(proposal)))
    assert len(vectors[:-1]) == len(set(vectors[:-1]))


def test_first_improvement_moves_at_once() -> None:
    settings = LocalSearchSettings(whole_neighbourhood=False)
    optimizer = LocalSearch(DOMAIN, 1, settings)
    start = optimizer.ask()
    optimizer.tell(Evaluation(start, error(start)))
    while True:
        proposal = optimizer.ask()
        optimizer.tell(Evaluation(proposal, error(proposal)))
        if error(proposal) < error(start):
            break
        assert optimizer.climbs[0].vector == start.vector
    assert optimizer.climbs[0].vector == proposal.vector


def test_a_second_climb_starts_while_all_neighbours_are_pending() -> None:
    optimizer = LocalSearch(DOMAIN, 1)
    start = optimizer.ask()
    optimizer.tell(Evaluation(start, error(start)))
    scan = [optimizer.ask() for _ in neighbours(start.vector)]
    assert optimizer.restarts == 1
    optimizer.ask()
    assert optimizer.restarts == 2
    for proposal in scan:
        optimizer.tell(Evaluation(proposal, error(proposal)))
    assert optimizer.climbs[0].vector == min(scan, key=error).vector


def test_failed_neighbours_are_never_moved_to_and_a_failed_start_restarts() -> None:
    optimizer = LocalSearch(DOMAIN, 1)
    optimizer.tell(Evaluation(optimizer.ask(), None))
    assert not optimizer.climbs
    start = optimizer.ask()
    optimizer.tell(Evaluation(start, 0.5))
    for _ in neighbours(start.vector):
        optimizer.tell(Evaluation(optimizer.ask(), None))
    assert not optimizer.climbs
