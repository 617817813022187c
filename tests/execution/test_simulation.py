"""The event loop: order, limits, workers, failures, and replay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raynas.execution.lookup import TableLookup
from raynas.execution.row import FAILED_RUN, MEAN, Row
from raynas.execution.simulation import DisagreementError, Limits, RepeatStream, Simulation
from raynas.optimizers import Evaluation
from raynas.seeds import seed_for
from search_spaces.space import Space
from search_spaces.table import Table
from tests.support.benchmarks import synthetic_benchmark
from tests.support.optimizers import ToyOptimizer

workers = st.sampled_from([1, 2, 3, 8])
budgets = st.sampled_from([(108,), (4, 12, 36, 108), (36,), (108, 4)])


@pytest.fixture(scope="module")
def lookup(table: Table) -> TableLookup:
    return TableLookup(table)


def repeats(rule: str = "seeded") -> RepeatStream:
    return RepeatStream(seed_for(0, "repeats"), rule)


def simulate(
    toy: ToyOptimizer, lookup: TableLookup, limits: Limits, **options: Any
) -> tuple[Simulation, list[Row]]:
    simulation = Simulation(lambda: toy, lookup, limits, repeats(), **options)  # type: ignore[arg-type,return-value]
    return simulation, simulation.run()


def without_clock(rows: list[Row]) -> list[Row]:
    return [row._replace(real_seconds=0.0) for row in rows]


def intervals(rows: list[Row], lookup: TableLookup) -> list[tuple[float, float]]:
    """When each evaluation started and ended, from the table's seconds."""
    seconds = [lookup(row.vector, row.epochs, row.repeat).seconds for row in rows]
    return [
        (row.simulated_seconds - length, row.simulated_seconds)
        for row, length in zip(rows, seconds, strict=True)
    ]


@settings(deadline=None, max_examples=40)
@given(workers, budgets, st.integers(1, 12), st.integers(0, 100))
def test_order_workers_and_budget(
    space: Space, lookup: TableLookup, k: int, epochs: tuple[int, ...], n: int, seed: int
) -> None:
    toy = ToyOptimizer(space, seed, epochs)
    simulation, rows = simulate(toy, lookup, Limits(n, workers=k))
    keys = [(row.simulated_seconds, row.number) for row in rows]
    assert keys == sorted(keys)
    assert [row.evaluation for row in rows] == list(range(len(rows)))
    assert sum(row.epochs for row in rows) <= 108 * n
    assert sum(row.epochs for row in rows) + max(epochs) > 108 * n
    assert toy.most_pending <= k + 1  # one more is asked for when the budget is spent
    assert simulation.finished and simulation.in_flight == 0
    times = intervals(rows, lookup)
    for _, now in times:
        running = sum(start < now - 1e-6 and now <= end for start, end in times)
        assert running <= k
    assert sorted(row.number for row in rows) == list(range(len(rows)))


def test_one_worker_is_the_sequential_loop(space: Space, lookup: TableLookup) -> None:
    _, rows = simulate(ToyOptimizer(space, 5), lookup, Limits(30))
    toy, stream, clock = ToyOptimizer(space, 5), repeats(), 0.0
    for row in rows:
        proposal = toy.ask()
        assert proposal is not None
        outcome = lookup(proposal.vector, proposal.epochs, stream[proposal.number])
        clock += outcome.seconds
        assert (row.number, row.vector) == (proposal.number, proposal.vector)
        assert (row.validation_error, row.simulated_seconds) == (outcome.validation_error, clock)
        toy.tell(Evaluation(proposal, outcome.validation_error))
    assert len(rows) == 30


def test_more_workers_finish_the_same_work_sooner(space: Space, lookup: TableLookup) -> None:
    _, one = simulate(ToyOptimizer(space), lookup, Limits(40))
    _, eight = simulate(ToyOptimizer(space), lookup, Limits(40, workers=8))
    assert len(one) == len(eight) == 40
    assert eight[-1].simulated_seconds < one[-1].simulated_seconds / 4


@settings(deadline=None, max_examples=40)
@given(workers, budgets, st.floats(0, 1), st.integers(0, 100))
def test_replay_equals_no_interruption(
    space: Space, lookup: TableLookup, k: int, epochs: tuple[int, ...], where: float, seed: int
) -> None:
    limits = Limits(10, workers=k)
    _, whole = simulate(ToyOptimizer(space, seed, epochs), lookup, limits)
    cut = round(where * len(whole))
    asked: list[int] = []

    def counting(vector: tuple[int, ...], epochs: int, repeat: int) -> Any:
        asked.append(repeat)
        return lookup(vector, epochs, repeat)

    toy = ToyOptimizer(space, seed, epochs)
    _, rest = simulate(toy, counting, limits, recorded=whole[:cut])  # type: ignore[arg-type]
    assert without_clock(whole[:cut] + rest) == without_clock(whole)
    assert len(asked) == len(whole) - cut  # no recorded evaluation is looked up again
    real = [row.real_seconds for row in whole[:cut] + rest]
    assert real == sorted(real)


