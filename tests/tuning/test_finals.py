"""How a sweep chooses its configuration: the best few and the default with new seeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from raynas.execution.manifest import now, write_manifest
from raynas.tuned import read_tuned
from search_spaces import load_space
from tests.support.benchmarks import synthetic_benchmark
from tests.support.ray_sweeps import FEW, sweep
from tests.support.sweep_studies import sweep as prepared
from tests.support.sweep_studies import sweep_study
from tests.support.sweeps import run_timeline, small, toy_objective, toy_space
from tuning.algorithms import make_algorithm
from tuning.evaluation import Evaluation
from tuning.finals import (
    FOLDER,
    REPEAT,
    Finalist,
    Finals,
    Repeated,
    chosen_row,
    find_finalists,
    read_finals,
)
from tuning.found import write_tuned
from tuning.log import Record
from tuning.report.content import read_content
from tuning.report.page import page
from tuning.report.wording import can_show, chosen
from tuning.request import Sweep
from tuning.run import SweepResult
from tuning.study import sweep_manifest
from tuning.table import build_table, read_evaluations
from tuning.timeline import Timeline
from tuning.trainable import empty_record


def finals(*errors: tuple[float | None, ...]) -> Finals:
    finalists = [Finalist(3 * i, 0.1, found) for i, found in enumerate(errors)]
    return Finals(tuple(finalists), 40, 100.0)


def test_the_least_mean_is_chosen() -> None:
    assert finals((0.3, 0.3), (0.2, 0.3), (0.1, 0.5)).chosen.configuration == 3
    assert finals((0.3, 0.3), (0.3, 0.3)).chosen.configuration == 0, "the default among equals"
    assert finals((0.3, 0.3), (0.1, None)).chosen.configuration == 0, "a failure is no good"
    two = finals((0.1, 0.1), (0.3, 0.3))
    lost = replace(two, finalists=(replace(two.default, first_error=None), *two.finalists[1:]))
    assert lost.chosen.configuration == 3, "a default that failed in the sweep is not chosen"


def test_finalists_are_the_best_at_the_largest_budget() -> None:
    rows = [
        row(0, 0, 100, 0.5),
        row(1, 1, 25, 0.0),
        row(2, 2, 100, 0.3),
        row(3, 3, 100, None),
        row(4, 4, 100, 0.2),
        row(5, 5, 100, 0.3),
    ]
    assert find_finalists(rows, 2) == [0, 4, 2]
    assert find_finalists(rows, 9) == [0, 4, 2, 5]
    assert find_finalists(rows, 0) == [0]
    assert find_finalists(rows[3:4], 4) == [0]


def row(number: int, configuration: int, epochs: int, error: float | None) -> dict[str, Any]:
    return {
        "evaluation": number,
        "configuration": configuration,
        "epochs": epochs,
        "validation_error": error,
        "status": "failed" if error is None else "completed",
    }


def test_listed_configurations_are_evaluated_once_each() -> None:
    listed = [{"rate": 0.1 * i, REPEAT: i} for i in range(7)]
    timeline = Timeline(make_algorithm(small("bohb"), toy_space(), listed))
    seen: list[Evaluation] = []
    while (evaluation := timeline.next()) is not None:
        seen.append(evaluation)
    assert not timeline.done
    for evaluation in reversed(seen):
        timeline.arrive(evaluation.number, None if evaluation.number == 2 else 0.1)
    assert timeline.done
    assert [dict(evaluation.configuration.values) for evaluation in seen] == listed
    assert {(e.epochs, e.previous) for e in seen} == {(100, None)}


def test_the_same_repeat_has_the_same_seed_for_all() -> None:
    def remember(*given: Any) -> Any:
        values, _, previous, seed = given
        seen.append((dict(values), previous, tuple(seed.generate_state(4))))
        return toy_objective(*given)

    seen: list[tuple[Any, ...]] = []
    repeated = Repeated(remember, 5)
    values = dict(toy_space().get_default_configuration())
    other = np.random.SeedSequence(0)
    for kind, repeat in (("plain", 0), ("nested", 0), ("plain", 1)):
        given = values | {"kind": kind, REPEAT: repeat}
        assert repeated(given, 100, b"{}", other).checkpoint is None
    assert [REPEAT in found[0] for found in seen] == [False] * 3
    assert {found[1] for found in seen} == {None}
    first, second, third = (found[2] for found in seen)
    assert first == second != third


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_benchmark(tmp_path_factory.mktemp("store") / "one.arrow", load_space(1)).path


def write_finals(study: Path, begun: Sweep, numbers: list[int], best: int) -> None:
    """Two repeats in which configuration `best` comes out first."""
    listed = [{REPEAT: i, "of": number} for i in range(2) for number in numbers]
    algorithm = make_algorithm(begun.settings, begun.space, listed)
    records: dict[int, Record] = {}
    while (evaluation := algorithm.ask()) is not None:
        number = int(evaluation.configuration.values["of"])
        error = 0.05 if number == best else 0.06 + evaluation.number / 1000
        records[evaluation.number] = replace(
            empty_record(evaluation, None), validation_error=error, seconds=2.0
        )
    folder = study / FOLDER
    folder.mkdir()
    manifest = sweep_manifest(begun.settings, begun.space, {"configurations": numbers}, {})
    write_manifest(folder, manifest | {"finished": now()})
    pq.write_table(build_table(records, [REPEAT]), folder / "evaluations.parquet")


@pytest.mark.parametrize("best", [0, 8])
def test_page_and_settings_are_those_of_the_chosen_one(
    store: Path, tmp_path: Path, best: int
) -> None:
    begun = prepared(store)
    study = sweep_study(tmp_path / "study", begun)
    table = read_evaluations(study)
    rows = table.to_pylist()
    write_finals(
        study, begun, find_finalists(rows, 3) + [8] * (8 not in find_finalists(rows, 3)), best
    )
    found = read_finals(study)
    assert found is not None and found.chosen.configuration == best
    assert found.seeds == 2 and found.seconds == 2.0 * found.searches
    chosen_one = chosen_row(rows, found)
    assert chosen_one is not None
    assert (chosen_one["configuration"], chosen_one["epochs"]) == (best, 8)
    tuned = write_tuned(begun, SweepResult(study, table), found)
    assert tuned == read_tuned(study) and tuned is not None
    assert tuned.settings["learning_rate"] == chosen_one["learning_rate"]
    assert tuned.source["configuration"] == best and tuned.source["final_seeds"] == 2
    assert read_content(study).best == chosen_one
    assert "met the default again with 2 new seeds" in can_show(read_content(study))[0]
    words = "The default configuration was chosen" if best == 0 else "Configuration 8 was chosen"
    assert chosen(found).startswith(words)
    html = page(read_content(study), None)
    assert ">Finals<" in html and words in html and f"{found.searches} searches" in html


@pytest.mark.long
def test_finals_on_ray(tmp_path: Path, small_ray: None) -> None:
    listed = [{**run_timeline(FEW)[0][i][0].configuration.values, REPEAT: i} for i in range(5)]
    listed = [values | {"kind": "plain"} for values in listed]
    space = toy_space()
    result = sweep(
        tmp_path / "finals",
        objective=Repeated(toy_objective, 0),
        listed=listed,
        arguments={"listed": listed},
    )
    again = sweep(tmp_path / "finals", resume=True, listed=listed, arguments={"listed": listed})
    assert again.table.equals(result.table) and result.table.num_rows == 5
    assert result.table["epochs"].to_pylist() == [100] * 5
    assert result.table["rate"].to_pylist() == [values["rate"] for values in listed]
    assert set(space.keys()) < {*result.table.column_names}
