from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from raynas.analysis.random_policy import (
    EQUAL_BUDGET,
    RANDOM_POLICY_SCHEMA,
    RAW,
    RIVALS,
    UNIQUE,
    WITHOUT_SHARING,
    Finals,
    judge,
    result_table,
    wording,
)
from raynas.analysis.random_policy.budget import Budget, RandomSearch
from raynas.analysis.random_policy.population import accuracy, population
from raynas.analysis.random_search import multiplicities
from raynas.analysis.statistics import Estimate, Statement, VarianceComponents
from search_spaces.spaces import load_space
from search_spaces.table import Table
from tests.support.benchmarks import synthetic_benchmark


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    space = load_space(1)
    path = tmp_path_factory.mktemp("store") / "space1.arrow"
    return synthetic_benchmark(path, space).table(space)


@pytest.fixture(scope="module")
def weights(table: Table) -> np.ndarray:
    return multiplicities(table.space)


def finals(method: str, rows: np.ndarray, sharing: bool = False, seconds: float = 1e5) -> Finals:
    count = len(rows)
    return Finals(
        method,
        "1",
        sharing,
        np.arange(count),
        np.asarray(rows, np.int64),
        np.full(count, seconds),
        "real" if sharing else "simulated",
        "study",
    )


def drawn(table: Table, weights: np.ndarray, seed: int, size: int = 10) -> np.ndarray:
    chance = weights / weights.sum()
    return np.random.default_rng(seed).choice(table.space.num_unique, size, p=chance)


def best(table: Table, size: int = 10) -> np.ndarray:
    return np.argsort(-accuracy(table))[:size]


@pytest.fixture(scope="module")
def judged(table: Table, weights: np.ndarray) -> object:
    without = drawn(table, weights, 0)
    lost = np.where(np.arange(10) < 3, -1, drawn(table, weights, 5))
    given = [
        finals("best", best(table)),
        finals("rs", without),
        finals("random_ws", drawn(table, weights, 1), True, 20.0),
        finals("two", best(table, 2)),
        finals("failing", lost),
        finals("never", np.full(3, -1)),
    ]
    return judge(given, {"1": table})[0]


def test_a_random_policy_is_not_significant_and_the_best_cells_are(judged: object) -> None:
    methods = {m.finals.method: m for m in judged.methods}
    top, random = (methods[name].comparisons[RAW] for name in ("best", "rs"))
    assert wording.verdict(top) == "better" and wording.verdict(random) == "not told apart"
    assert top.superiority.value > 0.99 and 0.2 < random.superiority.value < 0.8
    assert methods["best"].comparisons[UNIQUE].surpass.published == 1
    assert isinstance(top.surpass.published, Statement) and top.surpass.best_of_n > 0.99
    assert top.p_rank < 1e-6 < 0.05 < random.p_rank
    assert random.p_mean > 0.05


def test_random_policies_are_significant_as_often_as_the_level(
    table: Table, weights: np.ndarray
) -> None:
    from raynas.analysis.random_policy.against import against_draws

    scores = accuracy(table)
    law = population(RAW, scores, weights)
    found = [against_draws(scores[drawn(table, weights, s)], law) for s in range(80)]
    for p in ([c.p_rank for c in found], [c.p_mean for c in found]):
        assert np.mean(np.array(p) < 0.05) <= 0.12
        assert np.mean(p) == pytest.approx(0.5, abs=0.12)


def test_holm_counts_the_methods_with_a_test(judged: object) -> None:
    found = [m.comparisons[UNIQUE] for m in judged.methods]
    tested = [c for c in found if not isinstance(c.p_rank, Statement)]
    assert len(tested) == len(found) - 2  # one has no cell, and one two runs only
    least = min(tested, key=lambda c: c.p_rank)
    assert least.p_rank_holm == pytest.approx(min(1, least.p_rank * len(tested)))