def test_pieces_equal_the_whole(space: Space, lookup: TableLookup) -> None:
    _, whole = simulate(ToyOptimizer(space), lookup, Limits(50, workers=3))
    simulation = Simulation(lambda: ToyOptimizer(space), lookup, Limits(50, workers=3), repeats())  # type: ignore[arg-type,return-value]
    pieces: list[Row] = []
    from time import perf_counter

    while not simulation.finished:
        pieces += simulation.advance(perf_counter() + 1e-4)
    assert without_clock(pieces) == without_clock(whole)


@pytest.mark.parametrize("change", [{"vector": (0,) * 7}, {"epochs": 36}, {"number": 5}])
def test_a_record_of_another_program_is_refused(
    space: Space, lookup: TableLookup, change: dict[str, Any]
) -> None:
    _, rows = simulate(ToyOptimizer(space), lookup, Limits(5))
    vector = tuple(0 for _ in rows[2].vector)
    changed = rows[2]._replace(**change | ({"vector": vector} if "vector" in change else {}))
    with pytest.raises(DisagreementError, match="rs, seed 4: the study and this program disagree"):
        simulate(
            ToyOptimizer(space),
            lookup,
            Limits(5),
            recorded=[*rows[:2], changed, *rows[3:]],
            name="rs, seed 4",
        )


def test_budget_seconds_cuts_the_same_run(space: Space, lookup: TableLookup) -> None:
    _, whole = simulate(ToyOptimizer(space), lookup, Limits(30, workers=3))
    limit = whole[12].simulated_seconds
    simulation, cut = simulate(ToyOptimizer(space), lookup, Limits(30, limit, workers=3))
    assert without_clock(cut) == without_clock(whole[:13])
    assert simulation.finished


def test_idle_workers_wait_for_an_optimizer_that_has_nothing_to_say(
    space: Space, lookup: TableLookup
) -> None:
    toy = ToyOptimizer(space, patience=2)
    _, rows = simulate(toy, lookup, Limits(20, workers=8))
    assert len(rows) == 20 and toy.most_pending == 2


def test_an_optimizer_that_never_speaks_ends_the_run(space: Space, lookup: TableLookup) -> None:
    simulation, rows = simulate(ToyOptimizer(space, patience=0), lookup, Limits(20))
    assert rows == [] and simulation.finished


def test_an_optimizer_that_raises_ends_its_run_with_a_row(
    space: Space, lookup: TableLookup
) -> None:
    simulation, rows = simulate(ToyOptimizer(space, fails_at=7), lookup, Limits(20))
    assert [row.number for row in rows] == [*range(7), FAILED_RUN]
    assert rows[-1].failure == "run failed: ValueError: the model broke"
    assert rows[-1].validation_error is None and rows[-1].simulated_seconds == simulation.clock
    _, again = simulate(ToyOptimizer(space), lookup, Limits(20), recorded=rows)
    assert again == []


def test_a_proposal_without_epochs_cannot_run_for_ever(space: Space, lookup: TableLookup) -> None:
    _, rows = simulate(ToyOptimizer(space, epochs=(0,)), lookup, Limits(3))
    assert [row.failure for row in rows] == ["run failed: ValueError: proposal 0 has 0 epochs"]


def test_missing_figures_are_rows_that_cost_epochs(
    tmp_path_factory: pytest.TempPathFactory, space: Space
) -> None:
    path = tmp_path_factory.mktemp("holes") / "holes.arrow"
    holes = TableLookup(synthetic_benchmark(path, space, unknown=0.3).table(space))
    _, rows = simulate(ToyOptimizer(space), holes, Limits(60, workers=2))
    failed = [row for row in rows if row.failure is not None]
    assert len(rows) == 60 and 5 < len(failed) < 30
    assert all(row.validation_error is None and row.test_error is None for row in failed)
    assert all("does not know" in (row.failure or "") for row in failed)
    assert all(row.validation_error is not None for row in rows if row.failure is None)


def test_repeats_depend_on_the_number_only() -> None:
    forwards, backwards = repeats(), repeats()
    numbers = list(range(1000))
    one = [forwards[number] for number in numbers]
    other = [backwards[number] for number in reversed(numbers)]
    assert one == other[::-1] and set(one) == {0, 1, 2}
    assert np.bincount(one).min() > 250


@pytest.mark.parametrize(("rule", "value"), [("mean", MEAN), ("0", 0), ("1", 1), ("2", 2)])
def test_constant_repeats(rule: str, value: int) -> None:
    assert {repeats(rule)[number] for number in range(9)} == {value}
