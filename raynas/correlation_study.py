"""From a study to its rank correlations: what `python -m raynas.correlation` does."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raynas.begun import check_common, flag, given_values, open_verified, tables_of
from search_spaces.errors import UserError, unknown_name
from search_spaces.spaces import load_space

if TYPE_CHECKING:
    import pyarrow as pa

    from raynas.execution.checkpoint_files import Checkpoint, Choice
    from raynas.execution.scoring import Block, Conditions, ScoreListener, ScoreLog
    from raynas.report.correlation import CorrelationPaths
    from raynas.scored_cells import Drawing, ScoredCells
    from search_spaces.benchmark import Benchmark
    from search_spaces.table import Table

#: The published evaluation used the statistics of the training.
PUBLISHED_STATISTICS = "running"
FOLDER = "correlation"
BLOCK_CELLS = 128


_DEFAULTS: dict[str, Any] = {
    "rules": ("corrected", "published"),
    "statistics": ("batch", "running", "recalibrated"),
    "epochs": "last",
    "labellings": 1,
    "seed": 0,
}


@dataclass(frozen=True)
class Request:
    """What a user asked for; None takes what is usual, or what was asked for before.

    Attributes:
        methods: labels of methods; None: all of the study.
        spaces: names of spaces; None: all that the study has searched.
        seeds: of the searches; None: all.
        epochs: of the checkpoints: "last", "all", or numbers joined by commas.
        cells: so many cells of each space, drawn at random; None: all.
        labellings: architectures of each cell, drawn at random; its score is their mean.
        images_limit: so many images of the validation half, drawn at random; None: all.
        rules: evaluation rules.
        statistics: of the corrected rule.
        seed: of the draws.
        benchmark: "auto", "surrogate" or a path; None: the study's.
    """

    methods: tuple[str, ...] | None = None
    spaces: tuple[str, ...] | None = None
    seeds: tuple[int, ...] | None = None
    epochs: str | None = None
    cells: int | None = None
    labellings: int | None = None
    images_limit: int | None = None
    rules: tuple[str, ...] | None = None
    statistics: tuple[str, ...] | None = None
    seed: int | None = None
    benchmark: str | None = None

    def check(self) -> None:
        """Refuse what names nothing.

        Raises:
            UserError: in one line, with the valid values.
        """
        from raynas.supernet import STATISTICS
        from raynas.supernet.rules import RULES

        check_common(self)
        for kind, names, valid in (
            ("evaluation rule", self.rules, RULES),
            ("batch statistics", self.statistics, STATISTICS),
        ):
            for name in names or ():
                if name not in valid:
                    raise unknown_name(kind, name, list(valid))
        if self.statistics is not None and self.rules == ("published",):
            raise UserError(
                "--statistics chooses those of the corrected rule, and --rules published leaves it "
                "out; leave --statistics out or add corrected",
                exit_code=2,
            )
        for name, least in (("cells", 3), ("labellings", 1), ("images_limit", 2)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UserError(
                    f"{flag(name)} is {value}; it must be at least {least}", exit_code=2
                )

    def given(self) -> dict[str, Any]:
        """What was given, as a manifest records it (without the benchmark)."""
        return given_values(self, "benchmark")

    def filled(self, recorded: Mapping[str, Any] | None = None) -> Request:
        """The same with what is usual, or with what was recorded, in the place of None."""
        known = {k: tuple(v) if isinstance(v, list) else v for k, v in (recorded or {}).items()}
        given = {k: v for k, v in vars(self).items() if v is not None}
        values = _DEFAULTS | {k: v for k, v in known.items() if k in vars(self)} | given
        return replace(self, **values | {"benchmark": self.benchmark})

    def choice(self) -> Choice:
        """Which checkpoints."""
        from raynas.execution.checkpoint_files import Choice

        return Choice(self.methods, self.spaces, self.seeds, self.epochs or "last")

    def pairs(self) -> list[tuple[str, str]]:
        """(rule, statistics): the corrected rule with each, the published one as published."""
        rules = self.rules or _DEFAULTS["rules"]
        corrected = (self.statistics or _DEFAULTS["statistics"]) if "corrected" in rules else ()
        pairs = [("corrected", each) for each in corrected]
        return [*pairs, ("published", PUBLISHED_STATISTICS)] if "published" in rules else pairs


def rerun_command(arguments: Mapping[str, Any]) -> str:
    """The command line that a manifest's arguments are of; what is usual is left out."""
    study = Path(arguments["study"])
    if study.is_relative_to(Path.cwd()):
        study = study.relative_to(Path.cwd())
    parts = ["python", "-m", "raynas.correlation", str(study)]
    for name in (field.name for field in fields(Request)):
        value = arguments.get(name)
        value = tuple(value) if isinstance(value, list) else value
        if value is not None and value != _DEFAULTS.get(name):
            several = value if isinstance(value, tuple) else (value,)
            parts += [flag(name), ",".join(map(str, several))]
    return shlex.join(parts)