@pytest.mark.parametrize("few", [1, 2])
def test_of_one_run_or_two_no_p_value_is_given(table: Table, few: int) -> None:
    given = [finals("enas", best(table, few), True), finals("enas", best(table, 10)[5:])]
    given[1] = replace(given[1], method="enas without sharing")
    rows = result_table(judge(given, {"1": table})).to_pylist()
    mine = [row for row in rows if row["method"] == "enas"]
    assert {row["reference"] for row in mine} >= {RAW, UNIQUE, WITHOUT_SHARING}
    columns = [name for name in RANDOM_POLICY_SCHEMA.names if name.startswith("p_")]
    assert len(columns) == 6
    for row in mine:
        assert [row[name] for name in columns] == [None] * 6, row["reference"]
    enough = [row for row in rows if row["method"] != "enas"]
    assert all(row["p_equivalence"] is not None for row in enough if row["reference"] == RAW)


def test_few_runs_and_none_are_statements(judged: object) -> None:
    methods = {m.finals.method: m for m in judged.methods}
    two = methods["two"].comparisons[RAW].superiority
    assert isinstance(two, Estimate) and isinstance(two.interval, Statement)
    assert isinstance(methods["two"].comparisons[RAW].p_rank, Statement)
    assert isinstance(methods["two"].comparisons[RAW].p_mean, Statement)
    assert wording.verdict(methods["two"].comparisons[RAW]) == "unknown: 2 runs"
    [first, _] = wording.findings(judged)
    assert (
        "unknown whether better than a random draw: two (2 runs)" in first
        and "better than a random draw: best;" in first.lower()
    )
    assert "Mann-Whitney" not in first and "mean quantile" in first
    assert not any(line.startswith("2 runs") for line in wording.power_lines(judged))
    never = methods["never"]
    assert isinstance(never.description, Statement) and isinstance(never.variance, Statement)
    assert all(isinstance(c.superiority, Statement) for c in never.comparisons.values())
    assert wording.runs(methods["failing"]) == "7 of 10" and wording.runs(never) == "0 of 3"
    assert "never: no comparison with" in " ".join(wording.reasons(judged))


def test_search_and_training_variance_are_apart(judged: object, table: Table) -> None:
    methods = {m.finals.method: m for m in judged.methods}
    random = methods["rs"].variance
    assert isinstance(random, VarianceComponents)
    assert random.within == pytest.approx(0.003**2, rel=0.6)  # the noise of the synthetic table
    assert random.between > 10 * random.within
    assert methods["best"].variance.between < random.between / 10


def test_weight_sharing_is_compared_where_a_method_has_both(judged: object) -> None:
    methods = {m.finals.method: m for m in judged.methods}
    found = methods["random_ws"].comparisons[WITHOUT_SHARING]
    assert (found.runs, found.others) == (10, 10)
    assert WITHOUT_SHARING not in methods["best"].comparisons
    line, what = wording.sharing_lines(judged)
    assert line.endswith(
        "Budgets: 20.0 real seconds of search on average; 100,000 simulated seconds of training on "
        "average without."
    )
    assert what == wording.SHARING and "budgets are not equal" in what
    twin = methods["random_ws"].twin
    unknown = replace(twin, seconds=np.full(len(twin.seconds), np.nan))
    assert wording.budgets(replace(methods["random_ws"], twin=unknown)).endswith(
        "; seconds not recorded without."
    )
    parallel = replace(methods["random_ws"], twin=replace(twin, workers=4))
    assert "training on average, 4 at once without" in wording.budgets(parallel)
    assert methods["best"].twin is None and wording.budgets(methods["best"]) == ""
    budget = methods["random_ws"].comparisons[EQUAL_BUDGET]
    assert "fewer real seconds than one training" in str(budget.superiority)


