"""What the page of a sweep says and shows."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from search_spaces import UserError, load_space
from tests.support.benchmarks import synthetic_benchmark
from tests.support.sweep_studies import sweep, sweep_study
from tuning.report import build_report, improvement_line
from tuning.report.analysis import (
    FEWEST_PAIRS,
    fisher_interval,
    importance,
    improvement_of,
    rank_correlations,
    trajectory,
)
from tuning.report.content import SweepContent, read_content
from tuning.report.figures import figures, parallel_places
from tuning.report.wording import can_show, helped, mattered


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_benchmark(tmp_path_factory.mktemp("store") / "one.arrow", load_space(1)).path


@pytest.fixture(scope="module")
def study(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweep_study(tmp_path_factory.mktemp("studies") / "sweep", sweep(store))


@pytest.fixture(scope="module")
def content(study: Path) -> SweepContent:
    return read_content(study)


def test_the_incumbent_is_the_best_cell_so_far(content: SweepContent) -> None:
    found = trajectory(content)
    assert (np.diff(found.validation_error) <= 0).all()
    assert (np.diff(found.simulated) > 0).all()
    least = min(row["validation_error"] for row in content.completed)
    assert found.validation_error[-1] == least
    cells = [content.cells[row["module_hash"]] for row in content.completed]
    seconds = sum(row["seconds"] for row in content.rows)
    trained = sum(cell["training_seconds"] for cell in cells)
    assert found.simulated[-1] == pytest.approx(seconds + trained)


def test_epochs_of_a_continued_search_count_once(content: SweepContent) -> None:
    longest: dict[int, int] = {}
    for row in content.rows:
        longest[row["configuration"]] = row["epochs"]
    assert trajectory(content).epochs[-1] == sum(longest.values())
    arguments = content.arguments | {"restart": True}
    anew = replace(content, manifest=content.manifest | {"arguments": arguments})
    assert trajectory(anew).epochs[-1] == sum(row["epochs"] for row in content.rows)


def test_rank_correlations_say_of_how_many(content: SweepContent) -> None:
    found = {(c.low, c.high): c for c in rank_correlations(content)}
    assert list(found) == [(2, 4), (2, 8), (4, 8)]
    assert found[2, 8].count == 14  # the even ones and 1; 5 failed
    assert found[2, 8].rho == pytest.approx(1)
    few = replace(content, rows=content.rows[:9])
    (*_, last) = rank_correlations(few)
    assert last.count < FEWEST_PAIRS and last.interval is None


def test_fisher_interval() -> None:
    low, high = fisher_interval(0.5, 30)
    # z = 0.5493, se = sqrt(1.125 / 27) = 0.2041
    assert (low, high) == pytest.approx(
        (np.tanh(0.5493 - 0.4001), np.tanh(0.5493 + 0.4001)), abs=1e-3
    )


@pytest.fixture
def fewer_shuffles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes a forest."""
    monkeypatch.setattr("tuning.report.analysis._SHUFFLES", 10)


@pytest.mark.usefixtures("fewer_shuffles")
def test_importance_finds_what_the_errors_depend_on(content: SweepContent) -> None:
    fewer = replace(content, rows=[r for r in content.rows if r["epochs"] == 2])
    found = importance(fewer)
    assert found is not None
    assert (found.epochs, found.count) == (2, 25)
    assert next(iter(found.shares)) == "learning_rate"
    assert found.shares["learning_rate"] > 0.8 > found.chance > found.shares["cutout_prob"]
    assert "learning_rate explains most" in mattered(found)
    assert mattered(found).endswith("the largest share by chance: learning_rate.")
    assert importance(replace(content, rows=content.rows[:10])) is None
    assert "too few" in mattered(None)


def test_the_improvement_factor_is_paired_by_seed() -> None:
    default = np.array([0.02, 0.03, 0.025, 0.04, 0.02])
    found = improvement_of(default, default / 2)
    assert found.factor == pytest.approx(2)
    assert found.interval == pytest.approx((2, 2))
    assert helped(found).endswith("Tuning helped. Intervals of so few seeds are too narrow.")
    assert improvement_of(default[:2], default[:2]).interval is None
    assert "too few seeds" in helped(improvement_of(default[:2], default[:2]))
    mixed = improvement_of(default, default[::-1].copy())
    assert mixed.interval is not None and mixed.interval[0] <= 1 <= mixed.interval[1]
    assert "do not tell it from no improvement" in helped(mixed)
    assert helped(improvement_of(default, np.zeros(5))).count("∞") == 3
    assert "not known" in helped(None)


def test_every_figure_is_there_and_can_be_painted(content: SweepContent) -> None:
    drawn = figures(content, None)
    assert set(drawn) == {
        "simulated",
        "wall",
        "epochs",
        "budgets",
        "parallel",
        "correlation",
        "curves",
        "one-shot-curves",
    }
    for figure in drawn.values():
        assert figure["data"]
        assert all("meta" in trace for trace in figure["data"])
        json.dumps(figure, allow_nan=False)
    assert len(drawn["parallel"]["data"]) == 25
    assert sum(len(trace["x"]) for trace in drawn["budgets"]["data"]) == len(content.completed)
    row = content.completed[0]
    places = parallel_places(content, row, np.array([0.05, 0.1]))
    assert len(places) == 4 and all(0 <= place <= 1 for place in places[:3])


@pytest.mark.usefixtures("fewer_shuffles")
def test_the_page_is_one_file_with_everything(study: Path) -> None:
    paths = build_report(study)
    html = paths.page.read_text()
    assert "<title>Tuning DARTS (1st order) on NAS-Bench-1Shot1, space 1</title>" in html
    markup = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', markup)
    assert "Diverged: too &lt;fast&gt;" in html
    assert "What this can and cannot show" in html
    assert "Synthetic benchmark" in html
    names = {path.name for path in paths.figures}
    assert {"sweep-simulated.png", "sweep-budgets.svg", "sweep-importance.png"} <= names
    assert all(path.stat().st_size > 1000 for path in paths.figures)
    assert improvement_line(study).startswith("No comparison with new seeds")


def test_small_sweeps_are_called_small(content: SweepContent) -> None:
    words = " ".join(can_show(content))
    assert "scikit-learn digits" in words
    assert "largest budget is 8 epochs" in words


def test_a_sweep_of_failures_has_a_page(store: Path, tmp_path: Path) -> None:
    study = sweep_study(tmp_path / "failed", sweep(store), failed=True)
    html = build_report(study).page.read_text()
    assert "Every evaluation failed." in html


def test_what_is_missing_is_one_line(study: Path, store: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is no study: it has no manifest\.json"):
        build_report(tmp_path)
    other = sweep_study(tmp_path / "other", sweep(store))
    (other / "curves.parquet").unlink()
    with pytest.raises(UserError, match=r"cannot read .*curves\.parquet"):
        build_report(other)