@dataclass(frozen=True)
class Work:
    """Everything that is to be scored, and against what.

    Attributes:
        log: the open directory; close it when done.
        blocks: of architectures.
        cells: by space, the cells and their architectures.
        conditions: images and device.
        benchmark: the truth.
        tables: the same by space.
        request: what was asked for.
        title: of the images.
    """

    log: ScoreLog
    blocks: list[Block]
    cells: Mapping[str, ScoredCells]
    conditions: Conditions
    benchmark: Benchmark
    tables: Mapping[str, Table]
    request: Request
    title: str

    def evaluations_per_checkpoint(self) -> dict[Checkpoint, int]:
        """How many architectures are evaluated with each checkpoint, rule and statistics."""
        counts: dict[Checkpoint, int] = {}
        for block in self.blocks:
            counts[block.checkpoint] = counts.get(block.checkpoint, 0) + len(block.positions)
        return counts


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        coefficients: in `COEFFICIENTS_SCHEMA`.
        late: in `LATE_SCHEMA`.
        paths: where everything is.
    """

    coefficients: pa.Table
    late: pa.Table
    paths: CorrelationPaths


def prepare(study: Path, request: Request, out: Path | None, *, resume: bool) -> Work:
    """Find everything and open the directory of results.

    Raises:
        UserError: something is missing; it says which command makes it.
    """
    from raynas.execution.checkpoint_files import find_checkpoints
    from raynas.execution.manifest import (
        SEARCHES,
        benchmark_source,
        describe_benchmark,
        read_manifest,
        run_manifest,
    )
    from raynas.execution.scoring import Conditions, ScoreLog, blocks_of
    from raynas.images import find_images
    from raynas.scored_cells import scored_cells

    request.check()
    manifest = read_manifest(study, *SEARCHES)
    folder = out or study / FOLDER
    given = request.given()
    before = read_manifest(folder, ScoreLog.kind) if resume else None
    if before and before.get("study_created", manifest["created"]) != manifest["created"]:
        raise UserError(
            f"{folder} holds scores of {before['arguments']['study']}, not of {study}; name that "
            "study, or another directory with --out",
            exit_code=2,
        )
    if before and before["arguments"].get("labellings") is None and given.get("labellings") == 1:
        del given["labellings"]  # begun by a version that knew one architecture only
    request = request.filled(before["arguments"] if before else None)
    # What was begun by a version that chose the architectures otherwise goes on with its own.
    drawing: Drawing = before.get("architectures", "first") if before else "different"
    checkpoints = find_checkpoints(study, manifest, request.choice())
    benchmark = open_verified(benchmark_source(manifest, request.benchmark))
    tables = tables_of(benchmark, (checkpoint.space for checkpoint in checkpoints))
    cells = {name: scored_cells(name, request, drawing) for name in tables}
    images = find_images(manifest["search"]["images"]["source"])
    if resume:
        log = ScoreLog.resume(folder, given, benchmark.sha256)
    else:
        arguments = vars(request) | {"study": str(study.absolute())}
        made = run_manifest(ScoreLog.kind, arguments)
        made |= {"benchmark": describe_benchmark(benchmark), "images": images.title}
        # Studies can be moved: this goes along.
        made |= {"architectures": drawing, "study_created": manifest["created"]}
        log = ScoreLog.create(folder, made)
    order = {name: of.order for name, of in cells.items()}
    blocks = blocks_of(checkpoints, request.pairs(), order, BLOCK_CELLS)
    conditions = Conditions(images, request.images_limit, request.seed or 0)
    return Work(log, blocks, cells, conditions, benchmark, tables, request, images.title)


def run(
    work: Work,
    *,
    actors: int = 2,
    device: str = "cpu",
    address: str | None = None,
    listener: ScoreListener | None = None,
) -> Outcome:
    """Score what is not scored yet; write the tables and the page.

    Raises:
        UserError: a checkpoint or an image cannot be read, or Ray does not start.
    """
    from raynas.analysis.rank_correlation import (
        OnImages,
        Truth,
        coefficients,
        groups_of,
        late_means,
    )
    from raynas.execution.scoring import score_blocks
    from raynas.report.correlation import SCORES, read_scores, write_correlation

    conditions = replace(work.conditions, device=device)
    if device == "cuda":
        conditions = replace(conditions, gpus_per_actor=1 / max(actors, 1))
    if work.log.finished:
        scores = read_scores(work.log.path / SCORES)
    else:
        score_blocks(
            work.log,
            work.blocks,
            {name: of.vectors for name, of in work.cells.items()},
            conditions,
            actors=actors,
            address=address,
            listener=listener,
        )
        scores = _scores(work)
    seed = work.request.seed or 0
    truths = {
        name: Truth(table, work.cells[name].rows, seed) for name, table in work.tables.items()
    }
    groups = groups_of(scores)
    images = OnImages(conditions.images.classes, conditions.count)
    found = coefficients(groups, truths, images, seed)
    late = late_means(groups, truths, seed)
    paths = write_correlation(scores, found, late, groups, truths, work.benchmark, work.log)
    if not work.log.finished:
        work.log.mark_finished()
    return Outcome(found, late, paths)


def _scores(work: Work) -> pa.Table:
    import pyarrow as pa

    from raynas.analysis.rank_correlation import SCORES_SCHEMA
    from search_spaces.space import hash_texts

    hashes = {name: load_space(name).unique_hashes() for name in work.tables}
    parts = []
    for block in work.blocks:
        of, accuracies = block.checkpoint, work.log.read(block)
        if accuracies is None:
            raise UserError(f"{work.log.path} has lost scores; continue it with --resume")
        same = (of.method, of.space, of.seed, of.epoch, block.rule, block.statistics)
        columns: list[Any] = [[value] * len(block.positions) for value in same]
        rows, labellings = work.cells[of.space].of(block.positions)
        columns += [rows, hash_texts(hashes[of.space][rows]), labellings, accuracies]
        pairs = zip(columns, SCORES_SCHEMA, strict=True)
        parts.append(pa.table([pa.array(c, f.type) for c, f in pairs], SCORES_SCHEMA))
    return pa.concat_tables(parts).combine_chunks()