def test_random_search_with_the_same_seconds(table: Table, weights: np.ndarray) -> None:
    search = RandomSearch(table, weights)
    one = search.same_seconds(finals("rs", best(table, 2), seconds=1.5 * search.seconds))
    assert isinstance(one, Budget) and one.evaluations == (1, 1)
    plain = population(RAW, accuracy(table), weights)
    assert one.laws[0].mean == pytest.approx(plain.mean)  # one evaluation is one draw
    many = search.law(40)
    rng = np.random.default_rng(0)
    cells = rng.choice(len(weights), (3000, 40), p=weights / weights.sum())
    seen = table.validation_error(cells, 108, rng.integers(0, 3, cells.shape))
    ended = accuracy(table)[cells[np.arange(3000), seen.argmin(axis=1)]]
    assert many.mean == pytest.approx(ended.mean(), abs=4 * ended.std() / np.sqrt(3000))
    assert np.mean(many.middle(ended)) == pytest.approx(0.5, abs=0.03)
    assert isinstance(search.same_seconds(finals("x", best(table), seconds=np.nan)), Statement)


def test_very_many_seconds_do_not_overflow(table: Table, weights: np.ndarray) -> None:
    search = RandomSearch(table, weights)
    found = search.same_seconds(finals("rs", best(table, 3), seconds=1e30))
    assert isinstance(found, Budget) and found.evaluations == (10**12,) * 3
    assert found.laws[0].mean == pytest.approx(accuracy(table).max(), abs=0.01)


def test_more_workers_train_more_cells_in_the_same_seconds(
    table: Table, weights: np.ndarray
) -> None:
    search = RandomSearch(table, weights)
    one = finals("rs", best(table, 1), seconds=10.5 * search.seconds)
    assert search.same_seconds(one).evaluations == (10,)
    assert search.same_seconds(replace(one, workers=4)).evaluations == (42,)


def test_other_sets_to_draw_from(table: Table, weights: np.ndarray) -> None:
    top = best(table, 50)
    given = [finals("lucky", top[:10])]
    found = judge(given, {"1": table}, among={"1": {"reachable": top}})[0].methods[0]
    assert found.comparisons["reachable"].superiority.value == pytest.approx(0.9, abs=0.01)
    assert found.comparisons["reachable"].surpass.size == 50


def test_runs_of_random_search_in_the_study(table: Table, weights: np.ndarray) -> None:
    rivals = drawn(table, weights, 3)
    rivals[0] = -1
    one = replace(finals("re", best(table)), rivals=rivals)
    found = judge([one], {"1": table})[0].methods[0].comparisons[RIVALS]
    assert (found.runs, found.others) == (10, 9)
    assert found.superiority.value > 0.95 and found.spread is not None
    assert not found.equivalence.equivalent


def test_the_table_has_a_row_per_method_and_reference(judged: object, tmp_path: Path) -> None:
    rows = result_table([judged])
    assert rows.schema == RANDOM_POLICY_SCHEMA
    listed = rows.to_pylist()
    assert len(listed) == sum(len(m.comparisons) for m in judged.methods)
    [top] = [r for r in listed if (r["method"], r["reference"]) == ("best", UNIQUE)]
    assert top["published_probability"] == 1 and top["best_rank_from_worst"] == 2685
    assert [f["seed"] for f in top["finals"]] == list(range(10))
    assert min(f["quantile"] for f in top["finals"]) > 0.99
    [never] = [r for r in listed if (r["method"], r["reference"]) == ("never", UNIQUE)]
    assert never["superiority"] is None and never["mean_accuracy"] is None
    assert "superiority: no run ended with a cell" in never["statements"]
    [raw] = [r for r in listed if (r["method"], r["reference"]) == ("best", RAW)]
    assert raw["published_probability"] is None and raw["best_rank_from_worst"] is None
    assert any("not drawn uniformly" in statement for statement in raw["statements"])
    assert raw["beats_best_of_1"] > 0.99 and raw["p_equivalence"] is not None
    [two] = [r for r in listed if (r["method"], r["reference"]) == ("two", RAW)]
    assert two["superiority_low"] is None and two["superiority"] > 0.9
