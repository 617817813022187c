from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from raynas.analysis import searches
from raynas.analysis.runs import BLACK_BOX, ONE_SHOT, families, split_runs
from raynas.analysis.searches import SearchRun, choices, entropy, epoch_curve, search_runs
from raynas.analysis.summary import summary
from raynas.supernet import Alphas
from search_spaces.spaces import load_space
from search_spaces.table import Table
from tests.support.benchmarks import synthetic_benchmark
from tests.support.searches_study import FinishedSearch, searches_tables, walking_search
from tests.support.studies import random_log


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    path = tmp_path_factory.mktemp("benchmark") / "1.arrow"
    return synthetic_benchmark(path, load_space("1")).table(load_space("1"))


@pytest.fixture(scope="module")
def finished(table: Table) -> list[FinishedSearch]:
    lengths = {("darts", 0): 6, ("darts", 1): 4, ("random_ws", 0): 6}
    return [walking_search(method, table, seed, n) for (method, seed), n in lengths.items()]


@pytest.fixture(scope="module")
def runs(finished: list[FinishedSearch]) -> list[SearchRun]:
    return search_runs(*searches_tables(finished))


def test_every_epoch_has_its_cells_regret_from_the_table(
    table: Table, finished: list[FinishedSearch], runs: list[SearchRun]
) -> None:
    assert [(r.method, r.seed, len(r.epochs)) for r in runs] == [
        ("darts", 0, 6),
        ("darts", 1, 4),
        ("random_ws", 0, 6),
    ]
    for run, search in zip(runs, finished, strict=True):
        rows = table.space.rows([record.vector for record in search.records])
        np.testing.assert_allclose(run.test_regret, table.test_error(rows) - table.best_test_error)
        assert run.hashes == tuple(record.module_hash for record in search.records)
        assert run.seconds[-1] == pytest.approx(sum(r.seconds for r in search.records))
        assert run.one_shot_error[-1] == pytest.approx(1 - search.records[-1].validation_accuracy)


def test_alphas_keep_their_shape_and_order_of_epochs(
    finished: list[FinishedSearch], runs: list[SearchRun]
) -> None:
    found, alphas, trajectories = searches_tables(finished)
    order = np.random.default_rng(0).permutation(alphas.num_rows)
    shuffled = search_runs(found, alphas.take(pa.array(order)), trajectories)
    for run, search in zip(shuffled, finished, strict=True):
        assert set(run.alphas) == set(search.records[0].alphas)
        for name, values in run.alphas.items():
            for epoch, record in enumerate(search.records):
                np.testing.assert_allclose(values[epoch], record.alphas[name], rtol=1e-6)


def test_an_epoch_without_a_row_in_the_benchmark_has_no_regret(
    finished: list[FinishedSearch],
) -> None:
    found, alphas, trajectories = searches_tables(finished[:1])
    run = search_runs(found, alphas, trajectories.slice(0, 5))[0]
    assert np.isfinite(run.test_regret[:5]).all() and np.isnan(run.test_regret[5])


@pytest.mark.parametrize("space", ["1", "2", "3"])
def test_choices_are_all_rows_of_the_parameters(space: str) -> None:
    import torch

    alphas = Alphas(load_space(space), torch.Generator().manual_seed(0)).state_dict()  # type: ignore[arg-type]
    rows = {(c.name, c.row): len(c.options) for c in choices(space)}
    assert rows == {(n, i): len(row) for n, t in alphas.items() for i, row in enumerate(t)}


@pytest.mark.parametrize("space", ["1", "2", "3"])
def test_choices_are_labelled_as_the_architecture_reads_them(space: str) -> None:
    """The largest parameters of each labelled choice are what `Alphas.discretise` takes."""
    import torch

    loaded = load_space(space)
    alphas = Alphas(loaded, torch.Generator().manual_seed(3))  # type: ignore[arg-type]
    values = {name: t.numpy() for name, t in alphas.state_dict().items()}
    vector = alphas.discretise(loaded).tolist()  # type: ignore[arg-type]
    blocks = loaded.num_blocks  # type: ignore[attr-defined]
    for choice in choices(space):
        row = values[choice.name][choice.row]
        taken = {choice.options[i] for i in np.argsort(-row)[: choice.picks]}
        if choice.kind == "operation":
            chosen = {loaded.options[choice.vertex - 1][vector[choice.vertex - 1]]}  # type: ignore[attr-defined]
        else:
            index = blocks + choice.vertex - 1
            parents = loaded.options[index][vector[index]]  # type: ignore[attr-defined]
            chosen = {"input" if p == 0 else f"block {p}" for p in parents}
        assert taken == chosen, choice.label


def run_with(values: np.ndarray) -> SearchRun:
    nothing = np.zeros(len(values))
    alphas = {"operation": values[:, None, :]}
    epochs = np.arange(1, len(values) + 1)
    hashes = ("0" * 32,) * len(values)
    return SearchRun("darts", "1", 0, epochs, hashes, *[nothing] * 4, alphas, "cpu")


def test_entropy_is_one_when_undecided_and_zero_when_decided() -> None:
    choice = choices("1")[0]
    run = run_with(np.array([[7.0, 7.0, 7.0], [1000.0, 0.0, 0.0], [0.0, np.log(2), np.log(4)]]))
    shares = np.array([1, 2, 4]) / 7
    expected = -(shares * np.log(shares)).sum() / np.log(3)
    np.testing.assert_allclose(entropy(run, choice), [1, 0, expected], atol=1e-12)
    np.testing.assert_allclose(searches.weights(run, choice)[2], shares)
    np.testing.assert_allclose(searches.centred(run, choice).sum(axis=1), 0, atol=1e-12)


def test_a_curve_averages_those_that_got_so_far(runs: list[SearchRun]) -> None:
    first, second = runs[:2]
    curve = epoch_curve([first, second], lambda run: run.test_regret)
    assert curve.epochs.tolist() == [1, 2, 3, 4, 5, 6]
    assert curve.runs.tolist() == [2, 2, 2, 2, 1, 1]
    assert curve.mean[0] == pytest.approx((first.test_regret[0] + second.test_regret[0]) / 2)
    assert curve.mean[5] == pytest.approx(first.test_regret[5])
    assert np.isnan(curve.low[5])


def test_methods_without_parameters_have_no_entropy(runs: list[SearchRun]) -> None:
    assert runs[2].alphas == {}
    assert np.isnan(searches.mean_entropy(runs[2], choices("1"))).all()


def test_ranks_are_within_a_family(table: Table, finished: list[FinishedSearch]) -> None:
    from raynas.analysis import trajectory

    log = random_log(table, {"rs": 0.0, "re": 5.0}, seeds=2, evaluations=10)
    black_box = trajectory(log, {"1": table})
    both = pa.concat_tables([black_box, searches_tables(finished)[2]])
    groups: dict[str, list] = {}
    for run in split_runs(both):
        groups.setdefault(run.method, []).append(run)
    found = families(groups)
    assert {name: list(members) for name, members in found.items()} == {
        BLACK_BOX: ["rs", "re"],
        ONE_SHOT: ["darts", "random_ws"],
    }
    finals = {r["method"]: r for r in summary(both).to_pylist() if r["checkpoint"] == "final"}
    for pair in (("rs", "re"), ("darts", "random_ws")):
        assert sum(finals[method]["mean_rank"] for method in pair) == pytest.approx(3)
    alone = {r["method"]: r for r in summary(black_box).to_pylist() if r["checkpoint"] == "final"}
    assert all(finals[method] == alone[method] for method in alone)
