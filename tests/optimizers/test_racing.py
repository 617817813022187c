from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from raynas.optimizers._racing import EXTRA, Race


def race(max_calls: int = 4, seed: int = 0, limit: int = 10**6) -> Race:
    names: Iterator[int] = iter(range(limit))

    def challenger() -> tuple[int] | None:
        name = next(names, None)
        return None if name is None else (name,)

    return Race(max_calls, challenger, lambda: (0,), np.random.default_rng(seed))


def test_the_first_configuration_becomes_the_incumbent() -> None:
    r = race()
    vector, slot = r.next_run()
    assert r.incumbent is None
    r.register(vector, slot, 0.9)
    assert r.incumbent == (0,)


def test_the_incumbent_runs_once_more_for_each_challenger() -> None:
    r = race()
    order = []
    for _ in range(9):
        vector, slot = r.next_run()
        order.append(vector[0])
        r.register(vector, slot, 0.1 if vector == (0,) else 0.5)
    assert order == [0, 0, 1, 0, 2, 0, 3, 4, 5]
    assert sorted(r.costs[0,]) == [0, 1, 2, 3], "four slots are the most"
    assert r.rejected == {(1,), (2,), (3,), (4,), (5,)}


def test_a_better_challenger_must_win_on_all_slots_of_the_incumbent() -> None:
    """It runs on 1, 2, 4 slots, always slots of the incumbent, and then replaces it."""
    r = race()
    for _ in range(9):
        vector, slot = r.next_run()
        r.register(vector, slot, 0.5 if vector[0] < 5 else 0.9)
    assert r.incumbent == (0,)
    assert len(r.costs[0,]) == 4
    runs: Counter[int] = Counter()
    while r.incumbent == (0,):
        vector, slot = r.next_run()
        runs[vector[0]] += 1
        r.register(vector, slot, 0.4)
    assert r.incumbent == (6,)
    assert runs == {6: 4}
    assert (0,) in r.rejected


def test_a_challenger_is_rejected_as_soon_as_its_mean_is_not_better() -> None:
    r = race()
    for _ in range(9):
        vector, slot = r.next_run()
        r.register(vector, slot, 0.5 if vector[0] < 5 else 0.9)
    costs = iter([0.4, 0.7])
    for cost in costs:
        vector, slot = r.next_run()
        assert vector == (6,)
        r.register(vector, slot, cost)
    assert (6,) in r.rejected, "mean 0.55 on two slots, the incumbent has 0.5"
    assert r.next_run()[0] == (7,)


def test_a_deterministic_target_runs_once_per_configuration() -> None:
    r = race(max_calls=1)
    rng = np.random.default_rng(0)
    vectors = []
    for _ in range(50):
        vector, slot = r.next_run()
        vectors.append(vector)
        r.register(vector, slot, float(rng.random()))
    assert len(set(vectors)) == 50
    best = min(r.costs, key=lambda v: r.costs[v][0])
    assert r.incumbent == best


def test_a_failed_challenger_is_out_and_never_returns() -> None:
    r = race()
    vector, slot = r.next_run()
    r.register(vector, slot, 1.0, failed=True)
    assert r.incumbent is None
    seen = []
    for _ in range(30):
        vector, slot = r.next_run()
        seen.append(vector)
        r.register(vector, slot, 0.5)
    assert (0,) not in seen


def test_pending_runs_never_stall_the_race_and_no_slot_runs_twice() -> None:
    r = race()
    runs = [r.next_run() for _ in range(20)]
    assert len(set(runs)) == 20
    rng = np.random.default_rng(0)
    for _ in range(200):
        vector, slot = runs.pop(int(rng.integers(len(runs))))
        r.register(vector, slot, 0.3 + vector[0] / 1000 + 0.1 * float(rng.random()))
        runs.append(r.next_run())
        assert len(set(runs)) == 20
    assert max(len(costs) for costs in r.costs.values()) == 4


def test_without_new_configurations_runs_are_extra() -> None:
    r = race(limit=2)
    runs = []
    for _ in range(20):
        vector, slot = r.next_run()
        runs.append((vector, slot))
        r.register(vector, slot, 0.5 if vector == (0,) else 0.9)
    assert runs[-1] == ((0,), EXTRA)
    assert sorted(r.costs[0,]) == [0, 1, 2, 3]
