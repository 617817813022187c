"""Artefacts read from small studies written by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from raynas.artefacts import (
    ARTEFACTS,
    Evidence,
    MissingStudyError,
    Obtained,
    Verdict,
    conditions,
)
from raynas.artefacts.black_box import oracle_finals
from raynas.artefacts.one_shot import _stood
from raynas.execution.manifest import read_manifest, write_manifest
from raynas.report.reproduction_wording import value
from search_spaces import load_space
from search_spaces.errors import UserError
from search_spaces.table import Table
from tests.support import artefact_studies as made
from tests.support.benchmarks import synthetic_benchmark
from tests.support.searches_study import (
    FinishedSearch,
    ending_with,
    walking_search,
    write_searches,
)
from tests.support.studies import write_study


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    space = load_space(1)
    return synthetic_benchmark(tmp_path_factory.mktemp("store") / "1.arrow", space).table(space)


@pytest.fixture(scope="module")
def studies(table: Table, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("studies")
    found = {
        "black-box": made.black_box(folder / "black-box", table),
        "evolution": made.black_box(folder / "evolution", table),
        "one-shot": made.one_shot(folder / "one-shot", table),
    }
    manifest = read_manifest(found["one-shot"])
    write_manifest(found["one-shot"], made.with_search(manifest))
    return found


def obtain(name: str, folders: dict[str, Path]) -> Obtained:
    artefact = ARTEFACTS[name]
    assert artefact.obtain is not None
    return artefact.obtain(Evidence(folders, "surrogate"))


def test_evolution_agrees_in_direction_at_most(studies: dict[str, Path]) -> None:
    found = obtain("evolution-against-random-search", studies)
    assert found.judged.verdict is Verdict.DIRECTION
    assert "synthetic benchmark instead of the measured table" in found.judged.reason
    gap = found.readings[0]
    assert gap.label == "space 1, re less rs" and gap.runs == 6
    assert gap.value is not None and gap.high is not None and gap.value < gap.high < 0
    assert "6 seeds of 12 evaluations (0 to 5); root seed 0" in found.made_with


def test_a_surrogate_made_to_match_the_searches_says_nothing_of_them(
    table: Table, tmp_path: Path
) -> None:
    study = made.black_box(tmp_path / "surrogate", table)
    manifest = read_manifest(study)
    write_manifest(study, manifest | {"benchmark": manifest["benchmark"] | {"kind": "surrogate"}})
    found = obtain("evolution-against-random-search", {"evolution": study})
    assert found.judged.verdict is Verdict.NOT_COMPARABLE
    assert "the surrogate was chosen to match these searches" in found.judged.reason
    assert found.judged.reason.endswith("here 1 of 1 parts are as published")
    assert "no publication" in ARTEFACTS["evolution-against-random-search"].source


def test_a_measured_table_agrees(studies: dict[str, Path], table: Table, tmp_path: Path) -> None:
    study = made.black_box(tmp_path / "measured", table)
    manifest = read_manifest(study)
    write_manifest(study, manifest | {"benchmark": manifest["benchmark"] | {"kind": "official"}})
    found = obtain("evolution-against-random-search", {"evolution": study})
    assert found.judged.verdict is Verdict.AGREE


def test_two_runs_are_too_few(table: Table, tmp_path: Path) -> None:
    found = obtain(
        "evolution-against-random-search",
        {"evolution": made.black_box(tmp_path / "few", table, seeds=2)},
    )
    assert found.judged.verdict is Verdict.NOT_COMPARABLE
    assert "2 runs, at least 5 are needed" in found.judged.reason


def test_curves_give_a_mean_for_each_method(studies: dict[str, Path]) -> None:
    found = obtain("black-box-curves", studies)
    assert [reading.label for reading in found.readings] == ["space 1, rs", "space 1, re"]
    assert found.judged.verdict is Verdict.NOT_COMPARABLE


def test_the_published_rule_takes_the_lowest_test_error_seen(
    studies: dict[str, Path], table: Table, tmp_path: Path
) -> None:
    from tests.support.studies import random_log

    log = random_log(table, {"rs": 0.0}, seeds=2, evaluations=7)
    study = write_study(tmp_path / "oracle", {"1": table}, [log])
    trajectories = Evidence({"black-box": study}).study("black-box").trajectories
    found = oracle_finals(trajectories, "1")["rs"]
    rows = trajectories.to_pylist()
    by_hand = [min(row["test_error"] for row in rows if row["seed"] == s) for s in (0, 1)]
    assert np.sort(found).tolist() == sorted(by_hand)


def by_place(table: Table, method: str, places: range) -> list[FinishedSearch]:
    """Searches that end with the cells at some places by mean test error, the best first."""
    order = np.argsort(table.test_error(np.arange(table.space.num_unique)), kind="stable")
    walks = [walking_search(method, table, seed, 4) for seed in range(len(places))]
    return [ending_with(walk, int(order[place])) for walk, place in zip(walks, places, strict=True)]


@pytest.mark.parametrize(
    ("place", "verdict", "said"),
    [
        (0, Verdict.DIRECTION, "4 channels instead of 16"),
        (1000, Verdict.NOT_COMPARABLE, "here 0 of 2 parts are as published"),
        (2000, Verdict.NOT_COMPARABLE, "opposite: space 1, pc_darts less darts, space 1, pc_darts"),
    ],
)
def test_one_shot_methods_are_held_against_each_other(
    table: Table, tmp_path: Path, place: int, verdict: Verdict, said: str
) -> None:
    others = [by_place(table, name, range(1000, 1050, 10)) for name in ("darts", "gdas")]
    mine = by_place(table, "pc_darts", range(place, place + 50, 10))
    study = write_searches(tmp_path / "study", [*mine, *others[0], *others[1]])
    write_manifest(study, made.with_search(read_manifest(study)))
    found = obtain("pc-darts-against-darts", {"one-shot": study})
    assert [reading.label for reading in found.readings] == [
        "space 1, pc_darts less darts",
        "space 1, pc_darts less gdas",
    ]
    assert found.judged.verdict is verdict and said in found.judged.reason
    assert "4 channels instead of 16" in found.judged.reason
    assert "scikit-learn digits instead of CIFAR-10" in found.judged.reason


def test_one_shot_curves_have_two_figures_of_each_method(studies: dict[str, Path]) -> None:
    found = obtain("one-shot-curves", studies)
    assert len(found.readings) == 2 * len(made.ONE_SHOT)
    assert found.judged.reason.startswith("the source draws it")


def test_how_long_the_last_cell_stood(studies: dict[str, Path]) -> None:
    class Run:
        def __init__(self, hashes: str) -> None:
            self.hashes = tuple(hashes)

    assert _stood(Run("abbb")) == 0.75  # type: ignore[arg-type]
    assert _stood(Run("bbab")) == 0.25  # type: ignore[arg-type]
    assert _stood(Run("aaaa")) == 1.0  # type: ignore[arg-type]
    found = obtain("local-optima", studies)  # the walks change their cell in every epoch
    shares = [r.value for r in found.readings if r.label.endswith("share of the search")]
    assert shares == [0.25] * 3
    assert found.judged.verdict is Verdict.NOT_COMPARABLE and "in words" in found.judged.reason


def test_no_rank_correlation(studies: dict[str, Path], tmp_path: Path) -> None:
    rows = [
        {},
        {"method": "gdas", "epoch": 20, "value": 0.9, "low": 0.8, "high": 0.95},
        {"method": "gdas"},
        {"rule": "published", "statistics": "running"},
        {"statistics": "running", "value": 0.9, "low": 0.8, "high": 0.95},
    ]
    folders = studies | {"correlation": made.correlation(tmp_path / "none", rows)}
    found = obtain("rank-correlation", folders)
    assert len(found.readings) == 3  # last epochs, one kind of statistics, both rules
    assert "ceiling 0.90; counting parameters reaches 0.55" in found.readings[0].note
    assert found.judged.verdict is Verdict.DIRECTION
    assert obtain("rank-correlation-over-epochs", folders).judged.verdict is Verdict.NOT_COMPARABLE
    strong = made.correlation(tmp_path / "strong", [{"value": 0.8, "low": 0.7, "high": 0.9}])
    found = obtain("rank-correlation", studies | {"correlation": strong})
    assert found.judged.verdict is Verdict.NOT_COMPARABLE and "opposite" in found.judged.reason


def test_the_average_over_checkpoints_stands_beside_them(
    studies: dict[str, Path], tmp_path: Path
) -> None:
    rows = [{"epoch": epoch, "value": epoch / 100} for epoch in (38, 39, 40)]
    late = [{"value": 0.39}, {"value": 0.8, "rule": "published"}, {"measure": "kendall"}]
    folders = studies | {"correlation": made.correlation(tmp_path / "three", rows, late)}
    found = obtain("rank-correlation-over-epochs", folders)
    assert [(r.label, r.value) for r in found.readings][2:] == [
        ("space 3, darts, epoch 40", 0.4),
        ("space 3, darts, average of epochs 38, 39, 40", 0.39),
    ]
    assert len(obtain("rank-correlation", folders).readings) == 1
    (folders["correlation"] / "correlation_late.parquet").unlink()
    with pytest.raises(UserError, match=r"has no correlation_late.* --resume` writes it anew"):
        obtain("rank-correlation-over-epochs", folders)


def test_lost_seeds_and_weights_at_chance_decide_nothing(
    studies: dict[str, Path], tmp_path: Path
) -> None:
    lost = {"method": "gdas", "seeds_used": 1, "low": None, "high": None}
    lost |= {"statement": "4 of 5 seeds gave all cells the same accuracy"}
    few = made.correlation(tmp_path / "few", [{}, lost])
    found = obtain("rank-correlation", studies | {"correlation": few})
    assert found.judged.verdict is Verdict.NOT_COMPARABLE and "1 run" in found.judged.reason
    assert found.readings[1].runs == 1 and "4 of 5 seeds" in found.readings[1].note
    unlearnt = {"by_chance": True, "mean_accuracy": 0.1}
    idle = made.correlation(tmp_path / "idle", [unlearnt, unlearnt | {"method": "gdas"}])
    found = obtain("rank-correlation", studies | {"correlation": idle})
    assert found.judged.verdict is Verdict.NOT_COMPARABLE
    assert (
        "by the corrected rule the weights of darts at epoch 40; gdas at epoch 40 are not shown to "
        "be better than guessing with 256 images (the bar is 15.6 %)" in found.judged.reason
    )
    assert "one-shot accuracy 10.0 %, not shown to be better" in found.readings[0].note


def test_the_published_rule_is_shown_and_not_judged(
    studies: dict[str, Path], tmp_path: Path
) -> None:
    other = {"rule": "published", "by_chance": True, "value": 0.9, "low": 0.8, "high": 0.95}
    both = made.correlation(tmp_path / "both", [{}, other])
    found = obtain("rank-correlation", studies | {"correlation": both})
    assert found.judged.verdict is Verdict.DIRECTION and len(found.readings) == 2
    assert "not shown to be better than guessing" in found.readings[1].note
    alone = made.correlation(tmp_path / "alone", [other])
    found = obtain("rank-correlation", studies | {"correlation": alone})
    assert found.judged.verdict is Verdict.NOT_COMPARABLE
    assert "nothing was evaluated by the corrected rule" in found.judged.reason


def test_budgets_are_judged_by_spearman(studies: dict[str, Path], tmp_path: Path) -> None:
    rows = [{"budget": budget} for budget in (4, 12, 36, 108)]
    tau = [row | {"measure": "kendall", "value": 0.9, "low": 0.8, "high": 0.95} for row in rows]
    folder = made.correlation(tmp_path / "budgets", [*rows, *tau])
    found = obtain("rank-correlation-over-budgets", studies | {"correlation": folder})
    assert found.judged.verdict is Verdict.DIRECTION and len(found.readings) == 4


def test_tau_falls_with_the_size_if_intervals_are_apart(
    studies: dict[str, Path], tmp_path: Path
) -> None:
    def rows(width: float) -> list[dict[str, object]]:
        return [
            {
                "method": "random_ws",
                "measure": "kendall",
                "subset": f"{size} vertices",
                "value": tau,
                "low": tau - width,
                "high": tau + width,
            }
            for size, tau in ((5, 0.6), (6, 0.4), (7, 0.2))
        ]

    apart = made.correlation(tmp_path / "apart", rows(0.05))
    found = obtain("tau-by-cell-size", studies | {"correlation": apart})
    assert found.judged.verdict is Verdict.DIRECTION
    assert found.readings[-1].label == "space 3, 6 less 7 vertices"
    wide = made.correlation(tmp_path / "wide", rows(0.15))
    found = obtain("tau-by-cell-size", studies | {"correlation": wide})
    assert found.judged.verdict is Verdict.NOT_COMPARABLE


def test_similar_to_random_needs_a_test_of_equivalence(
    studies: dict[str, Path], tmp_path: Path
) -> None:
    small = {"difference": 0.0, "difference_low": -0.001, "difference_high": 0.001}
    wide = {"difference": 0.0, "difference_low": -0.02, "difference_high": 0.02}
    other = wide | {"reference": "raw architectures"}, wide | {"weight_sharing": False}
    near = made.random_policy(tmp_path / "near", [small, *other])
    found = obtain("similar-to-random", studies | {"random-policy": near})
    assert found.judged.verdict is Verdict.DIRECTION and len(found.readings) == 1
    assert "study black-box: " in found.made_with and "study one-shot: " in found.made_with
    assert "6 seeds of 12 evaluations" in found.made_with
    untested = wide | {"method": "gdas", "p_equivalence": 0.4}
    far = made.random_policy(tmp_path / "far", [small, untested])
    found = obtain("similar-to-random", studies | {"random-policy": far})
    assert found.judged.verdict is Verdict.NOT_COMPARABLE
    # An interval of few runs inside the margin is not enough, nor is a test for another margin.
    inside = small | {"method": "gdas", "p_equivalence": 0.08}
    near = made.random_policy(tmp_path / "inside", [small, inside])
    found = obtain("similar-to-random", studies | {"random-policy": near})
    assert found.judged.verdict is Verdict.NOT_COMPARABLE
    far = made.random_policy(tmp_path / "margin", [small | {"margin": 0.01}])
    found = obtain("similar-to-random", studies | {"random-policy": far})
    assert found.judged.verdict is Verdict.NOT_COMPARABLE


def test_that_random_is_better_is_a_claim_of_its_own(
    studies: dict[str, Path], tmp_path: Path
) -> None:
    worse = {"difference": -0.02, "difference_low": -0.03, "difference_high": -0.01, "p_mean": 0.01}
    for name, rows, verdict in (
        ("worse", [worse, worse | {"method": "gdas"}], Verdict.DIRECTION),
        ("chance", [worse, worse | {"p_mean": 0.2}], Verdict.NOT_COMPARABLE),
        ("few", [worse | {"runs_with_cell": 4}], Verdict.NOT_COMPARABLE),
    ):
        policy = made.random_policy(tmp_path / name, rows)
        found = obtain("random-better-on-average", studies | {"random-policy": policy})
        assert found.judged.verdict is verdict, name
        assert "spaces of NAS-Bench-1Shot1" in found.judged.reason


def test_one_shot_errors_are_shares_and_not_shares_of_percents(studies: dict[str, Path]) -> None:
    """An accuracy of 0.25 read as percent would be an error of 0.9975."""
    shown = {r.label: r for r in obtain("one-shot-curves", studies).readings}
    for method in made.ONE_SHOT:
        reading = shown[f"space 1, {method}, one-shot error"]
        runs = [r for r in Evidence(studies).searches("one-shot") if r.method == method]
        rows = Evidence(studies).rows("one-shot", "searches.parquet")
        last = [r for r in rows if r["method"] == method and r["epoch"] == 4]
        errors = [1 - row["validation_accuracy"] for row in last]
        assert len(runs) == len(last) == 5
        assert reading.value == pytest.approx(np.mean(errors)) and 0 < reading.value < 0.95
        assert value(reading).startswith(f"{100 * np.mean(errors):.3f}")


def test_the_published_probability_is_only_shown(studies: dict[str, Path], tmp_path: Path) -> None:
    rows = [{"published_probability": 0.44}, {"method": "gdas", "published_probability": 0.9}]
    folder = made.random_policy(tmp_path / "policy", rows)
    found = obtain("surpass-random-darts", studies | {"random-policy": folder})
    assert [reading.value for reading in found.readings] == [0.44]
    assert found.judged.verdict is Verdict.NOT_COMPARABLE


_DECAY = "weight_decay=0.0081, cutout=off"


def test_a_study_of_settings_is_judged_by_its_claims(tmp_path: Path) -> None:
    rows = [{"published": _DECAY, "method": m} for m in ("darts", "gdas", "pc_darts")]
    other = {"published": "weight_decay=0.0027, cutout=off", "difference_low": -1.0}
    here = made.sensitivity(tmp_path / "here", [*rows, other])
    found = obtain("weight-decay", {"regularisation": here})
    assert found.judged.verdict is Verdict.DIRECTION and len(found.readings) == 3
    assert "digits instead of CIFAR-10" in found.judged.reason
    measured = made.sensitivity(tmp_path / "measured", rows, "official", "CIFAR-10")
    assert obtain("weight-decay", {"regularisation": measured}).judged.verdict is Verdict.AGREE
    failed = made.sensitivity(tmp_path / "failed", [row | {"failed": 3} for row in rows])
    found = obtain("weight-decay", {"regularisation": failed})
    assert found.judged.verdict is Verdict.NOT_COMPARABLE and "3 runs" in found.judged.reason
    open_ended = {"difference_low": None, "difference_high": None}
    open_ended |= {"statement": "of the regret", "difference_statement": "of the difference"}
    bare = made.sensitivity(tmp_path / "bare", [row | open_ended for row in rows])
    found = obtain("weight-decay", {"regularisation": bare})
    assert found.readings[0].note == "of the difference"


def test_cutout_has_three_findings(tmp_path: Path) -> None:
    on = "weight_decay=0.0003, cutout=on"
    rows = [
        {"method": "darts", "difference_low": -0.02, "difference_high": -0.01},
        {"method": "gdas", "difference_low": -0.001, "difference_high": 0.001},
        {"method": "pc_darts", "difference_low": -0.001, "difference_high": 0.03},
    ]
    study = made.sensitivity(tmp_path / "cutout", [{"published": on} | row for row in rows])
    assert obtain("cutout", {"regularisation": study}).judged.verdict is Verdict.DIRECTION
    rows[1]["p_similar"] = 0.06
    study = made.sensitivity(tmp_path / "cutout2", [{"published": on} | row for row in rows])
    found = obtain("cutout", {"regularisation": study}).judged
    assert found.verdict is Verdict.NOT_COMPARABLE and "2 of 3 parts" in found.reason


@pytest.mark.parametrize(
    ("place", "verdict"), [(100, Verdict.DIRECTION), (2000, Verdict.NOT_COMPARABLE)]
)
def test_tuning_is_judged_by_its_factor(
    table: Table, tmp_path: Path, place: int, verdict: Verdict
) -> None:
    sweep = tmp_path / "sweep"
    study = made.black_box(sweep / "comparison", table)
    tuned = by_place(table, "darts (tuned)", range(place, place + 50, 10))
    write_searches(study, [*by_place(table, "darts", range(1000, 1050, 10)), *tuned])
    path = sweep / "comparison" / "manifest.json"
    manifest = json.loads(path.read_text())
    settings = manifest["search"]["settings"]
    settings["darts (tuned)"] = settings["darts"] | {"learning_rate": 0.1}
    path.write_text(json.dumps(manifest))
    folders = {"tuning-darts": sweep}
    found = obtain("tuned-darts", folders)
    assert found.readings[0].label == "darts, default over tuned" and found.readings[0].runs == 5
    assert found.judged.verdict is verdict
    factor = found.readings[1].value / found.readings[2].value  # type: ignore[operator]
    assert found.readings[0].value == pytest.approx(factor) and (factor > 1) is (place == 100)
    assert "12 evaluations instead of 280" in found.judged.reason
    gaps = obtain("tuned-against-black-box", folders).readings
    assert {gap.label for gap in gaps} == {"darts (tuned) less rs", "darts (tuned) less re"}
    settings["darts (tuned)"] = settings["darts"]
    path.write_text(json.dumps(manifest))
    found = obtain("tuned-darts", folders)
    assert "chose the default settings" in found.judged.reason
    assert [reading.label for reading in found.readings] == ["darts"]


def test_a_missing_study_is_named(studies: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(MissingStudyError, match="study one-shot: it has not been run"):
        obtain("one-shot-curves", {"black-box": studies["black-box"]})
    with pytest.raises(MissingStudyError, match="tuning-darts"):
        obtain("tuned-against-black-box", {})
    with pytest.raises(UserError, match=r"cannot read .*correlation_coefficients\.parquet"):
        obtain("rank-correlation", studies | {"correlation": tmp_path})


def test_seeds_of_methods_that_did_not_run_are_not_named(studies: dict[str, Path]) -> None:
    """Comparisons of one-shot methods alone carry the arguments of black-box ones, too."""
    manifest = made.with_search(read_manifest(studies["one-shot"]))
    shared = {"seeds": list(range(10)), "evaluations": 280, "search_seeds": [0, 1, 2, 4], "seed": 3}
    alone = manifest | {"arguments": shared | {"methods": ["darts", "darts (tuned)", "random_ws"]}}
    said = conditions.made_with(alone)
    assert "4 search seeds (0, 1, 2, 4); root seed 3" in said and "evaluations" not in said
    both = manifest | {"arguments": shared | {"methods": ["darts", "re"]}}
    assert "10 seeds of 280 evaluations (0 to 9)" in conditions.made_with(both)
    assert "5 search seeds (0 to 4)" in conditions.made_with(
        manifest | {"arguments": shared | {"methods": ["darts"], "search_seeds": 5}}
    )


def test_searches_that_failed_are_left_out_and_counted(table: Table, tmp_path: Path) -> None:
    searches = [walking_search("darts", table, seed, 4) for seed in range(5)]
    searches[2] = replace(searches[2], records=searches[2].records[:2], failure="out of memory")
    study = write_searches(tmp_path / "study", searches)
    found = obtain("one-shot-curves", {"one-shot": study})
    assert [reading.runs for reading in found.readings] == [4, 4]
    assert found.made_with.endswith(
        "1 left out, failed before the last epoch: darts on space 1, seed 2"
    )
    stood = obtain("local-optima", {"one-shot": study}).readings[0]
    assert stood.runs == 4 and stood.value == 0.25
