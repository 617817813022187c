"""The comparison after a sweep: default and tuned settings with new seeds, black-box methods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from raynas import comparison
from raynas.analysis.runs import TABLE_DEVICE
from raynas.search_request import SearchRequest

if TYPE_CHECKING:
    from raynas.begun import Result
    from raynas.execution.progress import ProgressListener
    from tuning.request import Sweep

FOLDER = "comparison"
#: Cheap ones of different kinds; the last needs figures at small budgets.
BLACK_BOX = ("rs", "re", "tpe", "bohb")


def begin(
    sweep: Sweep, study: Path, evaluations: int, cluster_gpus: float | None = None
) -> comparison.Comparison:
    """The comparison of a sweep, new or continued; close its study when done.

    Args:
        sweep: what was run.
        study: its directory, with tuned settings in it.
        evaluations: full trainings of a black-box run; as many as the sweep had.
        cluster_gpus: of the Ray cluster that is joined; None: one is started here.

    Raises:
        UserError: the directory of the comparison holds something else.
    """
    folder = study / FOLDER
    if (folder / "manifest.json").exists():
        return comparison.resume(folder, comparison.Request())
    return comparison.start(_request(sweep, study, evaluations, cluster_gpus), folder)


def _request(
    sweep: Sweep, study: Path, evaluations: int, cluster_gpus: float | None
) -> comparison.Request:
    arguments, scores = sweep.arguments, sweep.objective.scores
    defaults = sweep.objective.defaults
    known = comparison.missing_budgets
    table = {scores.space: sweep.table}
    methods = [name for name in BLACK_BOX if not known(name, table)]
    return comparison.Request(
        spaces=(scores.space,),
        methods=(sweep.objective.method, *methods),
        seeds=arguments["seeds"],
        evaluations=evaluations,
        benchmark=_source(sweep),
        seed=sweep.settings.seed + 1,
        preset=arguments["preset"],
        searches=SearchRequest(
            epochs=sweep.settings.max_epochs,
            channels=defaults.channels,
            cells=defaults.cells,
            batch_size=defaults.batch_size,
            device=sweep.plan.device,
            precision=defaults.precision,
            images=arguments["images"],
            search_seeds=len(arguments["search_seeds"]),
            gpus_per_trial=arguments.get("gpus_per_trial"),
            cluster_gpus=cluster_gpus,
        ),
        tuned=(study,),
    )


def _source(sweep: Sweep) -> str:
    return "surrogate" if sweep.benchmark.kind == "surrogate" else str(sweep.benchmark.path)


def run(
    begun: comparison.Comparison,
    study: Path,
    listener: ProgressListener | None = None,
    address: str | None = None,
) -> Result:
    """Run the comparison, or what is left of it.

    Raises:
        StudyInterrupted: after Ctrl-C; it names the sweep, which can be resumed.
        UserError: for anything that a user can set right.
    """
    from raynas.execution.directory import interruptible

    with begun.study, interruptible(study):
        return comparison.run(begun, listener, address)


def final_cells(study: Path) -> list[str]:
    """Module hashes of the cells that the searches of the comparison ended with."""
    import pyarrow.parquet as pq

    file = study / FOLDER / "trajectories.parquet"
    if not file.exists():
        return []
    columns = pq.ParquetFile(file).read(["incumbent_hash", "device"]).to_pylist()
    return [r["incumbent_hash"] for r in columns if r["device"] != TABLE_DEVICE]
